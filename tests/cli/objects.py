"""Reads what built objects, archives and programs need and give."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402


def output(*argv):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE).stdout.decode()


def needed(program):
    """Names of the shared libraries that a program asks for, and of those that they do."""
    found = set(re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-d", program)))
    return found | set(re.findall(r"^\s*(\S+) => ", output("ldd", program), re.M))


def symbols(path):
    """Undefined and defined global symbols of an object, archive or program."""
    undefined, defined = set(), set()
    for line in output("nm", "-g", path).splitlines():
        fields = line.split()
        if len(fields) == 2 and fields[0] in "Uwv":
            undefined.add(fields[1])
        elif len(fields) == 3:
            defined.add(fields[2])
    return undefined, defined


def folder(name, build=None):
    """Objects that were built from one folder of the source."""
    top = os.path.join(build or lab.BUILD, name)
    found = [os.path.join(where, file) for where, _, files in os.walk(top)
             for file in files if file.endswith(".o") and not file.endswith(".bpf.o")]
    return [path for path in found if "CMakeFiles" in path]


def merged(paths):
    undefined, defined = set(), set()
    for path in paths:
        more_undefined, more_defined = symbols(path)
        undefined |= more_undefined
        defined |= more_defined
    return undefined - defined, defined

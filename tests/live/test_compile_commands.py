#!/usr/bin/env python3
"""Compilation databases of real builds: as CMake has them, as bear sees them, and good for the compiler, clang-tidy and clangd."""
import json
import os
import shlex
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402

FILES = {
    "Makefile": r"""CFLAGS = -O1 -Wall -Iinc -DTEXT='"a b\\n"' -DHASH='"\#"' $(MORE)
all: program tool dir/deep.o pre.i one.s
program: main.o part.o asm.o plus.o
	$(CXX) -o $@ $^ -lm
main.o: main.c
	$(CC) $(CFLAGS) -MD -MP -MF deps.d -c -o $@ main.c
part.o: lib/part.c
	cd lib && $(CC) $(CFLAGS) -I../inc -c ./part.c -o ../part.o
plus.o: plus.cc
	$(CXX) -std=c++17 -Iinc -c plus.cc
asm.o: asm.S
	$(CC) -c asm.S
dir/deep.o:
	mkdir -p dir/er && cd dir/er && $(CC) -I../../inc -x c -c -fPIC ../../deep.txt -o ../deep.o
tool: one.c two.c
	$(CC) -Iinc one.c two.c -o tool -lm
pre.i: one.c
	$(CC) -Iinc -E one.c -o pre.i
one.s: one.c
	$(CC) -Iinc -S one.c -o one.s
again: ; touch main.c && $(MAKE) MORE=-DAGAIN main.o
""",
    "CMakeLists.txt": """cmake_minimum_required(VERSION 3.16)
project(test C CXX ASM)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
include(CheckCSourceCompiles)
check_c_source_compiles("int main(void) { return 0; }" WORKS)
include_directories(inc)
add_library(part STATIC lib/part.c)
target_compile_definitions(part PRIVATE "TEXT=\\"a b\\"" NUMBER=3)
add_executable(program main.c plus.cc asm.S)
target_compile_features(program PRIVATE cxx_std_17)
target_compile_definitions(program PRIVATE "TEXT=\\"c d\\"" HASH="")
target_link_libraries(program part m)
add_library(shared SHARED lib/part.c)
target_compile_definitions(shared PRIVATE TEXT="")
""",
    "inc/part.h": "int part(void);\nint plus(void);\n",
    "main.c": '#include "part.h"\nconst char *text = TEXT;\nint main(void) { return part() + plus() - 7; }\n',
    "lib/part.c": '#include "part.h"\nconst char *name = TEXT;\nint part(void) { return 3; }\n',
    "plus.cc": 'extern "C" {\n#include "part.h"\n}\n#include <memory>\nint plus(void) { return *std::make_unique<int>(4); }\n',
    "asm.S": '#include "part.h.S"\n.section .note.GNU-stack,"",%progbits\n',
    "inc/part.h.S": "/* empty */\n",
    "deep.txt": '#include "part.h"\nint deep(void) { return part(); }\n',
    "one.c": "int two(void);\nint main(void) { return two(); }\n",
    "two.c": "int two(void) { return 0; }\n",
}


def project(work, name):
    where = os.path.join(work, name)
    for path, text in FILES.items():
        path = os.path.join(where, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace('#include "part.h.S"', '#include "inc/part.h.S"'))
    return where


def record(work, *command, cwd):
    """A capture of the command, which has to lack nothing."""
    path = os.path.join(work, f"{len(os.listdir(work))}.etz")
    done = lab.record(path, "--", *command, code=None, cwd=cwd, timeout=600)
    lab.demand(done.returncode == 0, f"{command}: {lab.tail(done.stdout)}{lab.tail(done.stderr)}")
    lab.demand(lab.info(path)["lost"] == 0, "events were lost")
    return path


def database(path, *options):
    out = path + ".json"
    lab.exectrace("compile-commands", "-f", "-o", out, *options, path)
    with open(out, encoding="utf-8") as file:
        return json.load(file)


def by_key(entries):
    """Arguments by directory, file and what -o says; "output" of an entry has to be that, where there is one."""
    out = {}
    for entry in entries:
        arguments = entry.get("arguments") or shlex.split(entry["command"])
        place = entry["directory"]
        paths = [os.path.normpath(os.path.join(place, path)) if path else None
                 for path in (entry["file"], *(b for a, b in zip([*arguments, ""], [*arguments[1:], ""]) if a == "-o"))]
        lab.equal([os.path.normpath(os.path.join(place, entry[name])) for name in ("output",) if name in entry],
                  paths[1:] if "output" in entry else [], f"output of {entry}")
        key = (place, *paths)
        lab.demand(key not in out, f"{key} is there twice")
        out[key] = arguments
    return out


def cmake_says_the_same():
    """Out of the source tree, by make and by ninja, gcc and clang: every entry, argument for argument."""
    lab.need_tool("cmake")
    for generator, tool in (("Unix Makefiles", "make"), ("Ninja", "ninja")):
        lab.need_tool(tool)
        for c, cxx in (("gcc", "g++"), ("clang", "clang++")):
            lab.need_tool(cxx)
            with lab.workdir() as work:
                source, build = project(work, "source"), os.path.join(work, "build dir")
                os.mkdir(build)
                path = record(work, "sh", "-c", f'cmake -G "{generator}" -DCMAKE_C_COMPILER={c} -DCMAKE_CXX_COMPILER={cxx} '
                              "../source && cmake --build .", cwd=build)
                with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
                    said = by_key(json.load(file))
                found = by_key(database(path))
                lab.equal(sorted(found), sorted(said), f"files of {generator} with {c}")
                for key, arguments in found.items():
                    lab.equal(undependent(arguments[1:]), undependent(said[key][1:]), f"arguments of {key[1]}")
                    lab.equal(os.path.realpath(shutil.which(arguments[0])), os.path.realpath(shutil.which(said[key][0])),
                              f"compiler of {key[1]}")
                lab.demand(len(said) == 5, f"entries of CMake: {len(said)}")
                probes = by_key(database(path, "--probes"))
                lab.demand(len(probes) > len(found) + 3, "nothing was tried by CMake, or --probes does not show it")


def undependent(arguments):
    """Without what writes dependencies, which CMake's database leaves out where it is for make."""
    out, words = [], iter(arguments)
    for word in words:
        if word in ("-MT", "-MF"):
            next(words)
        elif word not in ("-MD", "-MP"):
            out.append(word)
    return out


def significant(arguments):
    """Arguments without what bear leaves out or moves: -c, -o, what is for the linker, and what tells of dependencies."""
    out, words = [], iter(undependent(arguments[1:]))
    for word in words:
        if word == "-o":
            next(words)
        elif word != "-c" and not word.startswith("-l"):
            out.append(word)
    return sorted(out)


def bear_sees_the_same():
    """A build by make, with directories changed, several files in one command, and languages by -x."""
    bear = lab.need_tool("bear")
    for c, cxx in (("gcc", "g++"), ("clang", "clang++")):
        with lab.workdir() as work:
            source = project(work, "source")
            path = record(work, bear, "--output", os.path.join(work, "bear.json"), "--", "make", f"CC={c}", f"CXX={cxx}", cwd=source)
            with open(os.path.join(work, "bear.json"), encoding="utf-8") as file:
                said = json.load(file)
            # What clang executes for itself is no entry here, and is one there.
            inner = [entry for entry in said if {"-cc1", "-cc1as"} & set(entry["arguments"])]
            lab.equal(len(inner) > 0, c == "clang", f"entries of bear with -cc1: {len(inner)}")
            said = by_key([entry for entry in said if entry not in inner])
            found = by_key(database(path))
            # bear goes by names of files alone, and has no entry of one that only -x tells.
            deep = [key for key in found if key[1].endswith("deep.txt")]
            lab.equal(len(deep), 1, "files that -x tells")
            arguments = found.pop(deep[0])
            lab.equal(arguments[1:], ["-I../../inc", "-x", "c", "-c", "-fPIC", "../../deep.txt", "-o", "../deep.o"], "arguments")
            lab.equal(sorted(found, key=str), sorted(said, key=str), f"entries with {c}")
            for key, arguments in found.items():
                lab.equal(significant(arguments), significant(said[key]), f"arguments of {key}")
            lab.demand(len(said) == 7, f"entries of bear: {len(said)}")


def compilers_take_each_entry():
    with lab.workdir() as work:
        source = project(work, "source")
        path = record(work, "sh", "-c", "make && make again", cwd=source)
        entries = database(path)
        lab.demand(len(entries) == 8, f"entries: {[entry['file'] for entry in entries]}")
        again = [entry for entry in entries if entry["file"] == os.path.join(source, "main.c")]
        lab.equal(["-DAGAIN" in entry["arguments"] for entry in again], [True], "main.c, which was compiled twice")
        for entry in entries:
            lab.run([*entry["arguments"], "-fsyntax-only"], cwd=entry["directory"])
        wrong = dict(entries[0], arguments=[*entries[0]["arguments"], "-no-such-option"])
        lab.run([*wrong["arguments"], "-fsyntax-only"], cwd=wrong["directory"], code=1)


def clang_tools_take_it():
    tidy, clangd = lab.need_tool("clang-tidy"), lab.need_tool("clangd")
    with lab.workdir() as work:
        source = project(work, "source")
        path = record(work, "make", "CC=clang", "CXX=clang++", cwd=source)
        os.rename(path, os.path.join(source, "x.etz"))
        lab.exectrace("compile-commands", "-o", "compile_commands.json", "x.etz", cwd=source)
        for name in ("main.c", "lib/part.c", "plus.cc", "one.c", "two.c"):
            done = lab.run([tidy, "-p", source, "--checks=-*,clang-diagnostic-*,bugprone-*", "--warnings-as-errors=clang-diagnostic-error",
                            os.path.join(source, name)], cwd="/")
            lab.demand(b"error:" not in done.stdout + done.stderr and b"Skipping" not in done.stderr, f"{name}: {done.stdout + done.stderr}")
        done = lab.run([clangd, f"--check={source}/lib/part.c", f"--compile-commands-dir={source}"], cwd="/")
        lab.demand(b"Compile command from CDB is" in done.stderr and b"All checks completed, 0 errors" in done.stderr, lab.tail(done.stderr))


def wrappers_are_seen_through():
    lab.need_tool("ccache")
    with lab.workdir() as work:
        source = project(work, "source")
        env = ["env", f"CCACHE_DIR={work}/ccache"]
        for turn in ("compiled", "from the cache"):
            path = record(work, *env, "make", "-B", "program", "CC=ccache gcc", "CXX=ccache g++", cwd=source)
            entries = {entry["file"]: entry["arguments"] for entry in database(path) if entry["file"].startswith(source)}
            lab.equal(sorted(os.path.relpath(file, source) for file in entries), ["asm.S", "lib/part.c", "main.c", "plus.cc"], f"files {turn}")
            for file, arguments in entries.items():
                lab.demand(os.path.basename(arguments[0]) in ("gcc", "g++"), f"{file} {turn}: {arguments}")


if __name__ == "__main__":
    # What whoever runs this has asked of builds is not asked of these.
    for name in [name for name in os.environ if name.startswith(("CMAKE_", "CCACHE_")) or name in ("CFLAGS", "CXXFLAGS", "CLICOLOR_FORCE")]:
        del os.environ[name]
    lab.need_bpf()
    lab.need_tool("make")
    lab.main(cmake_says_the_same, bear_sees_the_same, compilers_take_each_entry, clang_tools_take_it, wrappers_are_seen_through)

"""What is read: a large capture of builds, and what other tracers recorded of the like."""
import datetime
import json
import os
import shutil
import subprocess

import sources
import tracers

FIRST = 1000
# trace-cmd fails where somebody else loads a BPF program while it copies /proc/kallsyms.
ATTEMPTS = 3
CONFIGURE = """set -e
for check in $(seq 1000 {last}); do
	echo "int check$check(void) {{ return $check; }}" > conf$check.c
	if cc -c -o conf$check.o conf$check.c && nm conf$check.o | grep -q "check$check"; then
		expr "x$check" : 'x0*\\(.*\\)' | sed 's/^/have_/' >> config.status
	fi
	env missing-tool-$check --version 2>/dev/null || rm -f conf$check.o conf$check.c
done
"""
MAKEFILE = """PARTS := $(shell seq 1000 {last})
program: $(PARTS:%=part%.o)
	ar cr libparts.a $^
	cc -o $@ -Wl,--whole-archive libparts.a -Wl,--no-whole-archive
%.o: %.c
	cc -O2 -Wall -Iinclude -DPART=$* -c -o $@ $<
	@test -s $@ && echo $@ | sed s/x/y/ >/dev/null
"""


def out(argv, **kwargs):
    return subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, **kwargs).stdout


class Project:
    """Generated C files, with a configure and a Makefile, or a Debian source package; built in a fresh copy."""

    def __init__(self, args, work):
        self.fresh = os.path.join(work, "project")
        self.env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C",
                    "FORCE_UNSAFE_CONFIGURE": "1"}
        if args.package:
            self.tree = sources.unpack(args.package, work)
            return
        self.tree = os.path.join(work, "tree")
        os.mkdir(self.tree)
        # All numbers have four digits, which is what bench_amplify makes others of.
        for name, text in (("configure", CONFIGURE.format(last=FIRST + args.jobs // 4)),
                           ("Makefile", MAKEFILE.format(last=FIRST + args.jobs))):
            with open(os.path.join(self.tree, name), "w", encoding="ascii") as file:
                file.write(text)
        for number in range(FIRST, FIRST + args.jobs + 1):
            with open(os.path.join(self.tree, f"part{number}.c"), "w", encoding="ascii") as file:
                file.write(f"#include <stdio.h>\nint f{number}(int x) {{ return printf(\"%d\\n\", x + {number}); }}\n"
                           + "int main(void) { return 0; }\n" * (number == FIRST))

    def command(self):
        """To build it; where it is run."""
        shutil.rmtree(self.fresh, ignore_errors=True)
        shutil.copytree(self.tree, self.fresh, symlinks=True)
        return ["sh", "-c", "sh ./configure >/dev/null && make -s -j2 >/dev/null"]

    def build(self):
        subprocess.run(self.command(), check=True, cwd=self.fresh, env=self.env, stdin=subprocess.DEVNULL)


class Captures:
    """whole has as many events as was asked for, part a tenth: what prints each event takes as long for each."""

    def __init__(self, args, work, project):
        self.program = os.path.join(args.build, "bin", "exectrace")
        self.amplify = os.path.join(args.build, "tests", "bin", "bench_amplify")
        self.where = args.keep or work
        os.makedirs(self.where, exist_ok=True)
        self.source = os.path.join(self.where, "source.etz")
        if not os.path.exists(self.source):
            tracers.say("recording a build")
            command = [self.program, "record", "-q", "-o", self.source, "--", *project.command()]
            subprocess.run(command, check=True, cwd=project.fresh, env=project.env, stdin=subprocess.DEVNULL)
        self.whole, self.events = self.made(args.events), args.events
        self.part, self.part_events = self.made(max(args.events // 10, 1)), max(args.events // 10, 1)
        self.bytes = os.path.getsize(self.whole) / self.events
        self.json_lines = self.lines(work)

    def made(self, events):
        path = os.path.join(self.where, f"build-{events}.etz")
        if not os.path.exists(path):
            tracers.say(f"making a capture of {events:,} events")
            tracers.say("  " + out([self.amplify, self.source, str(events), path + ".part"]).decode().strip())
            os.rename(path + ".part", path)
        return path

    def times(self):
        """Of the first and the last event, seconds since 1970."""
        info = json.loads(out([self.program, "info", "--json", self.whole]))
        return [datetime.datetime.fromisoformat(info[name][:19] + "+00:00").timestamp() for name in ("start", "end")]

    def lines(self, work, most=1_000_000):
        """A file of the first events as lines of JSON, compressed, and how many they are."""
        path = os.path.join(work, "lines.json.zst")
        with subprocess.Popen([self.program, "replay", "-q", "--json", "--limit", str(most), self.part],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as replay:
            subprocess.run(["zstd", "-q", "-f", "-o", path], check=True, stdin=replay.stdout)
        return path, int(out(["sh", "-c", 'zstd -dcq "$1" | wc -l', "sh", path]))


class Peer:
    """What reads a recording of another tracer, and how many events are in that."""

    def __init__(self, name, argv, events):
        self.name, self.argv, self.events = name, argv, events


def repeated(path, least):
    """The path of a file with the lines of that one, again and again."""
    with open(path, "rb") as file:
        text = file.read()
    lines = text.count(b"\n")
    with open(path + ".long", "wb") as file:
        for _ in range(-(-least // lines)):
            file.write(text)
    return path + ".long"


def recorded(args, tracer, file, project):
    """Whether it has recorded the build and a storm of executions."""
    spawner, tiny = (os.path.join(args.build, "tests", "bin", name) for name in ("bench_spawner", "bench_tiny"))
    tracers.say(f"{tracer.name} records")
    for _ in range(ATTEMPTS):
        try:
            with tracers.tracing(tracer, file, args.settle):
                project.build()
                out([spawner, "spawn", str(args.spawns), "2", tiny], env={})
            return True
        except tracers.Unusable as reason:
            why = reason
    tracers.say(f"{tracer.name} is left out: {why}")
    return False


def peers(args, work, project):
    """Who reads what other tracers recorded."""
    if args.scap:
        argv = ["sysdig", "-r", args.scap]
        yield Peer("sysdig -r", argv, sum(1 for _ in tracers.read_lines(argv)))
    for kind in (tracers.TraceCmd, tracers.Perf, tracers.Execsnoop):
        tracer, file = kind(args), os.path.join(work, f"recording-{kind.name}")
        if not shutil.which(kind.tool):
            tracers.say(f"{kind.name} is left out: {kind.tool} is not installed")
        elif recorded(args, tracer, file, project):
            if tracer.to_stdout:
                file = repeated(file, args.events // 50)
            argv, events = tracer.reader(file)
            yield Peer("grep" if tracer.to_stdout else " ".join(argv[:2]), argv, events)

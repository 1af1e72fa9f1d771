"""What is traced: executions in a loop, failing ones, a build.

Each says what truly happened, as a count of events by kind and process:
{"exec": {PID: COUNT}, ...}. The loops know it because they did it; of a build it is
told by the kernel's own tracing, which follows that build in an instance of its own.
"""
import collections
import os
import re
import shutil
import subprocess
import time

import sources

TRACEFS = "/sys/kernel/tracing"
LAST = b"source/file.c"	# the last argument of what the loops execute


class Workload:
    """
    work() does it once; returns the seconds it took, and what happened. kinds: what it is made
    of, beside forks and exits. arguments: whether the last one is LAST.
    """

    def __init__(self, name, text, kinds, arguments, work):
        self.name, self.text, self.kinds, self.arguments, self.work = name, text, kinds, arguments, work


def workloads(args, work):
    helpers = os.path.join(args.build, "tests", "bin")
    spawner, tiny = os.path.join(helpers, "bench_spawner"), os.path.join(helpers, "bench_tiny")
    if args.spawns:
        yield Workload("A", f"{args.spawns:,} × vfork, execve and wait on 2 CPUs", ("exec", "exit"), True,
                       lambda: loop([spawner, "spawn", str(args.spawns), "2", tiny]))
    for procs in (1, 2) if args.fails else ():
        argv = [spawner, "fail", str(args.fails), str(procs)]
        yield Workload(f"B{procs}", f"{args.fails:,} failing execve calls of 6 arguments, {procs} at a time",
                       ("fail",), True, lambda argv=argv: loop(argv))
    if args.package:
        text, make = f"./configure && make -j2 of {args.package}", package(args.package, work)
    elif args.jobs:
        text, make = f"make -j2 of {args.jobs} small C files", generated(args.jobs, work)
    else:
        return
    yield Workload("C", text, ("exec", "fail", "exit"), False, make)


def loop(argv):
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env={})
    seconds, *lines = done.stdout.decode().split("\n")
    callers = dict(map(int, line.split()[1:]) for line in lines if line.startswith("caller "))
    children = collections.Counter(int(line.split()[1]) for line in lines if line.startswith("child "))
    happened = {"exec": children} if children else {"fail": collections.Counter(callers)}
    everybody = children + collections.Counter(callers.keys())
    return float(seconds), {**happened, "fork": everybody, "exit": everybody}


class Followed:
    """What this process starts, and all that descends from it, in an instance of ftrace."""
    EVENTS = (
        ("exec", "sched/sched_process_exec", None, r"sched_process_exec: .* pid=(\d+) "),
        ("fail", "syscalls/sys_exit_execve", "ret < 0", r"-\d+ +\( *(\d+)\) .* sys_execve -> "),
        ("fail", "syscalls/sys_exit_execveat", "ret < 0", r"-\d+ +\( *(\d+)\) .* sys_execveat -> "),
        # Without CLONE_THREAD.
        ("fork", "task/task_newtask", "!(clone_flags & 65536)", r"task_newtask: pid=(\d+) "),
        # Since Linux 6.16 the tracepoint says which thread was the last; any may be.
        ("exit", "sched/sched_process_exit", "group_dead == 1", r"-\d+ +\( *(\d+)\) .* sched_process_exit: "),
    )

    def __init__(self):
        self.where = os.path.join(TRACEFS, "instances", f"exectrace-bench-{os.getpid()}")
        self.patterns = []

    def __enter__(self):
        os.mkdir(self.where)
        try:
            self.write("buffer_size_kb", "16384")
            self.write("options/event-fork", "1")
            self.write("options/record-tgid", "1")	# a line then has the process beside the thread
            self.write("set_event_pid", str(os.getpid()))
            for kind, event, condition, pattern in self.EVENTS:
                try:
                    if condition:
                        self.write(f"events/{event}/filter", condition)
                except OSError:
                    if kind != "exit":
                        raise
                    continue
                self.write(f"events/{event}/enable", "1")
                self.patterns.append((kind, re.compile(pattern)))
        except OSError:
            os.rmdir(self.where)
            raise
        return self

    def __exit__(self, *_):
        os.rmdir(self.where)

    def write(self, name, text):
        with open(os.path.join(self.where, name), "w", encoding="ascii") as file:
            file.write(text)

    def happened(self):
        counted = {kind: collections.Counter() for kind, _ in self.patterns}
        with open(os.path.join(self.where, "trace"), encoding="utf-8", errors="replace") as file:
            for line in file:
                for kind, pattern in self.patterns:
                    match = pattern.search(line)
                    if match:
                        counted[kind][int(match[1])] += 1
                        break
        cpus = os.path.join(self.where, "per_cpu")
        for cpu in os.listdir(cpus):
            with open(os.path.join(cpus, cpu, "stats"), encoding="ascii") as file:
                stats = dict(re.findall(r"^(.+?): (\d+)", file.read(), re.M))
            if stats["overrun"] != "0" or stats["dropped events"] != "0":
                raise SystemExit("bench: what happened is not known: ftrace's own buffer was too small")
        return counted


def timed(script, where):
    with Followed() as followed:
        start = time.monotonic()
        done = subprocess.run(["sh", "-ec", script], check=False, cwd=where, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds = time.monotonic() - start
        if done.returncode:
            raise SystemExit(f"bench: {script} in {where} failed, with {done.returncode}")
        return seconds, followed.happened()


def package(name, work):
    """./configure && make of a Debian source package, in a fresh copy each time."""
    tree = sources.unpack(name, work)
    fresh = os.path.join(work, "fresh")

    def make():
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(tree, fresh, symlinks=True)
        return timed("export FORCE_UNSAFE_CONFIGURE=1; ./configure && make -j2", fresh)
    return make


def generated(jobs, work):
    """make -j2 of small C files, each compiled by the whole chain of cc, cc1 and as."""
    where = os.path.join(work, "generated")
    os.mkdir(where)
    for i in range(jobs):
        with open(os.path.join(where, f"file{i}.c"), "w", encoding="ascii") as file:
            file.write(f"#include <stdio.h>\nint f{i}(int x) {{ return printf(\"%d\\n\", x + {i}); }}\n")
    with open(os.path.join(where, "Makefile"), "w", encoding="ascii") as file:
        names = " ".join(f"file{i}.o" for i in range(jobs))
        file.write(f"all: {names}\n%.o: %.c\n\tgcc -O2 -c -o $@ $<\n\t@test -f $@ && echo $@ | sed s/x/y/ >/dev/null\n")

    def make():
        for name in os.listdir(where):
            if name.endswith(".o"):
                os.unlink(os.path.join(where, name))
        return timed("make -j2", where)
    return make

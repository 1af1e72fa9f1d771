"""What the soak has happen: programs of many kinds, each of which says what it did.

A load is started in a cgroup, by which its events are told from those of the rest of the
machine. The fork of its first process takes place outside; what it counts are the
executions, forks and ends inside.
"""
import collections
import contextlib
import os
import random
import subprocess
import textwrap

import lab

KINDS = ("exec", "fail", "fork", "exit")


@contextlib.contextmanager
def cgroup():
    """A new cgroup: its directory, and its path as captures have it."""
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        mount = next((line.split()[1] for line in mounts if line.split()[2] == "cgroup2"), None)
    if not mount:
        raise SystemExit("needs a cgroup2 file system, mounted")
    path = f"/exectrace-load-{os.getpid()}"
    os.mkdir(mount + path)
    try:
        yield mount + path, path
    finally:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            with open(mount + path + "/cgroup.kill", "w", encoding="ascii") as file:
                file.write("1")
        lab.wait_until(lambda: not lab.contents(mount + path + "/cgroup.procs"), "the loads' end")
        os.rmdir(mount + path)


def counted(exec=0, fail=0, fork=0, exit=0):
    return collections.Counter(dict(zip(KINDS, (exec, fail, fork, exit))))


class Load:
    """One program that runs; done() says what it did, when it has ended."""

    def __init__(self, cgroup, argv, did, text=None, said=None):
        def enter():
            with open(os.path.join(cgroup, "cgroup.procs"), "w", encoding="ascii") as file:
                file.write("0")
        self.argv, self.did, self.said = argv, did, said
        self.process = subprocess.Popen(argv, env={}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, preexec_fn=enter)
        self.process.stdin.write((text or "").encode())
        self.process.stdin.close()

    def done(self):
        out, err = self.process.stdout.read(), self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        if self.process.wait() != 0:
            raise SystemExit(f"soak: {' '.join(self.argv)} ended with {self.process.returncode}: {lab.tail(err)}")
        return self.did + (self.said(out.decode()) if self.said else collections.Counter())


class Loads:
    """Makes them up; the same seed the same ones."""

    def __init__(self, work, cgroup, seed):
        self.work, self.cgroup = work, cgroup
        self.random = random.Random(seed)
        self.kinds = (self.storm, self.processes, self.bursts, self.spawns, self.scripts, self.make, self.tree)
        self.tree_script = self.script("tree", """\
            #!/bin/sh
            [ $1 -eq 0 ] || "$0" $(($1 - 1))
            exit 0
            """)
        self.loop_script = self.script("loop", """\
            #!/bin/sh
            i=0
            while [ $i -lt $1 ]
            do
                /bin/true "$i" 'two words' ''
                /nonexistent/program "$i" 2>&-
                i=$((i + 1))
            done
            exit 0
            """)
        self.makefile = os.path.join(work, "Makefile")
        with open(self.makefile, "w", encoding="ascii") as file:
            file.write("N := $(shell /usr/bin/seq $(COUNT))\n.PHONY: all $(N)\nall: $(N)\n$(N):\n\t@/bin/true $@\n"
                       "\t@/bin/sh -c '/bin/true; exit 0'\n")

    def script(self, name, text):
        path = os.path.join(self.work, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(textwrap.dedent(text))
        os.chmod(path, 0o755)
        return path

    def next(self):
        return self.random.choice(self.kinds)()

    def start(self, argv, did, **kwargs):
        return Load(self.cgroup, [str(word) for word in argv], did + counted(exec=1, exit=1), **kwargs)

    def storm(self):
        """Failing execs, processes and threads, several at a time."""
        procs, fails, spawns, threads = (self.random.randint(1, most) for most in (6, 3000, 100, 100))
        did = counted(exec=spawns, fail=fails, fork=spawns + 1, exit=spawns + 1)
        return self.start([lab.helper("storm"), procs, fails, spawns, threads],
                          collections.Counter({kind: procs * count for kind, count in did.items()}))

    def processes(self):
        """Processes that live shortly."""
        creators = self.random.randint(1, 4)
        count = creators * self.random.randint(1, 200)

        def said(out):
            made = len({line.split()[3] for line in out.splitlines()})
            return counted(exec=made, fork=made + creators, exit=made + creators)
        return self.start([lab.helper("processes"), count, creators], counted(), said=said)

    def bursts(self):
        """Failing execs alone, as many as come out of one process."""
        sizes = [self.random.randint(1, 5000) for _ in range(self.random.randint(1, 6))]

        def said(out):
            lab.equal(out.split(), ["done"] * len(sizes), "bursts made")
            return counted(fail=sum(sizes))
        return self.start([lab.helper("bursts")], counted(), text="".join(f"{size}\n" for size in sizes), said=said)

    def spawns(self):
        """The benchmark's workload A."""
        count, procs = self.random.randint(1, 400), self.random.randint(1, 3)

        def said(out):
            callers, children = out.count("caller "), out.count("child ")
            return counted(exec=children, fork=callers + children, exit=callers + children)
        return self.start([lab.helper("bench_spawner"), "spawn", count, procs, lab.helper("bench_tiny")], counted(),
                          said=said)

    def scripts(self):
        """A script that executes things, and one in three that is not there."""
        rounds = self.random.randint(1, 60)
        return self.start([self.loop_script, rounds],
                          counted(exec=rounds, fail=rounds, fork=2 * rounds, exit=2 * rounds))

    def make(self):
        """Of COUNT rules, each a program and a shell that starts one; $(shell) is one more."""
        count = self.random.randint(1, 40)
        made = 3 * count + 1
        return self.start(["/usr/bin/make", "-s", "-f", self.makefile, f"-j{self.random.randint(1, 4)}",
                           f"COUNT={count}"], counted(exec=made, fork=made, exit=made))

    def tree(self):
        """A script that calls itself."""
        depth = self.random.randint(1, 80)
        return self.start([self.tree_script, depth], counted(exec=depth, fork=depth, exit=depth))

#!/usr/bin/env python3
"""Copies of a recorded build, by bench_amplify, are the build: as often as they should, and none in another's way."""
import collections
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import lab  # noqa: E402

SECOND = 10**9
ROOT = "/tmp/x/made"
JOBS = 5
LANES = 4
MAKER = "uid=0 gid=0 cgroup=7"
NAMES = {"builder": 1000, "ann": 1001, "ben": 1002, "root": 0, "rare": 1003}


class Build:
    """What write_capture takes: sh runs cc for some files, and each cc an as; one child outlives its parent."""

    def __init__(self):
        self.now = 5 * SECOND
        self.started, self.called = {}, {}
        self.lines = ["segment boot=" + "ab" * 16 + f" ts={self.now} realtime={1_790_000_000 * SECOND}",
                      "host hostname made", "user 0 root", "group 0 root", "user 33 www", "cgroup 7 /old"]
        for pid, ppid, uid in ((1, 0, 0), (400, 1, 33), (500, 400, 0)):
            self.lines.append(f"proc ts={self.tick()} pid={pid} ppid={ppid} start={pid * 10**6} uid={uid} gid=0"
                              f" cgroup=7 comm=old argv=old,")
        self.started[500] = 500 * 10**6 + 1234
        self.call("exec", 500, 400, "sh", "/bin/sh", "sh,-c,make,")
        for job in range(JOBS):
            cc, assembler = 1001 + 10 * job, 1002 + 10 * job
            file, made = f"part{3141 + job}", f"/tmp/ccA{job}b{job}C9.s"
            self.fork(cc, 500)
            self.call("fail", cc, 500, "sh", "/usr/local/bin/cc", "cc,", more="errno=2")
            self.call("exec", cc, 500, "cc", "/usr/bin/cc", f"cc,-c,{file}.c,-o,{ROOT}/{file}.o,")
            self.fork(assembler, cc)
            # By a thread of its own, now and then.
            self.call("exec", assembler, cc, "as", "/usr/bin/as", f"as,-o,{ROOT}/{file}.o,{made},",
                      tid=assembler + 5 if job % 2 else assembler)
            for pid in (assembler, cc):
                self.exit(pid, cc if pid == assembler else 500)
        self.fork(2000, 500)
        self.exit(500, 400)
        self.call("exec", 2000, 1, "sleep", "/bin/sleep", "sleep,1,")
        self.exit(2000, 1)
        self.lines.append(f"end ts={self.tick()} done")

    def tick(self):
        self.now += 50_000 + self.now % 977
        return self.now

    def fork(self, pid, parent):
        ts = self.tick()
        self.started[pid] = ts - 1700
        self.row("fork", pid, parent, "sh", ts)

    def call(self, kind, pid, parent, comm, filename, argv, tid=None, more=""):
        ts = self.tick()
        if kind == "exec":
            self.called[pid] = ts
            more = f"exe={filename} cwd={ROOT} exec_ts={ts} ns_pid={pid} euid=0 egid=0"
        self.row(kind, pid, parent, comm, ts, f"tid={tid or pid} filename={filename} argv={argv} {more}")

    def exit(self, pid, parent):
        self.row("exit", pid, parent, "x", self.tick(),
                 f"exit_code=0 exec_ts={self.called[pid]} utime=1000000 stime=500000 max_rss={4096 * 300} minor_faults=999")

    def row(self, kind, pid, parent, comm, ts, more=""):
        self.lines.append(f"{kind} ts={ts} pid={pid} ppid={parent} start={self.started[pid]} {MAKER} comm={comm} {more}")

    def capture(self, work, lines=None):
        text = "\n".join(lines or self.lines) + "\n"
        return lab.written(work, "source.etz", lab.run([lab.helper("write_capture")], input=text.encode()).stdout)


def amplified(work, source, events, *options):
    path = os.path.join(work, "large.etz")
    done = lab.run([lab.helper("bench_amplify"), source, str(events), path, *options])
    lab.demand(done.stdout.startswith(b"%d events: " % events), f"what it says: {done.stdout}")
    return path


def counted(events, *names):
    return collections.Counter(tuple(str(event.get(name)) for name in names) for event in events)


def times(counts, n):
    return collections.Counter({key: count * n for key, count in counts.items()})


def copies_are_the_build():
    with lab.workdir() as work:
        build = Build()
        source = build.capture(work)
        events = [event for event in lab.replay(source) if event["kind"] != "proc"]
        copies = LANES * 30
        path = amplified(work, source, copies * len(events))
        lab.exectrace("verify", path)
        info = lab.info(path)
        lab.equal((info["complete"], info["lost"]), (True, 0), "state of the copies")
        made = lab.replay(path)
        procs = [event for event in made if event["kind"] == "proc"]
        # That which became the command's process is in the copies.
        lab.equal([(event["pid"], event.get("user")) for event in procs], [(1, "root"), (400, "www")], "rows of proc")
        made = [event for event in made if event["kind"] != "proc"]
        alike = ("kind", "comm", "errno", "exit_code", "exe")
        lab.equal(counted(made, *alike), times(counted(events, *alike), copies), "events by what does not change")
        processes_live_apart(made)
        users_and_places(made, copies)
        pids = {event["pid"] for event in made}
        lab.equal(len(pids), sum(event["kind"] == "exit" for event in made), "pids given, of which none came again")
        lab.demand(not pids & {1, 400} and min(pids) >= 300 and max(pids) < 1 << 22, "pids in range, and nobody's")
        for event in made:
            if "max_rss" in event:
                lab.demand(4096 * 200 < event["max_rss"] <= 4096 * 300 and event["max_rss"] % 4096 == 0,
                           f"peak memory {event['max_rss']}")


def processes_live_apart(made):
    """Each is forked, if at all, before it does anything, does nothing after its exit, and nobody has its pid meanwhile."""
    alive, last = {}, {}
    for event in made:
        pid, start = event["pid"], event["start"]
        if event["kind"] == "fork":
            lab.demand(pid not in alive, f"process {pid} is forked while it lives")
            lab.demand(start < event["ts"], f"process {pid} began after it was forked")
            lab.demand(event["ppid"] in alive, f"parent {event['ppid']} of {pid} does not live")
            alive[pid] = start
        elif pid not in alive:
            lab.demand(event["kind"] == "exec" and event["ppid"] == 400, f"process {pid} was not forked: {event}")
            alive[pid] = start
        lab.equal(start, alive[pid], f"when process {pid} began")
        if event["kind"] == "exec":
            last[pid] = event["ts"]
            lab.equal(event["ns_pid"], pid, "ns_pid")
            lab.demand(event["tid"] == pid or event["tid"] not in alive, f"thread {event['tid']} has the pid of a process")
        if event["kind"] == "exit":
            del alive[pid]
            lab.equal(event["duration"], event["ts"] - last[pid], "duration of an exit")
    lab.equal(alive, {}, "who lives at the end")


def users_and_places(made, copies):
    owners = collections.Counter()
    roots = collections.defaultdict(set)
    names = set()
    owner = {}
    for event in made:
        if event["kind"] != "exec":
            continue
        if event["ppid"] == 400:
            owners[event["user"]] += 1
            owner[event["pid"]] = event["user"]
        lab.equal((event["uid"], event["gid"], event["euid"]), (NAMES[event["user"]],) * 3, "ids of an exec")
        lab.demand(re.fullmatch(rf"/user.slice/user-{event['uid']}.slice/session-[1-4].scope", event["cgroup"]),
                   f"cgroup {event['cgroup']} of {event['user']}")
        lab.demand(event["cwd"].startswith(f"/{'home/' if event['uid'] else ''}{event['user']}/src/"), f"cwd {event['cwd']}")
        roots[event["user"]].add(event["cwd"])
        if event["comm"] == "as":
            _, _, out, temporary = event["argv"]
            match = re.fullmatch(re.escape(event["cwd"]) + r"/part(\d{4})\.o", out)
            lab.demand(match and re.fullmatch(r"/tmp/cc[A-Za-z0-9]{6}\.s", temporary), f"argv {event['argv']}")
            names.add((match[1], temporary))
        if event["comm"] == "cc":
            _, _, file, _, out = event["argv"]
            lab.equal(out, f"{event['cwd']}/{file[:-2]}.o", "object of a source file")
    lab.equal(sum(owners.values()), copies, "builds")
    lab.demand(owners["builder"] > owners["ann"] > owners["rare"] and owners["builder"] > copies // 3, f"owners {owners}")
    lab.demand(all(len(found) > 1 for found in roots.values() if len(found) > 3), f"directories {roots}")
    lab.demand(len(names) > copies * JOBS * .9, f"{len(names)} different names in {copies} copies")


def same_each_time():
    def rows(*options):
        return lab.exectrace("replay", "--json", amplified(work, source, events, *options)).stdout
    # Five full chunks, of which four can wait for one thread, and one that ends in the middle of a copy.
    events = 5 * 16384 + 1000
    with lab.workdir() as work:
        source = Build().capture(work)
        first = rows("-j", "1")
        lab.equal(sum(json.loads(line)["kind"] != "proc" for line in first.splitlines()), events, "events")
        lab.demand(rows("-j", "3") == first, "three threads make other events than one")
        lab.demand(rows("--seed", "1") == first, "the same seed makes other events")
        lab.demand(rows("--seed", "2") != first, "another seed makes the same events")


def what_cannot_be_copied():
    with lab.workdir() as work:
        lines = Build().lines
        for what, kept, said in (
                ("a process without an exit", [line for line in lines if not line.startswith("exit") or "pid=2000" not in line],
                 b"process 2000 of the capture does not end"),
                ("no END", lines[:-1], b"not one recording with an end"),
                ("a loss", [*lines[:-1], "lost 1 7", lines[-1]], b"not complete"),
                ("two segments", lines * 2, b"not one recording")):
            source = Build().capture(work, kept)
            done = lab.run([lab.helper("bench_amplify"), source, "1000", os.path.join(work, "none.etz")], code=1)
            lab.demand(said in done.stderr, f"{what}: {done.stderr}")
        for words in ((), ("a", "b"), (source, "0", "x"), (source, "1", "x", "-j", "0"), (source, "1", "x", "--seed", "-1")):
            lab.run([lab.helper("bench_amplify"), *words], code=2)


if __name__ == "__main__":
    lab.main(copies_are_the_build, same_each_time, what_cannot_be_copied)

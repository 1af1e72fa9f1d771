#!/usr/bin/env python3
"""export: traces and stacks, held to machines of which is known what ran when, and to replay --json."""
import json
import os
import sqlite3
import sys
from decimal import Decimal

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
import world  # noqa: E402
from machine import Machine, SECOND  # noqa: E402

PIDS = 1 << 22
LOST = 501 * PIDS


def export(*args, **kwargs):
    return lab.exectrace("export", *args, **kwargs).stdout


def traced(*args):
    """The events of a trace, times in whole ns, and where it begins."""
    trace = json.loads(export("--format", "perfetto", *args), parse_float=Decimal)
    lab.equal(trace["displayTimeUnit"], "ns", "displayTimeUnit")
    for event in trace["traceEvents"]:
        for name in ("ts", "dur"):
            if name in event:
                ns = event[name] * 1000
                lab.demand(ns == int(ns), f"{name} of {event}")
                event[name] = int(ns)
    return trace["traceEvents"], trace.get("otherData", {}).get("start")


class Trace:
    """slices: (track, begin, end, name, event that began it, arguments of its end)."""

    def __init__(self, events):
        self.slices, self.instants, self.lost, self.names = [], [], [], {}
        flows, stacks = {}, {}
        # As viewers do: by time, and in the order of the file where that is the same.
        for event in sorted(events, key=lambda e: e.get("ts", -1)):
            track = event["pid"], event["tid"]
            if event["ph"] == "M":
                self.names.setdefault((event["name"], track), []).append(event["args"]["name"])
                continue
            stack = stacks.setdefault(track, [])
            if event["ph"] == "B":
                lab.equal(stack, [], f"what is open on {track} at {event}")
                stack.append(event)
            elif event["ph"] == "E":
                lab.equal(len(stack), 1, f"what is open on {track} at {event}")
                begin = stack.pop()
                self.slices.append((track, begin["ts"], event["ts"], begin["name"], begin, event.get("args", {})))
            elif event["ph"] == "i":
                lab.equal(event["s"], "t", "scope of an instant")
                self.instants.append(event)
            elif event["ph"] == "X":
                self.lost.append(event)
            else:
                flows.setdefault(event["id"], []).append(event)
        lab.equal([stack for stack in stacks.values() if stack], [], "what is never closed")
        self.flows = list(flows.values())

    def at(self, track, ts):
        return [s for s in self.slices if s[0] == track and s[1] <= ts <= s[2]]


def expected(machine, wanted=lambda s: True, zero=None):
    zero = machine.begun if zero is None else zero
    return sorted((s["pid"], s["begin"] - zero, s["end"] - zero, s["comm"], s["kind"], s["how"]) for s in machine.slices if wanted(s))


def found(trace):
    out = []
    for track, begin, end, name, event, args in trace.slices:
        lab.equal(track[0], track[1], "pid and tid of a track")
        how = "exit" if "exit" in args else args["end"]
        out.append((track[0] % PIDS, begin, end, name, event["cat"], how))
    return sorted(out)


def slices_are_what_ran():
    for seed in range(6):
        with lab.workdir() as work:
            machine = Machine(seed, 600)
            path = world.write(os.path.join(work, "m.etz"), machine.text())
            events, start = traced(path)
            trace = Trace(events)
            lab.equal(found(trace), expected(machine), f"slices of {seed}")
            lab.equal(sorted((e["pid"] % PIDS, e["ts"] + machine.begun, e["name"]) for e in trace.instants),
                      sorted((pid, ts, "ENOENT") for pid, ts in machine.fails), "failed execs")
            lab.equal([(e["ts"] + machine.begun, e["ts"] + e["dur"] + machine.begun, e["name"], e["tid"]) for e in trace.lost],
                      [(ts, until, "ring_full", LOST + 1) for ts, until, _ in machine.lost], "lost")
            replayed = lab.replay(path)
            lab.equal(start, replayed[0]["time"], "start")
            arguments_are_the_events(trace, replayed)
            tracks_are_processes(trace)
            flows_lead_to_children(trace, machine)


def arguments_are_the_events(trace, replayed):
    told = [event["args"][event["cat"]] for _, _, _, _, event, _ in trace.slices if event["cat"] != "fork"]
    told += [args["exit"] for *_, args in trace.slices if "exit" in args]
    told += [event["args"][event["cat"]] for event in trace.instants + trace.lost]
    exits = {(e["pid"], e["ts"]) for e in told if e["kind"] == "exit"}
    wanted = [e for e in replayed if e["kind"] in ("exec", "fail", "lost") or (e["pid"], e["ts"]) in exits]

    def key(event):
        return event["ts"], event["kind"]
    lab.equal(sorted(told, key=key), sorted(wanted, key=key), "arguments")


def tracks_are_processes(trace):
    lives = {}
    for track, begin, _, name, event, _ in trace.slices:
        if event["cat"] == "exec":
            lives.setdefault(track, set()).add((event["args"]["exec"]["pid"], event["args"]["exec"]["start"]))
        lab.demand(name in trace.names["process_name", track] and name in trace.names["thread_name", track],
                   f"no track is called {name!r}")
    for track, processes in lives.items():
        lab.equal(len(processes), 1, f"processes on {track}")
    everybody = [p for processes in lives.values() for p in processes]
    lab.equal(len(everybody), len(set(everybody)), "processes on more than one track")
    lab.demand(any(track[0] > PIDS for track in lives), "no pid was used again: this shows nothing")


def flows_lead_to_children(trace, machine):
    zero, found_flows = machine.begun, []
    for flow in trace.flows:
        lab.equal([event["ph"] for event in flow], ["s", "f"], "phases of a flow")
        source, target = flow
        begun = [s for s in trace.slices if s[0] == (target["pid"], target["tid"]) and s[1] == target["ts"]]
        lab.equal((len(begun), target["bp"]), (1, "e"), f"slices where {target} ends")
        parents = trace.at((source["pid"], source["tid"]), source["ts"])
        lab.demand(parents, f"no slice where {source} begins")
        found_flows.append((source["ts"], source["pid"] % PIDS, target["pid"] % PIDS, target["ts"]))
    wanted, seen = [], set()
    for s in sorted(machine.slices, key=lambda s: s["begin"]):
        process = s["process"]
        if process in seen:
            continue
        seen.add(process)
        if getattr(process, "parent_slice", None):
            wanted.append((process.fork_ts - zero, process.parent_slice["pid"], process.pid, s["begin"] - zero))
    lab.equal(sorted(found_flows), sorted(wanted), "flows")
    lab.demand(len(wanted) > 5, "hardly any flow")


def filters_choose_slices():
    with lab.workdir() as work:
        machine = Machine(11, 600)
        path = world.write(os.path.join(work, "m.etz"), machine.text())
        for options, wanted in ((("--uid", "ann"), lambda s: s["uid"] == 1000),
                                (("--comm", "gcc", "--kind", "exec"), lambda s: s["comm"] == "gcc" and s["kind"] == "exec"),
                                (("--kind", "exit"), lambda s: False),
                                (("--kind", "fork"), lambda s: s["kind"] == "fork")):
            trace = Trace(traced(*options, path)[0])
            lab.equal(found(trace), expected(machine, wanted), f"slices of {options}")
            lab.demand("kind" not in str(options) or not trace.instants, f"instants with {options}")
        # What ran already, where it is asked for, from the beginning on.
        trace = Trace(traced("--kind", "proc", path)[0])
        lab.equal([(s[0][0], s[1], s[3]) for s in sorted(trace.slices)], [(1, 0, "init"), (5, 0, "sshd"), (7, 0, "sh")], "found")


def boots_lie_side_by_side():
    """Of two machines that overlap, and one whose wall clock is set meanwhile."""
    with lab.workdir() as work:
        a = Machine(1, 200)
        b = Machine(2, 200, boot="ff" * 16, start=77 * SECOND, realtime=a.realtime + a.begun - 77 * SECOND + SECOND // 4)
        texts = [a.text(), b.text()]
        lines = texts[0].splitlines()
        middle = next(i for i in range(len(lines) // 2, len(lines)) if lines[i].startswith("exec "))
        lines[middle] += f" realtime={a.realtime + 3 * SECOND}"
        paths = [world.write(os.path.join(work, name), text) for name, text in (("a.etz", "\n".join(lines) + "\n"), ("b.etz", texts[1]))]
        trace = Trace(traced(*paths)[0])
        wanted = expected(a) + expected(b, zero=b.begun - SECOND // 4)
        lab.equal(found(trace), sorted(wanted), "slices of two machines")


def hostile_strings_stay_strings():
    with lab.workdir() as work:
        name = "%FF%3C%2Fscript%3E%22%5C%0A"
        path = world.write(os.path.join(work, "h.etz"),
                           "segment ts=1000 realtime=1790000000000000000\n"
                           f"exec ts=1000 pid=4000000000 ppid=1 comm={name} argv={name},%E2%80%AE, filename=%00x\n".replace("%00", "%01") +
                           "fork ts=2000 pid=5 ppid=4000000000 start=2000\n"
                           f"fail ts=3000 pid=5 ppid=4000000000 start=2000 comm={name} filename={name} errno=9999\n"
                           f"exit ts=9223372036854775807 pid=5 start=2000 comm={name}\n"
                           "lost_row ts=4000 until=3000 cause=1 count=1 cpu=18446744073709551614\n"
                           "end ts=9223372036854775807 done\n")
        data = export("--format", "perfetto", path)
        Trace(json.loads(data, parse_float=lambda text: int(Decimal(text) * 1000))["traceEvents"])
        lab.demand(all(b >= 0x20 or b == 10 for b in data) and "\u202e".encode() not in data, "unsafe bytes")
        for weight in ("cpu", "wall", "count"):
            data = export("--format", "folded", "--weight", weight, path)
            lab.demand(all(b >= 0x20 or b == 10 for b in data), f"unsafe bytes in {data}")


def empty_captures_are_empty_traces():
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "e.etz"), "segment ts=1000 realtime=1790000000000000000\nend ts=2000 done\n")
        lab.equal(json.loads(export("--format", "perfetto", path)), {"traceEvents": [], "displayTimeUnit": "ns"}, "trace")
        lab.equal(export("--format", "folded", path), b"", "stacks")


# ---- Stacks --------------------------------------------------------------------------

def frame(name):
    table = {"\\": "\\\\", ";": "\\073", " ": "\\040", "\n": "\\n", "\x1b": "\\033"}
    return "".join(table.get(c, c) for c in name)


def stacks(weights, unit):
    return {";".join(map(frame, stack)): weight // unit for stack, weight in weights.items() if weight // unit}


def folded(*args):
    out = {}
    for line in export("--format", "folded", *args).decode().splitlines():
        stack, weight = line.rsplit(" ", 1)
        lab.demand(stack not in out and " " not in stack, f"line {line!r}")
        out[stack] = int(weight)
    return out


def sql(path, query):
    """A query over the events of a capture."""
    with sqlite3.connect(":memory:") as db:
        db.execute("create table e (kind, pid, ppid, ts, start, comm, utime, stime)")
        db.executemany("insert into e values (?, ?, ?, ?, ?, ?, ?, ?)",
                       [tuple(e.get(k) for k in ("kind", "pid", "ppid", "ts", "start", "comm", "utime", "stime")) for e in lab.replay(path)])
        return db.execute(query).fetchall()


def stacks_are_who_ran_what():
    for seed in range(6):
        with lab.workdir() as work:
            machine = Machine(seed, 800)
            path = world.write(os.path.join(work, "m.etz"), machine.text())
            lab.equal(folded(path), stacks(machine.cpu, 1000), "CPU time")
            lab.equal(folded("--weight", "wall", path), stacks(machine.wall, 1000), "wall time")
            counted = folded("--weight", "count", path)
            lab.equal(sum(counted.values()), machine.count, "execs")
            lab.equal(sum(counted.values()), sql(path, "select count(*) from e where kind = 'exec'")[0][0], "execs by SQL")
            # Each stack loses less than a microsecond.
            total = sql(path, "select sum(utime + stime) from e where kind = 'exit'")[0][0]
            lines = folded(path)
            lab.demand(total // 1000 - len(machine.cpu) <= sum(lines.values()) <= total // 1000, "CPU time by SQL")


def stacks_are_those_of_sql():
    """By a recursive query over parents, where each process executes once, nobody ends before its children, and pids are new."""
    with lab.workdir() as work:
        lines, ts, parents = ["segment ts=1000 realtime=1790000000000000000"], 1000, [("sh", 1)]
        lines.append("proc ts=1000 pid=1 ppid=0 start=0 comm=sh")
        for pid in range(2, 200):
            parent = parents[pid * 7919 % len(parents)]
            comm = "abcd"[pid % 4]
            ts += 1000
            lines.append(f"fork ts={ts} pid={pid} ppid={parent[1]} start={ts} comm={parent[0]}")
            lines.append(f"exec ts={ts + 10} pid={pid} ppid={parent[1]} start={ts} comm={comm}")
            parents.append((comm, pid))
        for comm, pid in reversed(parents[1:]):
            ts += 1000
            lines.append(f"exit ts={ts} pid={pid} ppid=1 comm={comm} exit_code=0 utime={pid * 1000} stime=1000")
        path = world.write(os.path.join(work, "t.etz"), "\n".join(lines + [f"end ts={ts + 1} done"]) + "\n")
        rows = sql(path, """
            with recursive p(pid, ppid, comm) as (
                select f.pid, f.ppid, x.comm from e f join e x on x.pid = f.pid and x.kind = 'exec' where f.kind = 'fork'
                union all select pid, ppid, comm from e where kind = 'proc'),
            s(pid, stack) as (
                select pid, comm from p where ppid = 0
                union all select p.pid, s.stack || ';' || p.comm from p join s on p.ppid = s.pid)
            select stack, sum(utime + stime) / 1000, count(*) from s join e on e.pid = s.pid and e.kind = 'exit' group by stack""")
        lab.demand(len(rows) > 50, "hardly any stack")
        lab.equal(folded(path), {stack: weight for stack, weight, _ in rows}, "CPU time by SQL")
        lab.equal(folded("--weight", "count", path), {stack: n for stack, _, n in rows}, "execs by SQL")
        lab.equal(folded("--weight", "count", "--comm", "a", path), {stack: n for stack, _, n in rows if stack.endswith(";a")}, "of a name")


def deep_and_many_stacks_are_bounded():
    with lab.workdir() as work:
        lines, n = ["segment ts=1000 realtime=1790000000000000000"], 1000
        for pid in range(2, n + 2):
            lines.append(f"fork ts={pid * 10} pid={pid} ppid={pid - 1} start={pid * 10} comm=d{pid - 1}")
            lines.append(f"exec ts={pid * 10 + 1} pid={pid} ppid={pid - 1} start={pid * 10} comm=d{pid}")
        path = world.write(os.path.join(work, "d.etz"), "\n".join(lines + ["end ts=100000 done"]) + "\n")
        done = lab.exectrace("export", "--format", "folded", "--weight", "count", path)
        counts = [line.rsplit(b" ", 1) for line in done.stdout.splitlines()]
        lab.equal(max(stack.count(b";") + 1 for stack, _ in counts), 256, "depth")
        lab.equal(sum(int(count) for _, count in counts), n, "execs")
        lab.demand(b"more than" in done.stderr, f"says {done.stderr}")


def who_runs_to_the_end_is_told():
    with lab.workdir() as work:
        machine = Machine(3, 300)
        path = world.write(os.path.join(work, "m.etz"), machine.text())
        running = sum(not p.over and (p.execs > 0 or not p.found) for p in machine.processes)
        done = lab.exectrace("export", "--format", "folded", path)
        lab.demand(running > 1 and f"{running} processes ran to the end".encode() in done.stderr, f"{running}: {done.stderr}")


# ---- Both ------------------------------------------------------------------------------

def mistakes_are_told():
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "m.etz"), Machine(1, 20).text())
        for options, word in (((path,), "--format"), (("--format", "svg", path), "no 'svg'"),
                              (("--format", "folded", "--weight", "time", path), "no 'time'")):
            done = lab.exectrace("export", *options, code=2)
            lab.demand(word in done.stderr.decode(), f"{options} says {done.stderr}")
            lab.equal(done.stdout, b"", "output")


def a_file_is_whole():
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "m.etz"), Machine(1, 200).text())
        for name in ("perfetto", "folded"):
            out = os.path.join(work, name)
            lab.exectrace("export", "--format", name, "-o", out, path)
            lab.equal(lab.contents(out), export("--format", name, path), f"file of {name}")
            lab.exectrace("export", "--format", name, "-o", out, path, code=1)
            lab.exectrace("export", "--format", name, "-f", "-o", out, path)


def threads_change_nothing():
    """With small chunks, of which several are read at once."""
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "m.etz"), Machine(8, 3000).text(chunk=20))
        for command in (("export", "--format", "perfetto"), ("export", "--format", "folded"), ("timeline",), ("timeline", "--by-command"),
                        ("compile-commands", "--compiler", "*")):
            said = [lab.exectrace(*command, "-j", jobs, path).stdout for jobs in ("1", "2", "7")]
            lab.demand(len(said[0]) > 3 and said == said[:1] * 3, f"{command} by several threads")


def memory_is_of_what_lives():
    """300,000 processes, one after the other."""
    if lab.SANITIZED:
        print("   memory is not measured in a build with sanitizers")
        return
    with lab.workdir() as work:
        lines = ["segment ts=1000 realtime=1790000000000000000"]
        for i in range(300000):
            ts, pid = 1000 + i * 100, 100 + i % 30000
            lines.append(f"fork ts={ts} pid={pid} ppid=1 start={ts} comm=sh")
            lines.append(f"exec ts={ts + 1} pid={pid} ppid=1 start={ts} comm=p{i} argv=a,b,c,")
            lines.append(f"exit ts={ts + 2} pid={pid} ppid=1 start={ts} comm=p{i} exit_code=0 utime=5000 stime=0")
            lines += ["chunk"] if i % 4000 == 3999 else []
        path = world.write(os.path.join(work, "m.etz"), "\n".join(lines + ["end ts=100000000 done"]) + "\n")
        for name, limit in (("perfetto", 80), ("folded", 120)):
            out = os.path.join(work, name)
            lab.run(["sh", "-c", f'ulimit -v {limit * 1024}; exec "$@"', "sh", lab.EXECTRACE, "export", "--format", name, "-o", out, path])
            with open(out, "rb") as file:
                n = sum(line.startswith(b'{"ph":"B"') if name == "perfetto" else 1 for line in file)
            lab.equal(n, 300000, f"executions in {name}")


if __name__ == "__main__":
    lab.main(slices_are_what_ran, filters_choose_slices, boots_lie_side_by_side, hostile_strings_stay_strings,
             empty_captures_are_empty_traces, stacks_are_who_ran_what, stacks_are_those_of_sql, deep_and_many_stacks_are_bounded,
             who_runs_to_the_end_is_told, mistakes_are_told, a_file_is_whole, threads_change_nothing, memory_is_of_what_lives)

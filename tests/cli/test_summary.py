#!/usr/bin/env python3
"""summary: groups, percentiles, rankings and counts over time, held to SQL over the JSON of all events."""
import base64
import csv
import io
import json
import os
import random
import re
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
import world  # noqa: E402

FIGURES = ("events", "execs", "failed", "forks", "exits", "lost", "total", "mean", "p50", "p99", "longest", "cpu_time",
           "peak_rss", "read", "written")
SECOND = 10**9
START = 5 * SECOND
OFFSET = 1_790_000_000 * SECOND	# 2026-09-21 14:13:20 UTC at 0
ZONE = 3600
HOSTILE = [b"a\nb", b"\x1b[31m", b"\xff\xfe", b"\"q\",x", b"", "\u202e".encode(), "caf\u00e9".encode(), b"- ", b"=1+1"]
ID = "3f4e2d1c0b9a8877665544332211ffeeddccbbaa99887766554433221100abcd"


def quote(data):
    return "".join(f"%{b:02X}" for b in data)


def capture_text(seed, events=2000, boot=None, start=START):
    """Processes with names that come again and again, all that an exit has, and what is hostile."""
    rng = random.Random(seed)
    names = [b"sh", b"cc1", b"make", b"as", *HOSTILE]
    out = [f"segment boot={boot or rng.randbytes(16).hex()} ts={start} realtime={OFFSET}", f"host utc_offset {ZONE}"]
    out += [f"user {uid} {quote(name)}" for uid, name in ((0, b"root"), (7, b"a\x07"), (8, b"root"))]
    out += ["group 3 staff", f"cgroup 5 {quote(b'/system.slice/docker-' + ID.encode() + b'.scope')}", "cgroup 6 %2Fuser"]
    alive, now, pid = {}, start, 100
    for i in range(20):
        alive[i + 2] = (start - 1000 * i, rng.choice(names))
        out.append(f"proc ts={now} pid={i + 2} ppid={i + 1} start={start - 1000 * i} uid=0 comm={quote(alive[i + 2][1])}")
    for i in range(events):
        now += rng.choice((0, 1, 1000, 10**6, 10**9, 40 * 10**9) if rng.random() < .3 else (50,))
        who = rng.choice(list(alive))
        began, comm = alive[who]
        common = f"ts={now} pid={who} ppid=1 start={began} uid={rng.choice((0, 7, 8, 9))} gid={rng.choice((3, 4))} " \
                 f"cgroup={rng.choice((5, 6, 7))}"
        what = rng.random()
        if what < .03:
            out.append(f"lost_row ts={now} until={now + 5} cause={rng.choice((1, 2))} count={rng.randrange(1, 9)} cpu={rng.randrange(3)}")
        elif what < .3:
            pid += rng.randrange(1, 3)
            alive[pid] = (now, comm)
            out.append(f"fork ts={now} pid={pid} ppid={who} start={now} uid=0 comm={quote(comm)}")
        elif what < .5:
            alive[who] = (began, rng.choice(names))
            path = rng.choice((b"/bin/x", b"/dev/fd/3", b"script.sh", b"/opt/a b/y"))
            script = f"interpreter={quote(b'/bin/sh')}" if path == b"script.sh" else ""
            argv = "".join(quote(rng.choice(names)) + "," for _ in range(rng.randrange(3)))
            out.append(f"exec {common} tid={who} exec_ts={now} comm={quote(alive[who][1])} filename={quote(path)} exe={quote(b'/usr' + path)} "
                       f"argv={argv} euid=0 tty=pts%2F1 secure_exec={rng.randrange(2)} exe_dev={8 << 20 | 1} {script}")
        elif what < .7:
            out.append(f"fail {common} tid={who} comm={quote(comm)} filename={quote(rng.choice((b'/bin/no', b'no', b'x/')))} "
                       f"errno={rng.choice((2, 2, 13, 4000))} argv=a,")
        elif len(alive) > 5:
            del alive[who]
            end = rng.choice(("exit_code=0", "exit_code=1", "signal=9", "signal=11 core=1", "signal=40"))
            used = " ".join(f"{name}={rng.choice((0, 1, 4096, 10**rng.randrange(1, 13)))}" for name in
                            ("utime", "stime", "max_rss", "read_bytes", "write_bytes", "minor_faults") if rng.random() < .8)
            since = f"exec_ts={now - min(now, 10**rng.randrange(10) + rng.randrange(999))}" if rng.random() < .8 else ""
            out.append(f"exit {common} comm={quote(comm)} {end} {used} {since}")
        if rng.random() < .02:
            out.append("chunk")
    return "\n".join(out) + f"\nend ts={now + 1} done\n"


# ---- What it has to be, by SQL --------------------------------------------------------

def kinds_of_fields():
    """The kinds that carry each field, as help has it."""
    text = lab.exectrace("replay", "--columns", "help").stdout.decode()
    return {name: kinds.split() for name, kinds in re.findall(r"^  ([a-z_]+) .*\(([a-z ]+)\)$", text, re.M)}


FLAGS = ("argv_truncated", "argv_unreadable", "core", "secure_exec", "exe_deleted", "exe_memfd", "env_truncated",
         "env_unreadable")
CODES = {"errno": "error", "signal": "signal_name"}


def bucket(event, unit, utc):
    at = sqlite3.connect(":memory:").execute("select strftime('%s', ?)", (event["time"][:19] + "Z",)).fetchone()[0]
    zone = 0 if utc else ZONE
    local = (int(at) + zone) // unit * unit
    form = "%Y-%m-%d" if unit == 86400 else "%Y-%m-%dT%H:%M:%S" + ("Z" if utc else "+01:00")
    return sqlite3.connect(":memory:").execute("select strftime(?, ?, 'unixepoch')", (form, local)).fetchone()[0]


class Oracle:
    """All events of captures, with the cells of replay's table for what only that has."""

    def __init__(self, *args):
        self.kinds = kinds_of_fields()
        self.events = lab.replay(*args)
        for name in ("result", "command"):
            told = lab.exectrace("replay", "-q", "--wide", "--no-header", "--kind", "exec,fail,fork,exit,proc,lost", "--columns", name, *args)
            for event, line in zip(self.events, told.stdout.decode().split("\n")):
                event["_" + name] = line
        self.times = {}
        self.learn_parents(lab.replay(*[arg for arg in args if arg.startswith("/")]))

    def learn_parents(self, every):
        """What each process was called when it was forked, else what its parent is called now."""
        now, at_fork, parents, found = {}, {}, {}, {}
        for event in every:
            pid = event.get("pid")
            name = {text: event[text] for text in ("comm", "comm_b64") if text in event}
            if event["kind"] in ("fork", "exec", "proc"):
                now[pid] = name
            if event["kind"] == "fork":
                at_fork[pid] = name
            elif pid not in at_fork:
                parents.setdefault(pid, event.get("ppid"))
            told = at_fork.get(pid) or now.get(parents.get(pid)) or {}
            found[json.dumps(event, sort_keys=True)] = {text.replace("comm", "parent"): value for text, value in told.items()}
        for event in self.events:
            plain = {name: value for name, value in event.items() if not name.startswith("_")}
            event["_parent"] = found[json.dumps(plain, sort_keys=True)]

    def key(self, event, name, utc):
        """What a group of this event says of the field: a part of a JSON object."""
        if name in FLAGS:
            return {name: event.get(name, False)} if event["kind"] in self.kinds[name] else {}
        if name in ("user", "group", "login_user"):
            number = event.get({"user": "uid", "group": "gid", "login_user": "login_uid"}[name])
            return {} if number is None else {name: event.get(name, str(number)), **self.exact(event, name)}
        if name == "result" or (name == "command" and event["kind"] != "lost"):
            return {name: event["_" + name]}
        if name in ("minute", "hour", "day"):
            at = (event["time"][:19], name, utc)
            if at not in self.times:
                self.times[at] = bucket(event, {"minute": 60, "hour": 3600, "day": 86400}[name], utc)
            return {name: self.times[at]}
        if name == "script":
            return {name: event["filename"]} if "interpreter" in event else {}
        if name == "program":
            return self.program(event)
        if name == "parent":
            return event["_parent"]
        if name == "exec_ts" and event["kind"] == "exec":
            return {name: event["ts"]}	# which JSON says once
        if name == "cgroup" and "cgroup_id" in event:
            return {"cgroup_id": event["cgroup_id"]}
        found = {name: event[name]} if name in event else {}
        if name in CODES and CODES[name] in event:
            found[CODES[name]] = event[CODES[name]]
        return {**found, **self.exact(event, name)}

    @staticmethod
    def exact(event, name):
        return {name + "_b64": event[name + "_b64"]} if name + "_b64" in event else {}

    @staticmethod
    def program(event):
        for name in ("filename", "exe", "comm"):
            raw = lab.raw(event, name)
            if raw and not (name == "filename" and raw.startswith(b"/dev/fd/") and len(raw) > 8):
                last = raw.split(b"/")[-1] or raw
                text = event[name].split("/")[-1] or event[name]
                return {"program": text, **({"program_b64": base64.b64encode(last).decode()} if text.encode() != last else {})}
        raw = lab.raw(event, "filename")
        return {"program": raw.split(b"/")[-1].decode()} if raw else {}

    def groups(self, names, utc=False):
        """{key as JSON: figures} by GROUP BY and window functions."""
        db = sqlite3.connect(":memory:")
        db.execute("create table e (key, kind, count, duration, cpu, rss, rd, wr)")
        for event in self.events:
            key = {}
            for name in names:
                key.update(self.key(event, name, utc))
            exit = event if event["kind"] == "exit" else {}
            cpu = None if "utime" not in exit and "stime" not in exit else exit.get("utime", 0) + exit.get("stime", 0)
            db.execute("insert into e values (?,?,?,?,?,?,?,?)",
                       (json.dumps(key, sort_keys=True), event["kind"], event.get("count"), exit.get("duration"), cpu,
                        exit.get("max_rss"), exit.get("read_bytes"), exit.get("write_bytes")))
        found = {}
        for key, *values in db.execute(
                "select key, sum(kind != 'lost'), sum(kind = 'exec'), sum(kind = 'fail'), sum(kind = 'fork'), sum(kind = 'exit'), "
                "coalesce(sum(case kind when 'lost' then count end), 0), sum(duration), sum(duration) / count(duration), null, null, "
                "max(duration), sum(cpu), max(rss), sum(rd), sum(wr) from e group by key"):
            found[key] = dict(zip(FIGURES, values))
        for percent in (50, 99):
            for key, value in db.execute(
                    "with ranked as (select key, duration, row_number() over (partition by key order by duration) r, "
                    "count(*) over (partition by key) n from e where duration is not null) "
                    "select key, min(duration) from ranked where r * 100 >= n * ? group by key", (percent,)):
                found[key][f"p{percent}"] = value
        return found


def split(group):
    """The key and the figures of a group of summary --json."""
    return (json.dumps({name: value for name, value in group.items() if name not in FIGURES}, sort_keys=True),
            {name: group.get(name) for name in FIGURES})


def is_near(found, truth, error):
    return abs(found - truth) <= truth * error + .5


def compare(found, expected, error, what):
    """Equal, but for the percentiles of many durations."""
    lab.equal(set(found), set(expected), f"keys of {what}")
    for key, figures in expected.items():
        for name in FIGURES:
            told, truth = found[key][name], figures[name]
            if name in ("p50", "p99") and truth is not None and figures["exits"] > 64:
                lab.demand(told is not None and is_near(told, truth, error), f"{name} of {key} in {what}: {told}, not {truth}")
            else:
                lab.equal(told, truth, f"{name} of {key} in {what}")


def summary(*args, code=0):
    return json.loads(lab.exectrace("summary", "--json", *args, code=code).stdout)


def judge(oracle, names, *args, utc=False):
    told = summary("--by", ",".join(names), "--top", "0", *(["--utc"] if utc else []), *args)
    found = [split(group) for group in told["groups"]]
    lab.equal(len(dict(found)), len(found), f"keys of {names} that differ")
    lab.demand(told["percentile_error"] in (0, 0.0078125), f"error {told['percentile_error']}")
    compare(dict(found), oracle.groups(names, utc), told["percentile_error"], names)
    lab.equal((told["by"], told["events"]), (list(names), sum(e["kind"] != "lost" for e in oracle.events)), "by and events")
    lab.demand("other" not in told, "others of --top 0")
    return told


# ---- Tests ------------------------------------------------------------------------------

def every_field_by_itself():
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "x.etz"), capture_text(1))
        oracle = Oracle(path)
        names = [*re.findall(r"^  ([a-z_]+) ", lab.exectrace("replay", "--columns", "help").stdout.decode(), re.M),
                 *re.findall(r"^  ([a-z_]+) ", lab.exectrace("summary", "--by", "help").stdout.decode().split("\nColumns")[0], re.M)]
        names = [name for name in names if name != "parent"]
        lab.demand(len(names) > 65 and {"day", "hour", "minute", "script", "program", "user", "container"} <= set(names), f"names: {names}")
        several = 0
        for name in names:
            several += len(judge(oracle, [name], path)["groups"]) > 1
        lab.demand(several > 40, f"only {several} fields have several groups")


def fields_together():
    with lab.workdir() as work:
        for seed in range(2, 8):
            path = world.write(os.path.join(work, "x.etz"), capture_text(seed, events=100 * 3**seed // 30 + 50))
            oracle = Oracle(path)
            for names in (["comm", "uid"], ["user", "result"], ["hour", "comm", "kind"], ["argv", "program"],
                          ["container", "cgroup", "cpu"], ["day", "minute", "time", "ts"], ["env", "tty", "script"]):
                judge(oracle, names, path)
            for names in (["hour"], ["day", "user"], ["minute"]):
                judge(oracle, names, path, utc=True)


def filters_and_several_files():
    with lab.workdir() as work:
        boot = "00112233445566778899aabbccddeeff"
        one = world.write(os.path.join(work, "1.etz"), capture_text(11, 1500))
        two = world.write(os.path.join(work, "2.etz"), capture_text(12, 900, boot), capture_text(13, 300, boot, START + 10**15))
        for args in ((one, two), (two, one, one), ("--comm", "[a-m]*", one), ("--kind", "exit", two), ("--failed", one, two),
                     ("--since", "+10m", "--until", "+2h", two), ("--where", "duration > 1ms || errno == ENOENT", one),
                     ("--kind", "lost", one)):
            oracle = Oracle(*args)
            lab.demand(oracle.events, f"{args} choose nothing")
            for names in (["comm"], ["user", "kind"], ["hour"]):
                judge(oracle, names, *args)
        # What stands there twice, or came from elsewhere too, is one.
        lab.equal(summary("--by", "comm", two, two)["groups"], summary("--by", "comm", two)["groups"], "groups of a file given twice")
        with open(one, "rb") as file:
            lab.equal(lab.exectrace("summary", "--json", "--by", "comm,uid", "-", stdin=file).stdout,
                      lab.exectrace("summary", "--json", "--by", "comm,uid", one).stdout, "from standard input")


def parents_are_who_forked():
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "x.etz"), capture_text(61, 4000))
        for args in ((path,), ("--ok", path), ("--comm", "[a-m]*", path)):
            oracle = Oracle(*args)
            for names in (["parent"], ["parent", "comm"], ["hour", "parent"]):
                told = judge(oracle, names, *args)
            lab.demand(len({json.dumps(group.get("parent")) for group in told["groups"]}) > 5, f"{args}: too few parents")
        # The pairs of the overview are those of the processes that were forked here.
        pairs = {(lab.raw(row, "parent"), lab.raw(row, "comm")): row["count"] for row in summary("--top", "0", path)["pairs"]}
        groups = {(lab.raw(row, "parent"), lab.raw(row, "comm")): row["execs"] for row in
                  summary("--by", "parent,comm", "--kind", "exec", "--top", "0", "--where", "pid > 21", path)["groups"]}
        lab.equal(pairs, groups, "pairs and groups by parent and comm")


def order_top_and_rest():
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "x.etz"), capture_text(21))
        every = summary("--by", "comm,uid", "--top", "0", path)["groups"]
        for name in (*FIGURES, *("-" + name for name in FIGURES)):
            told = summary("--by", "comm,uid", "--sort", name, "--top", "0", path)["groups"]
            values = [group.get(name.lstrip("-")) for group in told]
            lab.equal(values, sorted(values, key=lambda v: -1 if v is None else v, reverse=True), f"order of {name}")
            lab.equal(sorted(map(json.dumps, told)), sorted(map(json.dumps, every)), f"groups in the order of {name}")
        for name, sign in (("comm", 1), ("-comm", -1)):
            told = [lab.raw(group, "comm") for group in
                    summary("--by", "uid,comm", "--sort", name, "--top", "0", path)["groups"]]
            known = [comm for comm in told if comm is not None]
            lab.equal(known, sorted(known)[::sign], f"order of {name}")
            lab.demand(len(known) < len(told) and (told[-1] is None) == (sign > 0), f"what is not known of {name}")
        for top in (1, 3, len(every) - 1):
            told = summary("--by", "comm,uid", "--top", str(top), path)
            shown, rest = told["groups"], told["other"]
            lab.equal(shown, every[:top], f"the first {top}")
            lab.equal(rest["groups"], len(every) - top, "groups of the rest")
            for name in ("events", "execs", "failed", "forks", "exits", "lost", "total", "cpu_time", "read", "written"):
                lab.equal(rest.get(name, 0), sum(group.get(name, 0) for group in every[top:]), f"{name} of the rest")
            for name in ("longest", "peak_rss"):
                lab.equal(rest.get(name, 0), max(group.get(name, 0) for group in every[top:]), f"{name} of the rest")
            lab.demand("total" not in rest or rest["p50"] <= rest["p99"] <= rest["longest"], "percentiles of the rest")
        lab.equal(len(summary("--by", "pid", path)["groups"]), 20, "groups without --top")


def percentiles_are_as_near_as_they_say():
    """Durations of all sizes, more and more of them; alone with one name, and apart by another."""
    rng = random.Random(31)
    for count in (1, 2, 64, 65, 100, 1000, 20000):
        durations = [rng.choice((rng.randrange(10), 10**6 + rng.randrange(10**6), int(2 ** rng.uniform(0, 60)))) for _ in range(count)]
        text = "segment ts=1 realtime=0\n" + "".join(f"exit ts={1 + 2**61} pid=1 start={1 + 2**61 - d} comm=x uid=0 exit_code={i % 3}\n"
                                                     for i, d in enumerate(durations)) + f"end ts={2 + 2**61} x\n"
        with lab.workdir() as work:
            told = summary("--by", "comm", world.write(os.path.join(work, "x.etz"), text))
        group, durations = told["groups"][0], sorted(durations)
        lab.equal(told["percentile_error"], 0 if count <= 64 else 0.0078125, "error")
        for percent in (50, 99):
            truth = durations[-(-count * percent // 100) - 1]
            lab.demand(is_near(group[f"p{percent}"], truth, told["percentile_error"]) if count > 64 else group[f"p{percent}"] == truth,
                       f"p{percent} of {count}: {group[f'p{percent}']}, not {truth}")
        lab.equal((group["total"], group["mean"], group["longest"]), (min(sum(durations), 2**64 - 2), min(sum(durations), 2**64 - 2) // count,
                                                                      durations[-1]), "total, mean and longest")


def csv_says_the_same():
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "x.etz"), capture_text(41))
        for names in ("comm,uid", "result", "errno,signal", "argv", "core,secure_exec", "user,hour", "cgroup", "exe_dev"):
            groups = summary("--by", names, "--top", "0", path)["groups"]
            data = lab.exectrace("summary", "--csv", "--by", names, path).stdout.decode()
            lab.demand(not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", data), f"control characters in the CSV of {names}")
            rows = list(csv.reader(io.StringIO(data, newline="")))
            lab.equal(rows[0], names.split(",") + list(FIGURES), "titles")
            lab.equal(len(rows), len(groups) + 1, f"rows of {names}")
            for row, group in zip(rows[1:], groups):
                lab.equal(len(row), len(rows[0]), "cells")
                for name, cell in zip(rows[0], row):
                    value = group.get(name, group.get("cgroup_id") if name == "cgroup" else None)
                    if isinstance(value, str):
                        value = re.sub("[\x00-\x1f\x7f\u202e]", "\ufffd", value)
                        lab.equal(cell, value, f"{name} of {group}")
                    elif isinstance(value, list):
                        lab.equal([re.sub("[\x00-\x1f\x7f\u202e]", "\ufffd", item) for item in json.loads(cell)],
                                  [re.sub("[\x00-\x1f\x7f\u202e]", "\ufffd", item) for item in value], f"{name} of {group}")
                    else:
                        lab.equal(cell, "" if value is None else str(value).lower(), f"{name} of {group}")


# What a group is called, and the overview, on a capture that one can read.
GOLDEN = """segment ts=1000000000 realtime=1790000000000000000
host utc_offset 7200
user 0 root
user 1000 ann
fork ts=1000000000 pid=10 ppid=1 start=1000000000 uid=0 comm=init
exec ts=1001000000 pid=10 ppid=1 start=1000000000 exec_ts=1001000000 uid=0 comm=make filename=%2Fusr%2Fbin%2Fmake argv=make,
fork ts=1100000000 pid=11 ppid=10 start=1100000000 uid=1000 comm=make
fail ts=1100500000 pid=11 ppid=10 start=1100000000 uid=1000 comm=make filename=%2Fbin%2Fcc argv=cc, errno=2
exec ts=1101000000 pid=11 ppid=10 start=1100000000 exec_ts=1101000000 uid=1000 comm=cc%20%1B filename=%2Fusr%2Fbin%2Fcc argv=cc,
chunk
fork ts=1200000000 pid=12 ppid=10 start=1200000000 uid=1000 comm=make
chunk
exec ts=1201000000 pid=12 ppid=10 start=1200000000 exec_ts=1201000000 uid=1000 comm=cc%20%1B filename=%2Fusr%2Fbin%2Fcc argv=cc,
exit ts=1601000000 pid=11 ppid=10 start=1100000000 exec_ts=1101000000 uid=1000 comm=cc%20%1B exit_code=0 utime=300000000 \
stime=50000000 max_rss=52428800 read_bytes=4096 write_bytes=0
lost_row ts=1650000000 count=3 cause=1 cpu=0
exit ts=1901000000 pid=12 ppid=10 start=1200000000 exec_ts=1201000000 uid=1000 comm=cc%20%1B signal=11 core=1 utime=600000000 \
stime=0 max_rss=62914560 read_bytes=0 write_bytes=0
exit ts=2001000000 pid=10 ppid=1 start=1000000000 exec_ts=1001000000 uid=0 comm=make exit_code=2 utime=1000000 stime=1000000 max_rss=1048576
end ts=2002000000 done
"""

GOLDEN_BY = """\
EVENTS  EXECS  FAILED  FORKS  EXITS  LOST   TOTAL     MEAN      P50      P99  LONGEST  CPU_TIME  PEAK_RSS     READ  COMM
     5      1       1      2      1     0  1.000s   1.000s   1.000s   1.000s   1.000s   2.000ms   1.0 MiB        -  make
     4      2       0      0      2     0  1.200s  600.0ms  500.0ms  700.0ms  700.0ms   950.0ms  60.0 MiB  4.0 KiB  $'cc \\033'
     1      0       0      1      0     3       -        -        -        -        -         -         -        -  in 2 other groups
"""

GOLDEN_OVERVIEW = """\
10 events, 2026-09-21 16:13:21.000000 to 16:13:22.001000 UTC+02:00, 1.001s, 10.0 events a second
3 exec, 1 fail, 3 fork, 3 exit, 3 lost

Events a second, a column is 15.00ms
       200       #
           .     #      .
           #     #      #
           #     #      #                          :                   :     :
         0 #     #      #                          #                   #     #
           16:13:21.000000                                     16:13:22.005000

Execs by command
           2   66.7%  cc
           1   33.3%  make

Execs by user
           2   66.7%  ann
           1   33.3%  root

Exits by status
           1   33.3%  SIGSEGV (core)
           1   33.3%  exit 0
           1   33.3%  exit 2

Failed execs by command and error
           1  100.0%  cc, ENOENT

Execs by parent and name
           2   66.7%  make -> cc \\033
           1   33.3%  init -> make

Longest running: duration, CPU time, pid
      1.000s  2.000ms      10  make, exit 2, root
     700.0ms  600.0ms      12  cc \\033, SIGSEGV (core), ann
     500.0ms  350.0ms      11  cc \\033, exit 0, ann

Lost
           3  ring_full on cpu 0 after 2026-09-21 16:13:21.650000 UTC+02:00
"""


def text_is_as_written():
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "x.etz"), GOLDEN)
        told = lab.exectrace("summary", "-q", "--by", "comm", "--top", "2", path, env={**os.environ, "LC_ALL": "C"}).stdout.decode()
        lab.equal(told, GOLDEN_BY, "table")
        told = lab.exectrace("summary", "-q", path, env={**os.environ, "LC_ALL": "C"}).stdout.decode()
        lab.equal(told, GOLDEN_OVERVIEW, "overview")
        told = lab.exectrace("summary", "-q", path, env={**os.environ, "LC_ALL": "", "LC_CTYPE": "", "LANG": "de_DE.UTF-8"}).stdout.decode()
        lab.demand("\u2588" in told and "make \u2192 cc" in told, f"in a locale of UTF-8: {told}")


def overview_agrees_with_the_events():
    with lab.workdir() as work:
        for args in ((world.write(os.path.join(work, "1.etz"), capture_text(51)),),
                     (world.write(os.path.join(work, "2.etz"), capture_text(52, 6000)), os.path.join(work, "1.etz")),
                     ("--comm", "[a-m]*", os.path.join(work, "2.etz"))):
            events, told = lab.replay(*args), summary("--top", "0", *args)
            judge_overview(events, lab.replay(*[arg for arg in args if arg.startswith("/")]), told)


def seconds(text):
    """ns since 1970 of a time of JSON."""
    whole = sqlite3.connect(":memory:").execute("select strftime('%s', ?)", (text[:19] + "Z",)).fetchone()[0]
    return int(whole) * SECOND + int(text[20:29])


def judge_overview(events, every, told):
    db = sqlite3.connect(":memory:")
    db.execute("create table e (kind, pid, start, comm, error, program, duration, time)")
    for e in events:
        comm = lab.raw(e, "comm")
        db.execute("insert into e values (?,?,?,?,?,?,?,?)",
                   (e["kind"], e.get("pid"), e.get("start"), comm, e.get("error") or f"errno {e.get('errno')}",
                    Oracle.program(e).get("program") if e["kind"] != "lost" else None, e.get("duration"), e["time"]))
    lab.equal({(row["command"], row["error"]): row["count"] for row in told["failing"]},
              {row[:2]: row[2] for row in db.execute("select coalesce(program, '?'), error, count(*) from e where kind = 'fail' group by 1, 2")}, "failing")
    db.execute("create table f (pid, start, comm)")
    db.executemany("insert into f values (?,?,?)", [(e["pid"], e["start"], lab.raw(e, "comm")) for e in every if e["kind"] == "fork"])
    pairs = {row[:2]: row[2] for row in db.execute(
        "select f.comm, e.comm, count(*) from e join f on e.kind = 'exec' and e.pid = f.pid and e.start = f.start group by 1, 2")}
    found = {(lab.raw(row, "parent"), lab.raw(row, "comm")): row["count"] for row in told["pairs"]}
    if events == every:
        lab.equal(found, pairs, "pairs")
        lab.equal(told["pairs_unknown"] + sum(found.values()), sum(e["kind"] == "exec" for e in events), "execs in pairs or not")
    for row, (pid, duration) in zip(told["longest"], db.execute(
            "select pid, duration from e where kind = 'exit' and duration is not null order by duration desc, time, pid limit 1000")):
        lab.equal((row["pid"], row["duration"]), (pid, duration), "one of the longest")
    lab.equal(len(told["longest"]), min(1000, sum(e.get("duration") is not None and e["kind"] == "exit" for e in events)), "how many are the longest")
    chart, times = told["histogram"], [seconds(e["time"]) for e in events if e["kind"] not in ("lost", "proc")]
    first, counts = seconds(chart["start"]), [0] * len(chart["events"])
    for time in times:
        counts[(time - first) // chart["width"]] += 1
    lab.equal(chart["events"], counts, "events over time")
    lab.demand(20 < len(counts) <= 60, f"{len(counts)} columns")


def keys_are_a_strangers():
    """More groups than are told apart, and names that would do harm."""
    with lab.workdir() as work:
        text = ["segment ts=1 realtime=0"]
        text += [f"fork ts={2 + i} pid={i + 1} start={i} comm={quote(HOSTILE[i % len(HOSTILE)])} uid={i % 1000}" for i in range(70000)]
        path = world.write(os.path.join(work, "x.etz"), "\n".join(text) + "\nend ts=70003 x\n")
        told = summary("--by", "pid", "--top", "0", path)
        lab.equal((len(told["groups"]), told["other"]["events"], "groups" in told["other"]), (65536, 70000 - 65536, False), "groups of pids")
        lab.demand("in many other groups" in lab.exectrace("summary", "--by", "pid", path).stdout.decode(), "many others")
        done = lab.exectrace("summary", "--csv", "--by", "pid", path)
        lab.equal(done.stdout.count(b"\n"), 65537, "lines of CSV")
        lab.demand(b"only 65536 groups" in done.stderr, f"says {done.stderr}")
        for args in (("--by", "comm"), ("--by", "comm,command,result"), ()):
            told = lab.exectrace("summary", *args, path).stdout.decode()
            lab.demand(not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ufffd]", told), f"{args}: {told!r}")
        lab.equal(sorted(lab.raw(group, "comm") for group in summary("--by", "comm", path)["groups"]), sorted(HOSTILE), "names")


def mistakes_are_told():
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "x.etz"), GOLDEN)
        for args, word in ((("--by", "con"), "no field 'con'"), (("--by", "comm,"), "no field ''"), (("--by", "comm,comm"), "comm is there twice"),
                           (("--by", "comm", "--by", "comm"), "twice"), (("--by", "pid,uid,gid,comm,kind,exe,cwd,tty,tid"), "more than 8"),
                           (("--by", "comm", "--sort", "uid"), "'uid' is no column"), (("--sort", "events"), "--sort is for"),
                           (("--csv",), "--csv is for"), (("--csv", "--json", "--by", "comm"), "give one of them")):
            done = lab.exectrace("summary", *args, path, code=2)
            lab.demand(word in done.stderr.decode() and not done.stdout, f"{args} says {done.stderr}")
        lab.equal(summary("--by", "uid", "--by", "comm", path)["by"], ["uid", "comm"], "given again")
        told = lab.exectrace("summary", "--by", "help").stdout.decode().split("\nColumns")[1]
        lab.equal(tuple(re.findall(r"^  ([a-z_0-9]+) ", told, re.M)), FIGURES, "figures in the help")


if __name__ == "__main__":
    lab.main(every_field_by_itself, fields_together, filters_and_several_files, parents_are_who_forked, order_top_and_rest,
             percentiles_are_as_near_as_they_say, csv_says_the_same, text_is_as_written, overview_agrees_with_the_events,
             keys_are_a_strangers, mistakes_are_told)

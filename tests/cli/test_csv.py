#!/usr/bin/env python3
"""replay --csv: read back by Python and by sqlite it is what JSON says, and a line is an event."""
import csv
import io
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hostile  # noqa: E402
import lab  # noqa: E402

DEFAULT = ("time,kind,pid,ppid,uid,user,comm,filename,exe,argv,cwd,error,exit_code,signal_name,duration,utime,stime,"
           "max_rss,count,cause").split(",")
NUMBERS = {"user": "uid", "group": "gid", "login_user": "login_uid", "cgroup": "cgroup_id"}	# where a name is not known


def rows(data):
    lab.demand(b"\r" not in data, "a carriage return")
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


def all_columns():
    names = re.findall(r"^  ([a-z_]+) ", lab.exectrace("replay", "--columns", "help").stdout.decode(), re.M)
    lab.demand(len(names) > 60, f"names: {names}")
    return names


def is_said(cell, event, name):
    """Whether a cell is what JSON says of the event."""
    if name == "exec_ts" and event["kind"] == "exec":	# JSON does not say it again
        return cell == str(event["ts"])
    value = event.get(name, event.get(NUMBERS.get(name)))
    if value is None:
        return cell in ("", "false")
    if isinstance(value, bool):
        return value and cell == "true"
    if isinstance(value, list):
        return json.loads(cell) == value
    if isinstance(value, int):
        return cell == str(value)
    return len(cell) == len(value) and all(
        (new == "\ufffd" if old == "\ufffd" or hostile.unsafe(old) else new in (old, "\ufffd") if ord(old) > 126 else new == old)
        for new, old in zip(cell, value))


def it_is_what_json_says():
    with lab.workdir() as work:
        names = [name for name in all_columns() if name not in ("command", "result")]
        compared = 0
        for path in (hostile.capture(os.path.join(work, "h.etz"), 1, 1500), lab.made(work, "900", "lost", "clock")):
            events = lab.replay(path)
            found = []
            for part in (names[:40], names[40:]):
                out = lab.exectrace("replay", "--csv", "--columns", ",".join(part), path).stdout
                lab.equal(out.count(b"\n"), len(events) + 1, "lines")
                lab.demand(not re.search(b"[\x00-\x09\x0b-\x1f\x7f]", out), "a control byte")
                lab.demand(not any(hostile.unsafe(char) for char in out.decode().replace("\n", "")), "an unsafe character")
                title, *body = rows(out)
                lab.equal(title, part, "titles")
                found.append(body)
            for i, event in enumerate(events):
                for name, cell in zip(names, found[0][i] + found[1][i]):
                    lab.demand(is_said(cell, event, name), f"{name} is {cell!r}, and JSON says {event}")
                    compared += cell != ""
        lab.demand(compared > 20000, f"only {compared} cells were not empty")


def default_columns():
    with lab.workdir() as work:
        path = hostile.capture(os.path.join(work, "h.etz"))
        out = lab.exectrace("replay", "--csv", path).stdout
        title, *body = rows(out)
        lab.equal(title, DEFAULT, "titles")
        lab.equal([dict(zip(title, row))["time"] for row in body], [event["time"] for event in lab.replay(path)], "times")
        lab.equal(lab.exectrace("replay", "--format", "csv", path).stdout, out, "--format csv")
        lab.equal(lab.exectrace("replay", "--csv", "--no-header", path).stdout, out.split(b"\n", 1)[1], "without titles")
        lab.equal(lab.exectrace("replay", "--csv", "--pid", "0", path).stdout.splitlines()[0].decode(), ",".join(DEFAULT),
                  "titles of a table without rows, but for losses")
        texts = lab.exectrace("replay", "--columns", "command", "--no-header", "--kind", "exec,fail,fork,exit,proc,lost",
                              path).stdout.decode().splitlines()
        cells = rows(lab.exectrace("replay", "--csv", "--no-header", "--columns", "command", path).stdout)
        lab.equal([cell for cell, in cells], texts, "command lines")
        done = lab.exectrace("replay", "--csv", "--json", path, code=2)
        lab.demand(b"one of them" in done.stderr, f"--csv and --json: {done.stderr}")


def known_and_empty_is_not_unknown():
    with lab.workdir() as work:
        path = hostile.world.write(os.path.join(work, "c.etz"), "segment ts=1 realtime=0\nexec ts=1 pid=1 comm=a%2Cb argv=,\n"
                                   "exec ts=2 pid=2 comm= argv=\nexit ts=3 pid=3 exit_code=0 core=0\nend ts=4 done\n")
        out = lab.exectrace("replay", "--csv", "--columns", "pid,comm,argv,core,exit_code", path).stdout.decode()
        lab.equal(out.splitlines(), ["pid,comm,argv,core,exit_code", '1,"a,b","[""""]",,', '2,"",[],,', "3,,,false,0"], "lines")


def times():
    with lab.workdir() as work:
        path = hostile.world.write(os.path.join(work, "c.etz"),
                                   "segment ts=1000000000 realtime=1790000000000000000\nhost utc_offset -12600\nfork ts=1000000001 pid=1\n"
                                   "fork ts=1500000001 pid=2\nfork ts=1500000002 pid=3\nend ts=1500000003 done\n")
        for options, expected in (
                ((), ["2026-09-21T14:13:21.000000001Z", "2026-09-21T14:13:21.500000001Z", "2026-09-21T14:13:21.500000002Z"]),
                (("--time", "absolute"), ["2026-09-21T14:13:21.000000001Z"]),
                (("--time", "iso"), ["2026-09-21T10:43:21.000000001-03:30"]),
                (("--time", "iso", "--utc"), ["2026-09-21T14:13:21.000000001Z"]),
                (("--time", "unix"), ["1790000001.000000001", "1790000001.500000001"]),
                (("--time", "relative"), ["0.000000000", "0.500000000", "0.500000001"]),
                (("--time", "delta"), ["0.000000000", "0.500000000", "0.000000001"]),
                (("--time", "delta", "--reverse"), ["0.000000000", "-0.000000001", "-0.500000000"]),
                (("--time", "relative", "--tail", "2"), ["0.000000000", "0.000000001"])):
            out = lab.exectrace("replay", "--csv", "--no-header", "--columns", "time,pid,time", *options, path).stdout
            lab.equal([row[0] for row in rows(out)][:len(expected)], expected, f"times of {options}")
            lab.demand(all(row[0] == row[2] for row in rows(out)), f"twice in a line: {out}")


def sqlite_reads_it():
    sqlite = lab.need_tool("sqlite3")
    with lab.workdir() as work:
        path = lab.made(work, "900")
        events = lab.replay(path)
        table = lab.written(work, "t.csv", lab.exectrace("replay", "--csv", path).stdout)
        asked = ("select count(*), sum(kind = 'exec'), cast(sum(duration) as int), cast(sum(max_rss) as int), count(distinct comm), "
                 "sum(json_array_length(nullif(argv, ''))), max(json_extract(nullif(argv, ''), '$[3]')) from t;")
        out = lab.run([sqlite, ":memory:", f".import --csv {table} t", asked]).stdout.decode().strip()
        listed = [event["argv"] for event in events if "argv" in event]
        lab.equal(out, "|".join(map(str, (
            len(events), sum(event["kind"] == "exec" for event in events), sum(event.get("duration", 0) for event in events),
            sum(event.get("max_rss", 0) for event in events), len({event.get("comm") for event in events}),
            sum(map(len, listed)), max(argv[3] for argv in listed if len(argv) > 3)))), "what sqlite makes of it")


if __name__ == "__main__":
    lab.main(it_is_what_json_says, default_columns, known_and_empty_is_not_unknown, times, sqlite_reads_it)

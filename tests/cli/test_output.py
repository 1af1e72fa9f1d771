#!/usr/bin/env python3
"""Outputs agree: JSON with jq, filters and counts and summary with the events, text is safe."""
import fnmatch
import json
import os
import re
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402

HOSTILE = [b"hostile", b"", b"\xff\xfe", b"a\nb\t\x1b[31m", b"'quoted' \"text\" \\", "--café".encode()]


def json_is_valid_and_exact():
    jq = lab.need_tool("jq")
    with lab.workdir() as work:
        capture = lab.made(work, "2000")
        text = lab.exectrace("replay", "--json", capture).stdout
        lab.demand(text.isascii() or text.decode("utf-8"), "is not UTF-8")
        kinds = lab.run([jq, "-er", 'select(type == "object") | .kind'], input=text).stdout.split()
        lab.equal(len(kinds), text.count(b"\n"), "lines that jq takes")
        # What jq counts is what info says.
        counted = {kind: kinds.count(kind.encode()) for kind in ("exec", "fail", "fork", "exit", "proc", "lost")}
        lab.equal(lab.info(capture)["kinds"], counted, "kinds")
        hostile = [event for event in lab.lines(text) if event["kind"] == "exec" and event["argv"][0] == "hostile"]
        lab.equal(len(hostile), 2000 // 8, "hostile execs")
        for event in hostile:
            lab.equal(lab.raw_argv(event), HOSTILE, "hostile argv")
            lab.equal(lab.raw(event, "cwd"), b"/srv/\x1b]0;title\x07/caf\xe9", "hostile cwd")
        # Types never change: argv is strings, argv_b64 strings or null, and only where needed.
        for event in lab.lines(text):
            for argument in event.get("argv", []):
                lab.demand(isinstance(argument, str), f"an argument of type {type(argument)}")
            if "argv_b64" in event:
                lab.demand(any(event["argv_b64"]), "argv_b64 where none is needed")
                lab.equal([b is None for b in event["argv_b64"]],
                          ["\ufffd" not in a for a in event["argv"]], "which arguments have exact bytes")


def text_is_safe():
    with lab.workdir() as work:
        capture = lab.made(work, "200")
        for command in (("replay",), ("replay", "--wide"), ("summary",), ("tree",), ("info",)):
            text = lab.exectrace(*command, capture).stdout.decode()
            bad = re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
            lab.equal(bad, [], f"control characters in {command}")
        # Words of the command column are a shell's words.
        text = lab.exectrace("replay", "--wide", "--no-header", "--kind", "exec", "--arg", "hostile", "--limit", "1",
                             capture).stdout.decode()
        words = text[text.index("hostile"):].strip()
        done = lab.run(["bash", "-c", f"printf '%s\\0' {words}"])
        lab.equal(done.stdout.split(b"\0")[:-1], HOSTILE, "argv through a shell")


def filters_agree_with_the_events():
    def failed(event):
        return event["kind"] == "fail"

    def ok(event):
        return event["kind"] == "exec"

    def path(event):	# of a failed exec it is the one that was tried
        return event.get("exe", event.get("filename", ""))
    rows = (
        (["--uid", "0"], lambda e: e["uid"] == 0),
        (["--uid", "ann"], lambda e: e["uid"] == 1000),
        (["--uid", "ann,root"], lambda e: True),
        (["--gid", "staff"], lambda e: e["gid"] == 1000),
        (["--pid", "1003"], lambda e: e["pid"] == 1003),
        (["--pid", "1003", "--pid", "1004,1005"], lambda e: e["pid"] in (1003, 1004, 1005)),
        (["--ppid", "905"], lambda e: e["ppid"] == 905),
        (["--comm", "ls"], lambda e: e["comm"] == "ls"),
        (["--comm", "[cm]*"], lambda e: fnmatch.fnmatchcase(e["comm"], "[cm]*")),
        (["--exe", "sed"], lambda e: path(e).endswith("/sed")),
        (["--exe", "/usr/bin/s*"], lambda e: fnmatch.fnmatchcase(path(e), "/usr/bin/s*")),
        (["--arg", "-o"], lambda e: "-o" in e.get("argv", [])),
        (["--arg", "file-1?.c"], lambda e: any(fnmatch.fnmatchcase(a, "file-1?.c") for a in e.get("argv", []))),
        (["--kind", "exec,exit"], lambda e: e["kind"] in ("exec", "exit")),
        (["--failed"], failed),
        (["--ok"], ok),
        (["--exit-code", "1,2"], lambda e: e.get("exit_code") in (1, 2)),
        (["--uid", "0", "--failed", "--comm", "make"], lambda e: failed(e) and e["uid"] == 0 and e["comm"] == "make"),
        (["--uid", "12345"], lambda e: False),
    )
    with lab.workdir() as work:
        capture = lab.made(work, "3000")
        events = lab.replay(capture)
        lab.demand(len(events) > 9000, f"the capture is small: {len(events)}")
        middle = events[len(events) // 2]
        rows += ((["--since", middle["time"]],
                  lambda e: e["time"] >= middle["time"]),
                 (["--until", middle["time"]], lambda e: e["time"] < middle["time"]))
        for options, matches in rows:
            expected = [event for event in events if matches(event)]
            lab.equal(lab.replay(*options, capture), expected, f"events of {options}")
            counted = int(lab.exectrace("replay", "--count", *options, capture).stdout)
            lab.equal(counted, len(expected), f"--count of {options}")
        lab.equal(lab.replay("--limit", "7", capture), events[:7], "events of --limit 7")
        times = [event["ts"] for event in events]
        lab.equal(times, sorted(times), "order of the events")


def several_files_and_pipes():
    with lab.workdir() as work:
        one, two = lab.made(work, "30"), lab.made(work, "20")
        events = lab.replay(one)
        with open(one, "rb") as file:
            lab.equal(lab.replay("-", stdin=file), events, "events of a file as standard input")
        with subprocess.Popen(["cat", one], stdout=subprocess.PIPE) as cat:
            lab.equal(lab.replay("-", stdin=cat.stdout), events, "events of a pipe")
            cat.stdout.close()
        both = lab.replay(one, two)
        lab.equal(len(both), len(events) + len(lab.replay(two)), "events of two files")
        times = [event["time"] for event in both]
        lab.equal(times, sorted(times), "order of the events of two files")
        joined = os.path.join(work, "joined.etz")
        with open(joined, "wb") as out:
            lab.run(["cat", one, two], stdout=out)
        lab.equal(len(lab.replay(joined)), len(both), "events of cat a b")
        # A reader that has enough is no failure.
        big = lab.made(work, "5000")
        done = lab.run(["bash", "-c", '"$1" replay "$2" | head -n 1 >/dev/null; echo ${PIPESTATUS[0]}', "bash",
                        lab.EXECTRACE, big], code=None)
        lab.demand(done.stdout.strip() in (b"0", b"141"), f"exit code into a closed pipe: {done.stdout}")
        lab.demand(b"roken pipe" not in done.stderr, f"a closed pipe does not end quietly: {done.stderr!r}")


def summary_agrees_with_the_events():
    with lab.workdir() as work:
        capture = lab.made(work, "3000")
        events = lab.replay(capture)
        summary = json.loads(lab.exectrace("summary", "--json", capture).stdout)
        db = sqlite3.connect(":memory:")
        db.execute("create table events (kind, comm, user, uid, exe, filename, argv0, error, exit_code, signal, core)")
        db.executemany("insert into events values (?,?,?,?,?,?,?,?,?,?,?)",
                       [(e["kind"], e["comm"], e.get("user"), e["uid"], e.get("exe"), e.get("filename"),
                         (e.get("argv") or [None])[0], e.get("error"), e.get("exit_code"), e.get("signal_name"),
                         e.get("core")) for e in events])

        def table(query):
            return dict(db.execute(query))
        lab.equal(summary["events"], len(events), "events")
        lab.equal({kind: n for kind, n in summary["kinds"].items() if n},
                  table("select kind, count(*) from events group by 1"), "kinds")
        lab.equal({row["user"]: row["count"] for row in summary["users"]},
                  table("select user, count(*) from events where kind = 'exec' group by 1"), "users")
        lab.equal({row["error"]: row["count"] for row in summary["errors"]},
                  table("select error, count(*) from events where kind = 'fail' group by 1"), "errors")
        lab.equal({row["filename"]: row["count"] for row in summary["failed_paths"]},
                  table("select filename, count(*) from events where kind = 'fail' group by 1"), "failed paths")
        lab.equal({row["command"]: row["count"] for row in summary["commands"]},
                  table("select replace(exe, '/usr/bin/', ''), count(*) from events where kind = 'exec' group by 1"),
                  "commands")
        exits = {}
        for (code, signal, core), n in ((row[:3], row[3]) for row in db.execute(
                "select exit_code, signal, core, count(*) from events where kind = 'exit' group by 1, 2, 3")):
            status = f"exit {code}" if code is not None else signal
            exits[status] = exits.get(status, 0) + n
        found = {}
        for row in summary["exits"]:
            status = row["status"].split(" (")[0].split(",")[0]
            found[status] = found.get(status, 0) + row["count"]
        lab.equal(found, exits, "exits")
        lab.equal(sum(row["count"] for row in summary["exits"]), summary["kinds"]["exit"], "sum of the exits")
        lab.equal(summary["complete"], True, "complete")


def info_agrees_with_the_file():
    with lab.workdir() as work:
        capture = lab.made(work, "3000")
        info = lab.info(capture)
        lab.equal(info["bytes"], os.path.getsize(capture), "bytes")
        lab.equal(info["events"], len(lab.replay(capture)), "events")
        lab.equal(sum(record["bytes"] for record in info["records"].values()), info["bytes"], "bytes of the records")
        lab.equal(info["chunks"], info["records"]["CHUNK"]["count"], "chunks")
        lab.equal((info["host"], info["kernel"]), ("example", "6.1.0"), "host and kernel")
        for name in ("lost", "lost_by_cause", "complete", "start", "end"):
            lab.demand(name in info, f"info has no {name}")
        bad = [key for key in ("host", "kernel", "start", "end") if not isinstance(info[key], str)]
        lab.equal(bad, [], "fields that are no text")


if __name__ == "__main__":
    lab.main(json_is_valid_and_exact, text_is_safe, filters_agree_with_the_events, several_files_and_pipes,
             summary_agrees_with_the_events, info_agrees_with_the_file)

#!/usr/bin/env python3
"""replay --sort, --reverse, --tail and --limit: held to Python's and sqlite's sorting of what JSON says."""
import json
import os
import random
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hostile  # noqa: E402
import lab  # noqa: E402
import world  # noqa: E402

NAMES = {"user": "uid", "group": "gid", "login_user": "login_uid", "cgroup": "cgroup_id", "error": "errno", "signal_name": "signal"}
TEXTS = ["comm", "filename", "exe", "cwd", "tty", "user", "group", "cgroup", "container", "kind", "cause", "error", "signal_name", "interpreter"]
NUMBERS = ["ts", "pid", "ppid", "uid", "start", "duration", "max_rss", "exit_code", "signal", "errno", "count", "exec_duration", "utime"]


def value(event, name):
    """What is compared, None where it is not known."""
    if name == "time":
        return event["time"]
    if name == "argv":
        return lab.raw_argv(event)
    if name in TEXTS:
        exact = lab.raw(event, name)
        return exact if exact is not None or NAMES.get(name) not in event else str(event[NAMES[name]]).encode()
    return event.get(name)


def in_order(events, columns):
    """Stable sorts from the last column to the first; what is not known is behind, either way."""
    for column in reversed(columns.split(",")):
        down, name = column.startswith("-"), column.lstrip("-")
        known = [event for event in events if value(event, name) is not None]
        # reverse=True keeps the order of equals.
        events = sorted(known, key=lambda e: value(e, name), reverse=down) + [e for e in events if value(e, name) is None]
    return events


def replay(path, *options):
    return lab.replay(*options, path)


def it_is_sorted():
    rng = random.Random(5)
    with lab.workdir() as work:
        several = [hostile.capture(os.path.join(work, "h.etz"), 3, 400), world.write(os.path.join(work, "w.etz"), world.World(4, 500).text())]
        lists = [*TEXTS, *NUMBERS, "time", "argv", "-argv", "-duration", "-time", "kind,-pid,comm", "user,-duration,ts"]
        lists += [",".join(rng.choice(("", "-")) + rng.choice(TEXTS + NUMBERS + ["argv", "time"]) for _ in range(rng.randrange(1, 5)))
                  for _ in range(12)]
        moved = 0
        for path in several:
            events = replay(path)
            for columns in lists:
                expected = in_order(events, columns)
                lab.equal(replay(path, "--sort", columns), expected, f"--sort {columns}")
                lab.equal(replay(path, "--sort", columns, "--reverse"), expected[::-1], f"--sort {columns} --reverse")
                moved += expected != events
        lab.demand(moved > 50, f"only {moved} lists of columns change the order")
        both = replay(several[0], several[1])
        lab.equal(replay(several[0], several[1], "--sort", "comm,-pid"), in_order(both, "comm,-pid"), "of two captures")


def pieces_of_it():
    with lab.workdir() as work:
        path = lab.made(work, "1600")
        events = replay(path)
        lab.demand(len(events) > 5000, f"only {len(events)} events")
        by_time = sorted(events, key=lambda e: (-e.get("duration", -1), e["ts"]))
        for n in (0, 1, 2, 7, 100, 4096, 5000, len(events) - 1, len(events), len(events) + 1, 10**15):
            some = ("--limit", str(n))
            lab.equal(replay(path, "--tail", str(n)), events[-n:] if n else [], f"--tail {n}")
            lab.equal(replay(path, "--reverse", *some), events[::-1][:n], f"--reverse --limit {n}")
            lab.equal(replay(path, "--reverse", "--tail", str(n)), events[::-1][-n:] if n else [], f"--reverse --tail {n}")
            lab.equal(replay(path, "--sort", "-duration", *some), by_time[:n], f"--sort --limit {n}")
            lab.equal(replay(path, "--sort", "-duration", "--tail", str(n)), by_time[-n:] if n else [], f"--sort --tail {n}")
        # Also from a pipe, of what a filter chooses, and in every format.
        with open(path, "rb") as file:
            lab.equal(lab.replay("--tail", "3", "--comm", "cc", "-", stdin=file),
                      [e for e in events if e["comm"] == "cc"][-3:], "--tail of a pipe and a filter")
        for form in ("text", "csv", "{time} {command}", "sh"):
            lines = lab.exectrace("replay", "--format", form, "--no-header", path).stdout.splitlines()
            for options, expected in ((("--reverse",), lines[::-1]), (("--tail", "5"), lines[-5:])):
                lab.equal(lab.exectrace("replay", "--format", form, "--no-header", *options, path).stdout.splitlines(), expected,
                          f"{form} {options}")


def what_was_shown_is_told():
    """Of each capture as many as were printed."""
    with lab.workdir() as work:
        one, two = lab.made(work, "200"), lab.made(work, "100", "shift=50")
        for options in ((), ("--reverse",), ("--sort", "comm"), ("--tail", "33"), ("--sort", "pid", "--limit", "500"), ("--reverse", "--limit", "40")):
            done = lab.exectrace("replay", "--json", *options, one, two)
            told = {path: int(next(word for word in line.split() if word.isdigit())) for path, line in
                    ((line.split(": ")[1], line.rsplit(": ", 1)[1]) for line in done.stderr.decode().splitlines())}
            lab.equal(sum(told.values()), done.stdout.count(b"\n"), f"events that {done.stderr} tells of with {options}")
        lab.equal(told, {one: 40, two: 0}, "of the one that goes on longer")


def sqlite_sorts_alike():
    with lab.workdir() as work:
        path = lab.made(work, "2000")
        db = sqlite3.connect(":memory:")
        db.execute("create table e (n integer primary key, comm, duration, exit_code, line)")
        for event in replay(path):
            db.execute("insert into e(comm, duration, exit_code, line) values (?,?,?,?)",
                       (event["comm"], event.get("duration"), event.get("exit_code"), json.dumps(event)))
        for columns, order in (("comm,-duration", "comm, duration desc nulls last, n"),
                               ("exit_code,duration", "exit_code nulls last, duration nulls last, n")):
            lab.equal(replay(path, "--sort", columns), [json.loads(line) for line, in db.execute(f"select line from e order by {order}")],
                      columns)


def heading_of_what_is_sorted():
    """Times have their dates, as no line above tells them; backwards a day's line stands above its own."""
    text = "segment ts=1 realtime=1790000000000000000\nfork ts=1 pid=9\nfork ts=86400000000001 pid=3\nend ts=86400000000002 done\n"
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "d.etz"), text)

        def times(*options):
            lines = lab.exectrace("replay", "--columns", "time,pid", *options, path).stdout.decode().splitlines()
            return [line.split() for line in lines[1:]]
        first, second = ["2026-09-21", "UTC"], ["2026-09-22", "UTC"]
        lab.equal(times(), [first, ["14:13:20.000000", "9"], second, ["14:13:20.000000", "3"]], "as it came")
        lab.equal(times("--reverse"), [second, ["14:13:20.000000", "3"], first, ["14:13:20.000000", "9"]], "backwards")
        lab.equal(times("--sort", "pid"), [second, ["2026-09-22T14:13:20.000000", "3"], ["2026-09-21T14:13:20.000000", "9"]], "sorted")


def much_in_little_memory():
    """More than memory is used for: through a file without a name in TMPDIR, which has to be there then."""
    with lab.workdir() as work:
        path = lab.made(work, "150000")
        keys = {}
        for line in lab.exectrace("replay", "--json", "--sort", "-pid,kind", path, env={**os.environ, "TMPDIR": work}).stdout.splitlines():
            event = json.loads(line)
            keys.setdefault("found", []).append((-event["pid"], event["kind"], event["ts"]))
        lab.demand(len(keys["found"]) > 500000, f"only {len(keys['found'])} events")
        lab.equal(keys["found"] == sorted(keys["found"]), True, "they are in order")
        lab.equal(os.listdir(work), [os.path.basename(path)], "files that are left")
        if not lab.SANITIZED:
            used = peak("replay", "--json", "--sort", "-pid,kind", path)
            lab.demand(30 << 20 < used < 200 << 20, f"{used >> 20} MiB were used")
            used = peak("replay", "--json", "--sort", "-pid,kind", "--limit", "20", path)
            lab.demand(used < 60 << 20, f"{used >> 20} MiB were used for 20 lines")
        nowhere = {**os.environ, "TMPDIR": os.path.join(work, "nowhere")}
        done = lab.exectrace("replay", "--json", "--reverse", path, code=1, env=nowhere)
        lab.demand(b"TMPDIR" in done.stderr and b"No such file" in done.stderr, f"says {done.stderr}")
        lab.equal(lab.lines(lab.exectrace("replay", "--json", "--tail", "2", path, env=nowhere).stdout),
                  lab.lines(lab.exectrace("replay", "--json", "--reverse", "--limit", "2", path).stdout)[::-1], "a few need no file")


def peak(*args):
    """Bytes of memory that a run took at most; asked by a process that has little, as it starts with that one's."""
    asked = ("import os, subprocess, sys; p = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL); "
             "_, status, usage = os.wait4(p.pid, 0); print(usage.ru_maxrss << 10); sys.exit(status != 0)")
    return int(lab.run([sys.executable, "-c", asked, lab.EXECTRACE, *args]).stdout)


def what_does_not_go_together():
    with lab.workdir() as work:
        path = lab.made(work, "5")
        for options, word in ((("--sort", "pidd"), "pidd"), (("--sort", "pid,"), "''"), (("--sort", "-"), "''"),
                              (("--sort", ",".join(["pid"] * 17)), "more than 16"), (("--tail", "x"), "'x'"), (("--tail", "-1"), "-1"),
                              (("--tail", "1", "--limit", "1"), "--limit"), (("--count", "--tail", "1"), "--count"),
                              (("--follow", "--tail", "1"), "no end"), (("--follow", "--sort", "pid"), "no end"),
                              (("--follow", "--reverse"), "no end"), (("--speed", "1x", "--reverse"), "--speed")):
            done = lab.exectrace("replay", *options, path, code=2)
            lab.equal(done.stdout, b"", f"output of {options}")
            lab.demand(word in done.stderr.decode(), f"{options} says {done.stderr}")


if __name__ == "__main__":
    lab.main(it_is_sorted, pieces_of_it, what_was_shown_is_told, sqlite_sorts_alike, heading_of_what_is_sorted, much_in_little_memory, what_does_not_go_together)

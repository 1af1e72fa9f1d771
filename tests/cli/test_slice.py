#!/usr/bin/env python3
"""slice: what it keeps, whose rows it adds, and what it leaves nothing of."""
import fnmatch
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
import world  # noqa: E402
from rewritten import json_of, same_exes, same_rows  # noqa: E402
from world import World  # noqa: E402


def filters(capture):
    """Options, and what they mean, for a World."""
    ts = sorted(row["ts"] for row in capture.rows)
    early, late = ts[len(ts) // 3], ts[len(ts) * 2 // 3]

    def at(when):	# as an option: time since the beginning
        return f"+{when - capture.begun}ns"

    def process(test):
        return lambda row: row["kind"] == "lost" or test(row)

    def after(row):
        return row.get("until", row["ts"]) >= early

    def before(row):
        return row["ts"] < late
    uid, pid = capture.uids[0], capture.rows[-1].get("pid", 1)
    comm = next(row["comm"] for row in capture.rows if row["kind"] == "exec")
    return (
        ([], lambda row: True),
        (["--uid", str(uid)], process(lambda row: row["uid"] == uid)),
        (["--uid", capture.name(uid)], process(lambda row: row["uid"] == uid)),
        (["--gid", str(uid + 1)], process(lambda row: row["gid"] == uid + 1)),
        (["--pid", str(pid)], process(lambda row: row["pid"] == pid)),
        (["--ppid", "1"], process(lambda row: row["ppid"] == 1)),
        (["--comm", comm], process(lambda row: row["comm"] == comm)),
        (["--exe", "/e*5z"], process(lambda row: fnmatch.fnmatchcase(row.get("exe", row.get("filename", "")), "/e*5z"))),
        (["--arg", "a*3z"], process(lambda row: any(fnmatch.fnmatchcase(a, "a*3z") for a in row.get("argv", [])))),
        (["--kind", "exit"], process(lambda row: row["kind"] == "exit")),
        (["--kind", "proc"], process(lambda row: row["kind"] == "proc")),
        (["--kind", "lost"], process(lambda row: False)),
        (["--failed"], process(lambda row: row["kind"] == "fail")),
        (["--ok"], process(lambda row: row["kind"] == "exec")),
        (["--exit-code", "1,2"], process(lambda row: row.get("exit_code") in (1, 2))),
        (["--since", at(early)], after),
        (["--until", at(late)], before),
        (["--since", at(early), "--until", at(late), "--failed"],
         lambda row: after(row) and before(row) and row["kind"] in ("fail", "lost")),
        (["--uid", "12345"], process(lambda row: False)),
    )


def slice_is_what_replay_shows():
    with lab.workdir() as work:
        for seed in range(4):
            capture = World(seed, 700)
            path = world.write(os.path.join(work, "w.etz"), capture.text())
            same_rows(lab.replay(path), capture.rows, capture, "the capture itself")
            same_exes(path, capture.rows, capture, "the capture itself")
            for options, matches in filters(capture):
                out = os.path.join(work, "s.etz")
                done = lab.exectrace("slice", "-f", "-o", out, "--no-ancestors", *options, path)
                kept = [row for row in capture.rows if matches(row)]
                same_rows(lab.replay(out), kept, capture, f"slice {options}")
                same_exes(out, kept, capture, f"slice {options}")
                replayed = [o + ",lost" if before == "--kind" else o for before, o in zip([None, *options], options)]
                lab.demand(json_of(out) == json_of(path, *replayed), f"slice {options} is not what replay shows")
                n = sum(row["kind"] != "lost" for row in kept)
                total = sum(row["kind"] != "lost" for row in capture.rows)
                lab.demand(b"%d of %d event" % (n, total) in done.stderr, f"slice {options} says {done.stderr}")
                # What was lost is what rows say.
                lost = {1: 0, 2: 0}
                for row in kept:
                    if row["kind"] == "lost":
                        lost[row["cause"]] += row["count"]
                causes = lab.info(out)["lost_by_cause"]
                lab.equal((causes.get("ring_full", 0), causes.get("busy", 0)), (lost[1], lost[2]), f"losses of {options}")
                # A slice of a slice, by a pipe, is the same once more.
                twice = os.path.join(work, "t.etz")
                with open(out, "rb") as file:
                    lab.exectrace("slice", "-q", "-f", "-o", twice, "--no-ancestors",
                                  *(options if "--since" not in options and "--until" not in options else []), "-", stdin=file)
                lab.demand(json_of(twice) == json_of(out), f"slice {options} of a slice")


def ancestors_are_those_of_the_time():
    with lab.workdir() as work:
        depth = 0
        for seed in range(10, 18):
            capture = World(seed, 500, lost=0.02, pids=40)
            path = world.write(os.path.join(work, "w.etz"), capture.text())
            out = os.path.join(work, "s.etz")
            for options, matches in filters(capture):
                lab.exectrace("slice", "-q", "-f", "-o", out, *options, path)
                kept = {i for i, row in enumerate(capture.rows) if matches(row)}
                line = set().union(*(capture.ancestors(i) for i in kept)) if kept else set()
                depth = max([depth] + [len(capture.ancestors(i)) for i in kept])
                same_rows(lab.replay(out), [capture.rows[i] for i in sorted(kept | line)], capture, f"slice {options}, seed {seed}")
        lab.demand(depth > 6, f"the trees are too flat to judge: {depth}")


def a_snapshot_may_tell_late():
    """A process whose proc row comes behind an event of its child; one that began later is another."""
    text = """segment ts=1000
exec ts=2000 pid=20 ppid=10 start=1500 uid=7 comm=child
exec ts=2100 pid=21 ppid=11 start=1500 uid=7 comm=child
exec ts=2200 pid=10 ppid=5 start=900 uid=8 comm=later
proc ts=3000 pid=10 ppid=5 start=0 uid=8 comm=parent
proc ts=3001 pid=5 ppid=1 start=0 uid=8 comm=grandparent
proc ts=3002 pid=11 ppid=5 start=2500 uid=8 comm=other
proc ts=3003 pid=12 ppid=5 start=0 uid=8 comm=other
end ts=4000 done
"""
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "w.etz"), text)
        out = os.path.join(work, "s.etz")
        lab.exectrace("slice", "-o", out, "--uid", "7", path)
        lab.equal([event["ts"] for event in lab.replay(out)], [2000, 2100, 3000, 3001], "rows kept")


def nothing_else_remains():
    with lab.workdir() as work:
        found_kept = searched = 0
        for seed in range(20, 24):
            capture = World(seed, 400)
            path = world.write(os.path.join(work, "w.etz"), capture.text())
            whole = world.unpacked(lab.contents(path))
            for row in capture.rows:
                for text in capture.owned(row) | capture.names(row):
                    lab.demand(text in whole, f"the search does not find {text} where it is")
            for options, matches in filters(capture):
                for more in ([], ["--no-ancestors"]):
                    out = os.path.join(work, "s.etz")
                    lab.exectrace("slice", "-q", "-f", "-o", out, *more, *options, path)
                    kept = {i for i, row in enumerate(capture.rows) if matches(row)}
                    if not more and kept:
                        kept |= set().union(*(capture.ancestors(i) for i in kept))
                    rows = [capture.rows[i] for i in sorted(kept)]
                    data = lab.contents(out)
                    everything = world.unpacked(data)
                    mine = set().union(*(capture.owned(row) | capture.names(row) for row in rows), set())
                    for text in mine - {b""}:
                        lab.demand(text in everything, f"{text} is gone from slice {options}")
                        found_kept += 1
                    for row in capture.rows:
                        for text in (capture.owned(row) | capture.names(row)) - mine:
                            lab.demand(text not in everything, f"{text} remains in slice {more} {options}")
                            searched += 1
                    all_kept = len(rows) == len(capture.rows)
                    for text in (f"cmd{capture.prefix}z", f"opt{capture.prefix}z"):
                        lab.equal(text.encode() in everything, all_kept, f"{text} in slice {options}")
                    # Statistics are of the rows kept alone.
                    columns, comms = world.statistics(data)
                    lab.demand(comms <= {world.comm_hash(row["comm"]) for row in rows if "comm" in row},
                               f"hashes of other names in slice {options}")
                    for column, field in ((3, "pid"), (5, "ppid"), (7, "uid"), (8, "gid"), (12, "cgroup")):
                        allowed = {row[field] + (column != 3) for row in rows if field in row} | {0}
                        lab.demand(columns.get(column, set()) <= allowed, f"statistics of {field} in slice {options}")
        lab.demand(searched > 10000 and found_kept > 10000, f"only {searched} and {found_kept} searched")


if __name__ == "__main__":
    lab.need_tool("zstd")
    lab.main(slice_is_what_replay_shows, ancestors_are_those_of_the_time, a_snapshot_may_tell_late,
             nothing_else_remains)

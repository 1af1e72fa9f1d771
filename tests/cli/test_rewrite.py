#!/usr/bin/env python3
"""slice, merge and compact: what they keep, what they leave nothing of, and what they leave behind."""
import datetime
import fnmatch
import os
import pty
import resource
import signal
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import etz  # noqa: E402
import lab  # noqa: E402
import world  # noqa: E402
from world import World  # noqa: E402


def json_of(path, *options, code=0):
    return lab.exectrace("replay", "--json", *options, path, code=code).stdout


def not_lost(path):
    return [event for event in lab.replay(path) if event["kind"] != "lost"]


def compact(path, *options, code=0):
    out = path + ".compact"
    done = lab.exectrace("compact", "-f", "-o", out, *options, path, code=code)
    return out, done.stderr


def header(columns):
    """A file header whose schema has these columns in the place of the usual of their ids."""
    schema = {column[0]: column for column in (*etz.COLUMNS, *columns)}
    return etz.record(etz.FILE_HEADER, etz.tags(SCHEMA=b"".join(
        etz.varint(number) + bytes([kind, unit]) + kinds.to_bytes(2, "little") + etz.name(text.encode())
        for number, text, kind, unit, kinds in (schema[n] for n in sorted(schema))), VERSION=b"\1\0", CLOCK=b"\7"))


def header_of(kind):
    """One whose first columns are those of one more kind."""
    return header([(*column[:4], column[4] | 1 << kind) for column in etz.COLUMNS[:3]])


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


def shown(row, capture):
    """A row as replay --json tells it, but for what is derived."""
    out = {name: value for name, value in row.items() if name not in ("process", "parent", "exec_ts")}
    if "cgroup" in row:
        out.update(cgroup=capture.name(row["cgroup"]), user=capture.name(row["uid"]), group=capture.name(row["gid"]))
    if "exe_dev" in row:
        out.update(exe_dev="%d:%d" % (row["exe_dev"] >> 20, row["exe_dev"] & 0xfffff))
    return out


def exes_of(path):
    """What info says of executables, by path."""
    exes = lab.info(path)["exes"]
    lab.equal(len({exe["path"] for exe in exes}), len(exes), f"executables of {path} that are there once")
    return {exe["path"]: exe for exe in exes}


def same_exes(path, rows, capture, what):
    """The executables are those that the rows name, with all that the capture said of them."""
    wanted = {}
    for name in {row["exe"] for row in rows if "exe" in row}:
        exe = capture.exes[name]
        wanted[name] = {"path": name, "dev": "%d:%d" % (exe["dev"] >> 20, exe["dev"] & 0xfffff),
                        "inode": exe["inode"], "size": exe["size"], "mtime": wall(exe["mtime"]),
                        "build_id": exe["build_id"].encode().hex(), "interpreter": exe["interpreter"]}
    lab.equal(exes_of(path), wanted, f"executables of {what}")


def wall(ns):
    return f"{datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=ns // 10**9):%Y-%m-%dT%H:%M:%S}.{ns % 10**9:09}Z"


def same_rows(events, rows, capture, what):
    causes = {1: "ring_full", 2: "busy"}
    wanted = [shown(row, capture) for row in rows]
    for row in wanted:
        if row["kind"] == "lost":
            row["cause"] = causes[row["cause"]]
    for event, row in zip(events, wanted):
        lab.equal({name: event.get(name) for name in row}, row, f"an event of {what}")
    lab.equal(len(events), len(wanted), f"number of events of {what}")


def compact_changes_nothing():
    with lab.workdir() as work:
        many = [lab.made(work, "3000"), lab.made(work, "3000", "lost"), lab.made(work, "300", "unclean")]
        for seed in range(3):
            path = os.path.join(work, f"world{seed}.etz")
            many.append(world.write(path, World(seed, 2000).text()))
        joined = os.path.join(work, "joined.etz")
        with open(joined, "wb") as file:
            for path in many[-2:]:
                file.write(lab.contents(path))
        many.append(joined)
        for path in many:
            before = json_of(path)
            for options in ([], ["--chunk-rows", "7", "--level", "1"], ["--chunk-rows", "262144"]):
                out, said = compact(path, *options)
                lab.demand(json_of(out) == before, f"compact {options} of {path} changes events")
                was, now = lab.info(path), lab.info(out)
                for name in ("kinds", "lost", "lost_by_cause", "complete", "host", "start", "end", "properties", "segments",
                             "missing", "damaged", "clock_steps", "exes"):
                    if name == "end" and "unclean" in path:
                        continue
                    lab.equal(now.get(name), was.get(name), f"{name} of {path} after compact {options}")
                lab.equal(now["boot_id"] if "boot_id" in now else None, was.get("boot_id"), "boot id")
                if not options:
                    lab.demand(now["bytes"] < was["bytes"], f"{path} became larger: {now['bytes']} of {was['bytes']}")
                    lab.demand(str(now["bytes"]).encode() in said, f"the last line does not tell: {said}")
            lab.demand(now["chunks"] < was["chunks"] or was["chunks"] < 3, f"{path} has as many chunks")
            # Done again it is the same.
            again, _ = compact(out)
            lab.demand(json_of(again) == before, "compact twice changes events")


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


def merge_is_all_in_order():
    with lab.workdir() as work:
        whole = World(30, 1500, lost=0)
        whole.extra = [(1, 3)]
        # Three recorders of one boot, each missing some of it; their wall clocks differ a little.
        rows = range(len(whole.rows))
        parts, kept = [], []
        for k in range(3):
            drop = {i for i in rows if i % 3 != k}
            kept.append(set(rows) - drop)
            whole.offset = world.OFFSET + k * 1000
            whole.prefix, prefix = "1e", whole.prefix
            parts.append(world.write(os.path.join(work, f"p{k}.etz"), whole.text(drop=drop, end=f"end{k}")))
            whole.prefix = prefix
        whole.offset = world.OFFSET
        out = os.path.join(work, "m.etz")
        lab.exectrace("merge", "-o", out, *parts)
        same_rows(not_lost(out), whole.rows, whole, "merged parts")
        same_exes(out, whole.rows, whole, "merged parts")
        info = lab.info(out)
        lab.equal((info["segments"], info["lost_by_cause"].get("ring_full")), (1, 9), "segments and losses that add up")
        lab.equal([(e["cause"], e["count"], e["ts"]) for e in lab.replay("--kind", "lost", out)],
                  [("ring_full", 9, whole.begun)], "losses that only heads had counted")
        lab.demand(info["chunks"] <= 4, f"two clocks tear chunks: {info['chunks']}")
        lab.equal(info["properties"]["command"], "cmd1ez", "command of a merge")
        again, _ = compact(out)
        lab.demand(sorted(json_of(again).splitlines()) == sorted(json_of(out).splitlines()), "what only heads had counted is a row from then on")
        whole.extra = []
        # Sliced, several files are merged first, so ancestors are found across them.
        sliced = os.path.join(work, "s.etz")
        lab.exectrace("slice", "-o", sliced, "--kind", "exit", *parts)
        wanted = {i for i in rows if whole.rows[i]["kind"] == "exit"}
        wanted |= set().union(*(whole.ancestors(i) for i in wanted))
        same_rows(not_lost(sliced), [whole.rows[i] for i in sorted(wanted)], whole, "slice of parts")
        # One behind the other, as files of a recorder that rotates.
        third = len(whole.rows) // 3
        parts = [world.write(os.path.join(work, f"r{k}.etz"), whole.text(drop=set(rows) - set(range(k * third, (k + 1) * third if k < 2 else len(rows)))))
                 for k in range(3)]
        lab.exectrace("merge", "-f", "-o", out, *reversed(parts))
        same_rows(lab.replay(out), whole.rows, whole, "merged files in a row")
        lab.equal(lab.info(out)["segments"], 1, "segments")


def merge_unites_executables():
    """What one capture knows of an executable and another does not; and a file that was written anew."""
    row = "exec ts=%d pid=7 exe=%%2Fbin%%2Fls exe_dev=8388609 exe_inode=42\n"
    known = "exe %%2Fbin%%2Fls dev=8388609 inode=42 size=5 mtime=%d%s\n"
    # Of another device, of one whose device is not known, and of another path: no row names them.
    others = "exe %2Fbin%2Fls dev=8388610 inode=42\nexe %2Fbin%2Fls inode=42\nexe %2Fbin%2Fcp dev=8388609 inode=42\n"
    with lab.workdir() as work:
        one = world.write(os.path.join(work, "1"), f"segment boot={world.BOOT} ts=1\n", row % 10, known % (1, ""), others,
                          "end ts=50 x\n")
        two = world.write(os.path.join(work, "2"), f"segment boot={world.BOOT} ts=2\n", row % 20,
                          known % (1, " interpreter=ld"), known % (1, " build_id=AB interpreter=ld"),
                          known % (2, " build_id=CD"), "end ts=60 x\n")
        for order in ((one, two), (two, one)):
            out = os.path.join(work, "o.etz")
            lab.exectrace("merge", "-f", "-o", out, *order)
            same = {"path": "/bin/ls", "dev": "8:1", "inode": 42, "size": 5}
            wanted = [{**same, "mtime": wall(1), "build_id": "4142", "interpreter": "ld"},
                      {**same, "mtime": wall(2), "build_id": "4344"}]
            lab.equal(lab.info(out)["exes"], wanted, "executables")


def merge_keeps_boots_apart():
    with lab.workdir() as work:
        late = World(40, 200, boot="ff" * 16, offset=world.OFFSET + 3600 * world.SECOND)
        early, unknown = World(41, 200), World(42, 200, boot="00" * 16, offset=world.OFFSET + 1)
        paths = [world.write(os.path.join(work, f"{i}.etz"), w.text()) for i, w in enumerate((late, early, unknown, unknown))]
        out = os.path.join(work, "m.etz")
        lab.exectrace("merge", "-o", out, *paths)
        lab.equal(lab.info(out)["segments"], 4, "segments")
        compacted = sorted(json_of(out).splitlines())
        lab.equal(compacted, sorted(line for path in paths for line in json_of(path).splitlines()), "events")
        begins = [int.from_bytes(head[8][:8], "little") + int.from_bytes(head[8][8:], "little")
                  for kind, head, _ in world.records(lab.contents(out)) if kind == etz.FILE_HEADER]
        lab.equal(begins, sorted(begins), "order of the segments")
        # The name and the host of the capture named first.
        one, two = ("segment boot=" + world.BOOT + f" ts=5\nhost hostname {name}\nhost only{name} {name}\nuser 7 {name}\n"
                    f"exec ts={ts} pid=5 uid=7\nend ts=9 done\n" for name, ts in (("ann", 8), ("bob", 6)))
        paths = [world.write(os.path.join(work, f"n{i}.etz"), text) for i, text in enumerate((one, two))]
        for first, order in (("ann", paths), ("bob", paths[::-1])):
            lab.exectrace("merge", "-f", "-o", out, *order)
            info = lab.info(out)
            lab.equal((info["host"], info["properties"]["onlyann"], info["properties"]["onlybob"]), (first, "ann", "bob"),
                      "what is told of the host")
            lab.equal([event["user"] for event in lab.replay(out)][-1], first, "name of a user")


def what_was_not_read_is_told():
    with lab.workdir() as work:
        capture = World(50, 1200, lost=0)
        capture.extra = []
        path = world.write(os.path.join(work, "w.etz"), capture.text())
        good = lab.contents(path)
        places, at = [], 0
        for kind, head, body in world.records(good):
            size = 48 + sum(len(etz.tag(t, v)) for t, v in head.items())
            places.append((kind, at, size, len(body)))
            at += size + len(body)
            at += -at % 8
        chunks = [p for p in places if p[0] == etz.CHUNK]
        _, at, size, _ = chunks[len(chunks) // 2]
        rows = lab.replay(path)
        for where, what in ((at + size + 30, "body"), (at + 60, "head"), (at, "frame")):
            bad = os.path.join(work, "bad.etz")
            with open(bad, "wb") as file:
                file.write(good[:where] + bytes(b ^ 0x55 for b in good[where:where + 8]) + good[where + 8:])
            left = lines = lab.lines(json_of(bad, code=3))
            for command in (["compact"], ["merge"], ["slice", "--no-ancestors"], ["slice"]):
                out = os.path.join(work, "o.etz")
                done = lab.exectrace(*command, "-f", "-o", out, bad, code=3)
                lab.demand(b"at byte" in done.stderr, f"{command} does not tell of damage: {done.stderr}")
                events = lab.replay(out)
                gaps = [event for event in events if event["kind"] == "lost"]
                lab.equal([event for event in events if event["kind"] != "lost"], left, f"{command}, {what}: events that are left")
                lab.equal([(gap["cause"], gap["count"]) for gap in gaps], [("damaged", len(rows) - len(left))],
                          f"{command}, {what}: the gap")
                missing = [row["ts"] for row in rows if row["ts"] not in {event["ts"] for event in lines}]
                lab.demand(gaps[0]["ts"] <= missing[0] and missing[-1] <= gaps[0]["until"], f"{command}, {what}: {gaps}")
                around = [row["ts"] for row in lines if gaps[0]["ts"] < row["ts"] < gaps[0]["until"]]
                lab.equal(around, [], f"{command}, {what}: events inside of the gap")
                info = lab.info(out)
                lab.equal((info["complete"], info["lost_by_cause"]["damaged"], info["missing"]),
                          (False, len(rows) - len(left), 0), f"{command}, {what}: info")
            done = lab.exectrace("slice", "-f", "-o", out, "--until", f"+{rows[5]['ts'] - capture.begun}ns", bad)
            lab.equal([e for e in lab.replay(out) if e["kind"] == "lost"], [], "gap outside of the times")
        # A damaged record of names is told, and nothing is missing.
        users = next(p for p in places if p[0] == etz.USERS)
        with open(bad, "wb") as file:
            file.write(good[:users[1] + users[2] + 2] + b"\xff" + good[users[1] + users[2] + 3:])
        lab.exectrace("compact", "-f", "-o", out, bad, code=3)
        lab.equal(len(lab.replay(out)), len(rows), "events behind damaged names")


def an_end_is_not_invented():
    with lab.workdir() as work:
        path = lab.made(work, "300", "unclean")
        cut = os.path.join(work, "cut.etz")
        with open(cut, "wb") as file:
            file.write(lab.contents(path)[:-500])
        for source, code in ((path, 0), (cut, 3)):
            out = source
            for command in (["compact"], ["merge"], ["slice", "--no-ancestors"], ["slice", "--kind", "exit"]):
                to = os.path.join(work, "o" + command[0] + command[-1] + os.path.basename(out))
                lab.exectrace(*command, "-f", "-o", to, out, code=code)
                info = lab.info(to)
                lab.equal(info["complete"], False, f"complete after {command}")
                lab.demand("not ended" in info["state"] and info["ended"].startswith("not ended"), f"{command}: {info['state']}")
                lab.exectrace("replay", "--fail-on-loss", to, code=3)
                out, code = to, 0	# and of that one again
        done = lab.info(compact(lab.made(work, "30"))[0])
        lab.equal((done["complete"], done["ended"]), (True, "done"), "a capture that was ended")


def pipes_in_and_out():
    with lab.workdir() as work:
        path = lab.made(work, "2000", "lost")
        shell = 'cat "$2" | "$1" slice -q - -o - --comm ls | "$1" compact -q -o - - | "$1" merge -q -o - - "$2" | "$1" replay -q --json -'
        out = os.path.join(work, "s.etz")
        lab.exectrace("slice", "-o", out, "--comm", "ls", path)
        lab.exectrace("merge", "-f", "-o", out, out, path)
        done = lab.run(["bash", "-c", "set -o pipefail; " + shell, "bash", lab.EXECTRACE, path])
        # Segments of one time lie one behind the other in a pipe, and side by side in a file.
        in_order = lab.run(["bash", "-c", 'cat "$2" | "$1" replay -q --json -', "bash", lab.EXECTRACE, out])
        lab.demand(done.stdout == in_order.stdout, "events through pipes")
        lab.demand(sorted(done.stdout.splitlines()) == sorted(json_of(out).splitlines()), "events of the file")
        done = lab.run(["bash", "-c", 'cat "$2" | TMPDIR=/nonexistent "$1" slice -o /dev/null -', "bash", lab.EXECTRACE, path], code=1)
        lab.demand(b"/nonexistent" in done.stderr, f"no word of TMPDIR: {done.stderr}")
        lab.run(["bash", "-c", '"$1" compact -q -o - "$2" | true; test ${PIPESTATUS[0]} = 1', "bash", lab.EXECTRACE,
                 lab.made(work, "30000")])


def output_is_whole_or_not_there():
    with lab.workdir() as work:
        path = lab.made(work, "3000")
        folder = os.path.join(work, "d")
        os.mkdir(folder)
        out = os.path.join(folder, "out.etz")

        def old_one_stands(**kwargs):
            lab.equal(sorted(os.listdir(folder)), ["out.etz"], "files")
            lab.equal(lab.contents(out), b"old", "the old file")
        with open(out, "wb") as file:
            file.write(b"old")
        done = lab.exectrace("compact", "-o", out, path, code=1)
        lab.demand(b"--force" in done.stderr, f"an existing file: {done.stderr}")
        old_one_stands()
        # Limits, a full disk, damage at the beginning, a later version: all fail late.
        later = os.path.join(work, "later.etz")
        with open(later, "wb") as file:
            file.write(header_of(9) + etz.chunk(3, [], kind=9) + etz.end(3, kind=9))
        for command, kwargs in (
                (["compact", path], {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))}),
                (["slice", later], {}), (["merge", path, "/nonexistent"], {}), (["compact", "/dev/null"], {}),
                # Who ignores that its children end has nothing to wait for.
                (["compact", "/dev/null"], {"preexec_fn": lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)})):
            done = lab.exectrace(*command, "-f", "-o", out, code=1, **kwargs)
            lab.equal(done.stderr.count(b"\n"), 1, f"lines of {command}: {done.stderr}")
            old_one_stands()
        if os.geteuid() == 0 and lab.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], code=None).returncode == 0:
            try:
                with open(out, "wb") as file:
                    file.write(b"old")
                done = lab.exectrace("compact", "--level", "1", "--chunk-rows", "100", "-f", "-o", out, path, code=1)
                lab.demand(b"No space left" in done.stderr, f"a full disk: {done.stderr}")
                old_one_stands()
            finally:
                lab.run(["umount", folder])
        else:
            print("   no tmpfs to fill")
        # An interrupt.
        big = lab.made(work, "60000")
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with lab.started([lab.EXECTRACE, "compact", "-f", "-o", out, big]) as process:
                lab.wait_until(lambda: len(os.listdir(folder)) == 2, "the file beside")
                mode = stat.S_IMODE(os.stat(os.path.join(folder, min(os.listdir(folder)))).st_mode)
                lab.equal(mode, 0o600, "mode while it grows")
                process.send_signal(sig)
                process.communicate(timeout=lab.TIMEOUT)
                lab.equal(process.returncode, -sig, "exit code")
            old_one_stands()
        # What is no place for it.
        os.symlink(out, os.path.join(work, "link"))
        os.mkfifo(os.path.join(work, "fifo"))
        for name, word in (("link", b"symbolic link"), ("fifo", b"pipe"), ("d", b"directory"), ("no/x", b"no")):
            done = lab.exectrace("merge", "-f", "-o", os.path.join(work, name), path, code=1)
            lab.demand(word in done.stderr, f"{name}: {done.stderr}")
        master, slave = pty.openpty()
        lab.run([lab.EXECTRACE, "compact", "-o", "-", path], code=2, stdout=slave)
        os.close(master)
        os.close(slave)
        old_one_stands()
        # And it works: in the place of the old one, then in its own place.
        lab.exectrace("compact", "-f", "-o", out, path)
        lab.equal((sorted(os.listdir(folder)), stat.S_IMODE(os.stat(out).st_mode)), (["out.etz"], 0o600), "files and mode")
        lab.exectrace("slice", "-f", "-o", out, "--comm", "ls", out)
        lab.demand(json_of(out, "--comm", "ls") == json_of(path, "--comm", "ls"), "a capture sliced in its own place")
        for args in (["slice", path], ["compact", "-o", out, "-f", path, path], ["compact", "-o", out, "--level", "20", path],
                     ["compact", "-o", out, "--chunk-rows", "0", path], ["merge", path, "-o"], ["merge", "-f", "-o", out]):
            lab.exectrace(*args, code=2)


def a_later_version():
    """What cannot be written is named and refused, or left out and named."""
    row = etz.raw(etz.PID, 4, bytes((5, 6, 7, 8)))
    extra = (200, "seccomp", etz.UINT, 0, 0x7e)
    cases = (
        ("column seccomp", etz.header([extra]) + etz.chunk(4, [row, etz.const(200, 4, 9)]) + etz.end(4), 4),
        ("of a kind", header_of(9) + etz.chunk(2, [], kind=9) + etz.chunk(4, [row], seq=2) +
         etz.record(etz.END, etz.tags(KINDS=b"\1\4\x09\2", END_TIME=etz.u64(9) + etz.u64(9), REASON=b"x"), seq=6), 4),
        ("type 77", etz.header() + etz.chunk(4, [row]) + etz.record(77, b"", b"x", seq=4) + etz.end(4), 4),
        ("column uid", etz.header() + etz.chunk(4, [row, (etz.UID, 0, 0xf0, 4, b"x")]) + etz.end(4), 4),
        ("column filename", header([(13, "filename", etz.STR, 0, 0x0e)]) + etz.chunk(4, [row]) + etz.end(4), 4),
    )
    with lab.workdir() as work:
        path, out = os.path.join(work, "x.etz"), os.path.join(work, "o.etz")
        for word, data, events in cases:
            with open(path, "wb") as file:
                file.write(data)
            for command in ("compact", "slice", "merge"):
                done = lab.exectrace(command, "-o", out, path, code=1)
                lab.demand(word.encode() in done.stderr and b"--drop-unknown" in done.stderr, f"{word}: {done.stderr}")
                lab.demand(not os.path.exists(out), "something was written")
                done = lab.exectrace(command, "--drop-unknown", "-o", out, path)
                lab.demand(word.encode() in done.stderr, f"{word} is dropped in silence: {done.stderr}")
                lab.equal(len(lab.replay(out)), events, f"events without {word}")
                os.unlink(out)


def names_told_late_or_anew():
    text = """segment ts=5
exec ts=10 pid=5 uid=7 cgroup=9
chunk
host hostname one
user 7 early
exec ts=20000000000 pid=5 uid=7 cgroup=9
chunk
user 7 renamed
cgroup 9 late
host hostname two
user 8 unused
end ts=30000000000 done
"""
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "w.etz"), text)
        out, _ = compact(path)
        lab.equal(lab.info(out)["host"], "two", "host told last")
        events = lab.replay("--limit", "1", out)
        everything = world.unpacked(lab.contents(out))
        for word, there in ((b"renamed", True), (b"late", True), (b"unused", False)):
            lab.equal(word in everything, there, f"{word} in the file")
        lab.demand(events, "no events")


def hostile_captures():
    """Any damage gives a capture that can be read, or a message; under a limit of memory."""
    with lab.workdir() as work:
        capture = World(60, 300)
        good = lab.contents(world.write(os.path.join(work, "g.etz"), capture.text(chunk=25)))
        path, out = os.path.join(work, "x.etz"), os.path.join(work, "o.etz")
        rng, written = capture.rng, 0

        def limits():
            if not lab.SANITIZED:
                resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        for i in range(150):
            data = bytearray(good)
            for _ in range(rng.choice((1, 1, 3, 20))):
                at = rng.randrange(len(data))
                data[at] ^= 1 << rng.randrange(8)
            if i % 5 == 0:
                del data[rng.randrange(len(data)):]
            if i % 7 == 0:
                at = rng.randrange(len(data) + 1)
                data[at:at] = good[rng.randrange(len(good)):]
            with open(path, "wb") as file:
                file.write(data)
            command = rng.choice((["compact"], ["merge"], ["slice", "--failed"], ["slice", "--no-ancestors", "--uid", str(capture.uids[0])]))
            done = lab.exectrace(*command, "-f", "-o", out, path, code=None, preexec_fn=limits)
            lab.demand(done.returncode in (0, 1, 3), f"{command}: {done.returncode} {lab.tail(done.stderr)}")
            there = os.path.exists(out)
            lab.demand(there or b"damaged at its beginning" in done.stderr, f"{command}: {done.stderr}")
            if there:
                shown_now = lab.exectrace("replay", "-q", "--json", out)	# what we write is never damaged
                lab.demand(b"at byte" not in shown_now.stderr, f"damage in what was written: {shown_now.stderr}")
            if there and command in (["compact"], ["merge"]):
                was = set(json_of(path, code=None).splitlines())
                now = {line for line in shown_now.stdout.splitlines() if line in was or b'"kind":"lost"' not in line}
                lab.demand(now == was, f"events of a damaged capture ({i}, {command}): more {list(now - was)[:2]}, "
                           f"less {list(was - now)[:2]}")
            if there:
                written += 1
                os.unlink(out)
        lab.demand(written > 100, f"only {written} could be read")
        # A circle of parents and a line of thousands end.
        text = "segment ts=5\n" + "".join(f"fork ts={10 + i} pid={i + 2} ppid={i + 1} start=0\n" for i in range(6000))
        text += "".join(f"exec ts={9000 + i} pid={i} ppid={i ^ 1} start=0 uid=7\n" for i in range(10, 20)) + "end ts=10000 x\n"
        world.write(path, text)
        lab.exectrace("slice", "-f", "-o", out, "--uid", "7", path)


if __name__ == "__main__":
    lab.need_tool("zstd")
    lab.main(compact_changes_nothing, slice_is_what_replay_shows, ancestors_are_those_of_the_time, a_snapshot_may_tell_late,
             nothing_else_remains, merge_is_all_in_order, merge_unites_executables, merge_keeps_boots_apart, what_was_not_read_is_told,
             an_end_is_not_invented, pipes_in_and_out, output_is_whole_or_not_there, a_later_version,
             names_told_late_or_anew, hostile_captures)

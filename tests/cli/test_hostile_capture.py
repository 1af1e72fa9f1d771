#!/usr/bin/env python3
"""Small captures that ask for much: each ends soon, in little memory, with the truth."""
import json
import os
import resource
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import etz  # noqa: E402
import lab  # noqa: E402

DONE, DAMAGED = 0, 3
MEMORY = 1 << 30
ROWS = etz.MAX_ROWS


def limited():
    # Sanitizers reserve terabytes of addresses and use none of them.
    if not lab.SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def write(work, *parts):
    path = os.path.join(work, "hostile.etz")
    with open(path, "wb") as file:
        for part in parts:
            file.write(part)
    return path


def run(*args, code):
    return lab.exectrace(*args, code=code, preexec_fn=limited)


def judge(path, code, events, fault=None, faults=1, missing=0, replay=(), counted=None):
    """
    All readers: exit code, events shown, and each fault told once with its number of missing rows.
    counted: what summary finds where the fault is in a column that it does not read; with --by it does.
    """
    for how in (("compile-commands", "--compiler", "*"), ("timeline",)):
        run(*how, *replay, path, code=code)
    shown = run("replay", "--json", *replay, path, code=code)
    if counted:
        told = json.loads(run("summary", "--json", path, code=DONE).stdout)
        lab.equal((told["events"], told["complete"]), (counted, True), "what summary counts without the column")
    summary = run("summary", "--json", *(["--by", "argv"] if counted else []), path, code=code)
    info = run("info", "--json", path, code=None)
    for how in ((), ("--json",)):
        run("tree", *how, *replay, path, code=code)
    if not replay:
        lab.equal(shown.stdout.count(b"\n"), events, "events of replay")
    lab.equal(json.loads(summary.stdout)["events"], events, "events of summary")
    lab.equal(json.loads(summary.stdout)["complete"], code == DONE, "complete of summary")
    for done in (shown, summary):
        told = done.stderr.decode()
        if fault:
            lab.equal(told.count(fault), faults, f"times that {fault!r} is told in {told!r}")
        if missing:
            lab.demand(f"{missing} event{'' if missing == 1 else 's'} missing" in told, f"says {told!r}")
        else:
            lab.demand("missing" not in told, f"says {told!r}")
    return json.loads(shown.stdout.splitlines()[0]) if shown.stdout else None, json.loads(info.stdout)


def start(pid):
    """The column of pids that ascend by that much, in a few bytes."""
    return etz.const(etz.PID, ROWS, etz.zigzag(pid), etz.DELTA)


def distinct_pids():
    """64 x 262,144 processes of which none ends, 64-bit pids among them."""
    steps = [*range(1, 17), *(0x10001 + 2 * i for i in range(48))]
    with lab.workdir() as work:
        path = write(work, etz.header(),
                     *(etz.chunk(ROWS, [start(step)], seq=i * ROWS, at=etz.BOOT + i * 10**8)
                       for i, step in enumerate(steps)),
                     etz.end(len(steps) * ROWS))
        judge(path, DONE, len(steps) * ROWS, replay=("--kind", "exit"))


def distinct_keys():
    """Each row has a command, a path and a user of its own; more than are counted apart are told as others."""
    texts = [b"/bin/%x" % i for i in range(ROWS)]
    rows = 2 * ROWS
    fails = etz.record(etz.END, etz.tags(KINDS=b"".join(etz.varint(k) + etz.varint(ROWS)
                                                for k in (etz.EXEC, etz.FAIL))),
                       seq=rows)
    filename = etz.const(etz.FILENAME, ROWS, 0, etz.FIRST_USE)
    uid = etz.const(etz.UID, ROWS, etz.zigzag(1), etz.DELTA)
    with lab.workdir() as work:
        path = write(work, etz.header(),
                     *(etz.chunk(ROWS, [*etz.strings(*texts), filename, uid], seq=i * ROWS, kind=kind)
                       for i, kind in enumerate((etz.EXEC, etz.FAIL))), fails)
        summary = json.loads(run("summary", "--json", "--top", "0", path, code=DONE).stdout)
        for ranking in ("commands", "users", "failed_paths"):
            lab.equal(len(summary[ranking]), 65536, f"{ranking} that are counted apart")
            lab.equal(summary[ranking + "_other"], ROWS - 65536, f"others of {ranking}")
        text = run("summary", path, code=DONE).stdout.decode()
        lab.equal(text.count("in many other "), 3, f"lines about others in {text!r}")


def bad_item():
    """The last of 262,144 lists names a string that is not there: one fault, not as many as rows."""
    bad = [*etz.strings(b"x"), etz.const(etz.ARGV, ROWS, 2),
           etz.raw(etz.ARGV, ROWS, b"\1" * (ROWS - 1) + b"\11", part=1)]
    good = [*etz.strings(b"x"), etz.const(etz.ARGV, 5, 2), etz.const(etz.ARGV, 5, 1, part=1)]
    with lab.workdir() as work:
        path = write(work, etz.header(), etz.chunk(ROWS, bad), etz.chunk(5, good, seq=ROWS), etz.end(ROWS + 5))
        event, _ = judge(path, DAMAGED, 5, "names a string", missing=ROWS, counted=ROWS + 5)
        lab.equal(event["argv"], ["x"], "argv of the rows behind")


def bad_later_column():
    """A column that no version knows yet is wrong: the rows are not shown without it as if they were whole."""
    extra = [(200, "later", etz.STR, 0, 2)]
    with lab.workdir() as work:
        path = write(work, etz.header(extra), etz.chunk(3, [etz.const(200, 3, 7)]), etz.end(3))
        done = run("replay", "--json", path, code=DAMAGED)
        lab.equal(done.stdout, b"", "events")
        lab.demand("names a string" in done.stderr.decode() and "3 events missing" in done.stderr.decode(), f"says {done.stderr}")
        lab.equal(json.loads(run("summary", "--json", path, code=DONE).stdout)["events"], 3, "what summary counts without the column")


def names_that_descend():
    """200,000 cgroups, the highest id first; the names hold all the same."""
    body = b"".join(etz.varint(i) + etz.name(b"/c%d" % i) for i in range(200000, 0, -1))
    with lab.workdir() as work:
        path = write(work, etz.header(), etz.record(etz.CGROUPS, body=body),
                     etz.chunk(1, [etz.const(etz.C_CGROUP, 1, 777 + 1)]), etz.end(1))
        event, _ = judge(path, DONE, 1)
        lab.equal(event["cgroup"], "/c777", "cgroup")


def many_users():
    """A user's name is looked for once, not anew for each of many records of names."""
    body = b"".join(b"\0" + etz.varint(i) + etz.name(b"u%d" % i) for i in range(200000))
    more = etz.record(etz.USERS, body=b"\0" + etz.varint(1000) + etz.name(b"ann"))
    with lab.workdir() as work:
        path = write(work, etz.header(), etz.record(etz.USERS, body=body), more * 100000,
                     etz.chunk(2, [etz.const(etz.UID, 2, 1000 + 1)]), etz.end(2))
        for user, events in (("ann", 2), ("u999", 0), ("nobody", 0)):
            done = run("replay", "--count", "--uid", user, path, code=DONE)
            lab.equal(int(done.stdout), events, f"events of {user}")


def many_segments():
    """What a segment has learned is forgotten at little cost when many begin behind it."""
    body = b"".join(etz.varint(i) + etz.name(b"x") for i in range(500000))
    with lab.workdir() as work:
        path = write(work, etz.header(), etz.record(etz.CGROUPS, body=body), etz.end(0),
                     (etz.header() + etz.end(0)) * 50000)
        judge(path, DONE, 0)


def large_heads():
    """Beginnings of records one behind the other that each claim a head of 1 MiB: one damaged place."""
    forged = etz.frame(etz.CHUNK, 1 << 20, 0)
    with lab.workdir() as work:
        for unit in (etz.MAGIC, forged[:-1] + bytes([forged[-1] ^ 1]), forged[:20]):
            junk = unit * ((3 << 20) // len(unit))
            path = write(work, etz.header(), junk + bytes(-len(junk) % 8), etz.chunk(1, []), etz.end(1))
            judge(path, DAMAGED, 1, "at byte")
        # Heads whose lengths are right but whose crc is wrong; each is passed over whole.
        one = forged + bytes(1 << 20)
        path = write(work, etz.header(), (one + bytes(-len(one) % 8)) * 3, etz.chunk(1, []), etz.end(1))
        judge(path, DAMAGED, 1, "head is damaged", faults=3)


def wide_chunks():
    """As many columns of as many rows as can be, in some hundred bytes; and more than can be."""
    room = (1 << 24) // ROWS - len(etz.COLUMNS)
    for columns in (room, room + 1, 190):
        extra = [(64 + i, f"later{i}", etz.UINT, 0, 2) for i in range(columns)]
        streams = [etz.const(64 + i, ROWS, 1) for i in range(columns)]
        with lab.workdir() as work:
            for full in (streams, []):
                path = write(work, etz.header(extra), *(etz.chunk(ROWS, full, seq=i * ROWS) for i in range(8)),
                             etz.end(8 * ROWS))
                if columns == room:
                    done = run("replay", "--json", "--limit", "3", path, code=DONE)
                    lab.equal([event.get("later7") for event in lab.lines(done.stdout)], [1 if full else 0] * 3,
                              "later7")
                    lab.equal(int(run("replay", "--count", path, code=DONE).stdout), 8 * ROWS, "count")
                    done = run("summary", "--json", path, code=DONE)
                    lab.equal(json.loads(done.stdout)["events"], 8 * ROWS, "events")
                else:
                    judge(path, DAMAGED, 0, "more than the format allows", faults=5, missing=8 * ROWS)


def clocks_that_break_the_rules():
    """A row record whose wall clock cannot be is told once and missing; as many steps as may be are taken."""
    bad = (b"", etz.u64(5)[:7], etz.realtime(5, (0, 1)), etz.realtime(5, (1, 1))[:-1],
           etz.realtime(5, *[(1, 1)] * 16), etz.realtime(5, ((1 << 64) - etz.BOOT, 0)), etz.realtime(5) + b"\x80\0\0")
    with lab.workdir() as work:
        for value in bad:
            path = write(work, etz.header(), etz.chunk(1, [], REALTIME=value), etz.chunk(1, [], seq=1), etz.end(2))
            event, info = judge(path, DAMAGED, 1, "breaks the format", missing=1)
            lab.equal(event["time"], "2023-11-14T22:13:20.000000000Z", "time of the row behind")
            lab.equal((info["damaged"], info["complete"]), (1, False), "what info says")
        # Fifteen steps back; the row lies at the last, wherever TIME says that rows can be.
        ts = etz.const(etz.TS, 1, 15)
        path = write(work, etz.header(), etz.chunk(1, [ts], span=100, REALTIME=etz.realtime(100, *[(1, -6)] * 15)),
                     etz.end(1))
        event, _ = judge(path, DONE, 1)
        lab.equal(event["time"], "1970-01-01T00:00:01.000000025Z", "time after fifteen steps")
        # Over what 64 bits hold it is the nearest that they hold.
        path = write(work, etz.header(), etz.chunk(1, [], at=(1 << 64) - 1, REALTIME=etz.realtime((1 << 63) - 1)),
                     etz.end(1))
        event, _ = judge(path, DONE, 1)
        lab.equal(event["time"], "2262-04-11T23:47:16.854775807Z", "time that is too late")


def clock_set_once():
    """Rows from before the clock was set, in a record behind, are no second and third time that it was."""
    hour = 3600 * 10**9

    def rows(at, seq):
        return etz.chunk(2, [etz.raw(etz.TS, 2, b"\0\2")], seq=seq, at=at, span=2,
                         REALTIME=etz.realtime(etz.OFFSET, (2, hour)))
    with lab.workdir() as work:
        path = write(work, etz.header(), rows(etz.BOOT, 0), rows(etz.BOOT + 1, 2),
                     etz.end(4, END_TIME=etz.u64(etz.BOOT + 9) + etz.u64(etz.OFFSET + hour)))
        _, info = judge(path, DONE, 4)
        lab.equal(info["clock_steps"], 1, "times that the clock was set")
        lab.equal(info["end"], "2023-11-14T23:13:20.000000009Z", "end")


def rows_where_none_can_be():
    """Tags of a row record in another type of record are passed over, and so is a type of a later version."""
    unchecked = etz.chunk(1000, [etz.const(etz.PID, 3, 7), etz.const(etz.FILENAME, 5, 9)], record_type=etz.FOOTER)
    later = etz.chunk(7, [], record_type=77, REALTIME=None)
    broken = etz.record(etz.HOST, etz.tags(ROWS=b"", TIME=b"\1", COLUMNS=b"\xff"))
    with lab.workdir() as work:
        path = write(work, etz.header(), unchecked, later, broken, etz.chunk(2, [], seq=0), etz.end(2))
        judge(path, DONE, 2)


def host_keys_twice():
    """What is said later of a key counts, and properties have it once."""
    def host(value):
        return etz.record(etz.HOST, body=etz.name(b"hostname") + etz.name(value))
    with lab.workdir() as work:
        path = write(work, etz.header(), host(b"first"), host(b"second"), etz.chunk(1, []), etz.end(1))
        _, info = judge(path, DONE, 1)
        lab.equal((info["host"], info["properties"]), ("second", {"hostname": "second"}), "host")
        text = run("info", "--json", path, code=DONE).stdout
        lab.equal(text.count(b'"hostname"'), 1, "times that info says hostname")


def long_lists():
    """One string of 2 MiB that every row's list names: once, where that is right, and too often."""
    text = etz.strings(b"a" * (2 << 20))
    with lab.workdir() as work:
        path = write(work, etz.header(), etz.chunk(ROWS, [*text, etz.const(etz.ARGV, ROWS, 2),
                                                          etz.const(etz.ARGV, ROWS, 1, part=1)]), etz.end(ROWS))
        done = run("replay", "--json", "--limit", "3", path, code=DONE)
        lab.equal([len(event["argv"][0]) for event in lab.lines(done.stdout)], [2 << 20] * 3, "lengths of arguments")
        lab.equal(json.loads(run("summary", "--json", path, code=DONE).stdout)["events"], ROWS, "events of summary")
        run("info", "--json", path, code=DONE)
        path = write(work, etz.header(), etz.chunk(ROWS, [*text, etz.const(etz.ARGV, ROWS, 3),
                                                          etz.const(etz.ARGV, 2 * ROWS, 1, part=1)]), etz.end(ROWS))
        done = run("replay", "--json", path, code=DAMAGED)
        lab.equal(done.stdout, b"", "events with lists that are too long")
        lab.equal(done.stderr.count(b"list is longer"), 1, f"faults in {done.stderr!r}")
        lab.demand(b"262144 events missing" in done.stderr, f"says {done.stderr!r}")


def long_rows():
    """Rows of 70 MB of JSON each, in captures of the same time: threads must not keep them until it is their turn."""
    columns = (etz.COMM, etz.FILENAME, 14, 15, 16)
    with lab.workdir() as work:
        paths = []
        for n in range(6):
            file_id = bytes([n + 1] * 8)
            texts = etz.strings(b"\1" * (2 << 20))
            parts = [etz.header(columns=etz.EVERY_COLUMN, file_id=file_id),
                     *(etz.chunk(1, [*texts, *(etz.const(column, 1, 1) for column in columns)], seq=i, at=etz.BOOT + 1000 * i,
                                 file_id=file_id) for i in range(4)), etz.end(4, file_id=file_id)]
            paths.append(os.path.join(work, f"{n}.etz"))
            with open(paths[-1], "wb") as file:
                file.write(b"".join(parts))
        with subprocess.Popen([lab.EXECTRACE, "replay", "-q", "--json", "-j", "4", *paths],
                              stdout=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        lab.equal(process.returncode, DONE, "exit code")
        if not lab.SANITIZED:
            lab.demand(usage.ru_maxrss < 700 << 10, f"{usage.ru_maxrss} KiB were taken")


def statistics_of_columns_to_come():
    """What heads say of columns of a later version is nothing about what is asked by its own name here."""
    with lab.workdir() as work:
        for column in range(57, 80):
            path = write(work, etz.header(), etz.chunk(1, [etz.const(etz.EXIT_CODE, 1, 2)], kind=4,
                                                       STATS=etz.statistic(column, 0)), etz.end(1, kind=4))
            for where in ("exit == 1", "!(duration > 1s)", "exit != 0"):
                lab.equal(run("replay", "--count", "--where", where, path, code=DONE).stdout, b"1\n",
                          f"events with {where}, statistics of column {column}")
            lab.equal(run("replay", "--count", "--where", "exit == 0", path, code=DONE).stdout, b"0\n", "events without")


def many_options():
    with lab.workdir() as work:
        path = write(work, etz.header(), etz.chunk(1, []), etz.end(1))
        lab.equal(run("replay", "--count", *["--ok"] * 40000, path, code=DONE).stdout, b"1\n", "events")


def cut_off():
    """A record of which only the head is there is not counted, whichever way the events are."""
    whole = etz.chunk(1000, [etz.raw(etz.PID, 1000, os.urandom(1000))])
    last = etz.chunk(1000, [etz.raw(etz.PID, 1000, os.urandom(1000))], seq=1000)
    with lab.workdir() as work:
        path = write(work, etz.header(), whole, last[:-400])
        counted = run("replay", "--count", path, code=DAMAGED)
        shown = run("replay", "--json", path, code=DAMAGED)
        filtered = run("replay", "--count", "--kind", "exit", path, code=DAMAGED)
        lab.equal((int(counted.stdout), shown.stdout.count(b"\n"), int(filtered.stdout)), (1000, 1000, 0), "events")
        lab.equal(counted.stderr, shown.stderr, "what is told of the cut")
        lab.demand(b"1000 events missing" in counted.stderr and b"1000 events missing" in filtered.stderr,
                   f"says {counted.stderr!r} and {filtered.stderr!r}")
        for limit, events in (("1000", 1000), ("1500", 1000), ("2000", 1000), ("10", 10)):
            done = run("replay", "--count", "--limit", limit, path, code=None)
            lab.equal(int(done.stdout), events, f"--count --limit {limit}")


if __name__ == "__main__":
    lab.main(distinct_pids, distinct_keys, bad_item, bad_later_column, names_that_descend, many_users, many_segments,
             large_heads, wide_chunks, clocks_that_break_the_rules, clock_set_once, rows_where_none_can_be,
             host_keys_twice, long_lists, long_rows, statistics_of_columns_to_come,
             many_options, cut_off)

#!/usr/bin/env python3
"""What is said of captures that lack something, of segments that are missing or come twice: all of it, exactly."""
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..", "files")]
import etz  # noqa: E402
import lab  # noqa: E402
from etz import BOOT, OFFSET, PID, const, values  # noqa: E402
from good import lost_rows  # noqa: E402
from segment import Segment  # noqa: E402

DAMAGED = 3
RING_FULL, BUSY, SKIPPED = 1, 2, 7
MS = 10**6


def wall(ts):
    """A ts as JSON has it, in the zone of etz.OFFSET."""
    whole, part = divmod(ts + OFFSET, 10**9)
    return f"2023-11-14T22:13:{20 + whole - 1_700_000_000:02}.{part:09}Z"


def damaged(data, record_type, head=False):
    """With a byte of the first record of that type turned."""
    at = 0
    while data[at + 24] != record_type:
        lengths = [int.from_bytes(data[at + i:at + i + 4], "little") for i in (28, 32)]
        at += (48 + sum(lengths) + 7) // 8 * 8
    at += 48 + (0 if head else int.from_bytes(data[at + 28:at + 32], "little"))
    return data[:at] + bytes([data[at] ^ 0x20]) + data[at + 1:]


def stormy():
    """A capture with 300 losses of three CPUs, and what they are: (cpu, ts, until, count)."""
    s = Segment().rows(1, [const(PID, 1, 1)])
    rows = []
    for i in range(100):
        for cpu in range(3):
            ts = BOOT + (i * 7 + i // 10 * 100) * MS + cpu
            rows.append((cpu, ts, ts + 2 * MS + cpu, i + cpu + 1))
    for cpu, ts, until, count in rows:
        lost_rows(s, ts, (until, cpu, count, RING_FULL))
    return s.rows(1, [const(PID, 1, 2)], at=BOOT + 9 * 10**9).done(), rows


def summary_of(*args):
    return json.loads(lab.exectrace("summary", "--json", *args, code=None).stdout)


def every_loss_has_its_place():
    data, rows = stormy()
    total = sum(row[3] for row in rows)
    with lab.workdir() as work:
        path = lab.written(work, "c.etz", data)
        told = lab.info(path)["losses"]
        keys = ("cpu", "start", "end", "count", "rows", "cause")
        lab.equal([tuple(entry[key] for key in keys) for entry in told],
                  [(cpu, wall(ts), wall(until), count, 1, "ring_full") for cpu, ts, until, count in rows],
                  "losses of info --json")
        line = re.compile(r" +(\d+)  ring_full on cpu (\d) between 2023-11-14 22:13:(\S+) and 22:13:(\S+) UTC"
                          r"(?:, in (\d+) stretches)?")
        for options, most, each in (((), 16, False), (("--losses",), 300, True)):
            text = lab.exectrace("info", "--utc", *options, path).stdout.decode()
            found = line.findall(text.split("\nLost events\n")[1].split("\n\n")[0])
            lab.equal(len(found) == 300, each, f"{len(found)} lines of {options}")
            lab.demand(3 <= len(found) <= most, f"{len(found)} lines")
            lab.equal(sum(int(entry[0]) for entry in found), total, f"events in all lines of {options}")
            lab.equal(sum(int(entry[4] or 1) for entry in found), 300, f"rows in all lines of {options}")
            for cpu, ts, until, count in rows:
                first, last = ((at + OFFSET - 1_700_000_000 * 10**9) / 10**9 + 20 for at in (ts, until))
                around = [int(n) >= count for n, c, a, b, _ in found
                          if int(c) == cpu and float(a) <= first + 1e-9 and last - 1e-9 <= float(b)]
                lab.demand(any(around), f"no line is around {(cpu, first, last, count)}")
        places = summary_of(path)["losses"]
        keys = ("cpu", "rows", "count", "start", "end")
        lab.equal([tuple(entry[key] for key in keys) for entry in places],
                  [(cpu, 100, sum(row[3] for row in rows[cpu::3]), wall(rows[cpu][1]), wall(rows[cpu - 3][2]))
                   for cpu in range(3)], "losses of summary")
        # Only those of the times that are asked for, whichever way the capture is read.
        since, until = wall(rows[150][1]), wall(rows[200][1])
        for whole in ((), ("--fail-on-loss",)):
            times = ("--since", since, "--until", until)
            some = summary_of(*times, *whole, path)
            lab.equal((sum(entry["rows"] for entry in some["losses"]), some["lost"]), (50, total), f"losses, {whole}")
        done = lab.exectrace("replay", "--count", path)
        lab.demand(f"{total} events lost (ring_full {total}) on 3 cpus between 2023-11-14 22:13:20.000000 and 22:13:21"
                   in done.stderr.decode(), f"said {done.stderr!r}")
        # Where only some are listed, it is not said that all of them were there.
        done = lab.exectrace("replay", "--count", *times, path)
        lab.demand(f"(ring_full {total})\n".encode() in done.stderr, f"said {done.stderr!r}")


def many_places():
    """More causes and CPUs than lines: the largest, and the sum of the rest."""
    s = Segment()
    for cpu in range(40):
        lost_rows(s, BOOT + cpu, (BOOT + cpu + 9, cpu, cpu + 1, RING_FULL))
    with lab.workdir() as work:
        path = lab.written(work, "c.etz", s.done())
        text = lab.exectrace("info", path).stdout.decode()
        counts = re.findall(r"^ +(\d+)  ring_full on cpu (\d+)", text, re.M)
        lab.equal(sorted(int(n) for n, _ in counts), list(range(25, 41)), "the largest")
        lab.demand(f"{sum(range(1, 25)):12}  in 24 other places between " in text, text)


def what_no_row_tells():
    """Rows of kind lost that are gone leave their count behind, and are no missing events."""
    s = Segment().rows(1, [const(PID, 1, 1)])
    lost_rows(s, BOOT + 5, (BOOT + 9, 0, 3, RING_FULL), (BOOT + 9, 1, 4, BUSY))
    lost_rows(s, BOOT + 15, (BOOT + 19, 0, 10, RING_FULL))
    data = s.rows(1, [const(PID, 1, 2)], at=BOOT + 10**9).done()
    with lab.workdir() as work:
        for head in (False, True):
            path = lab.written(work, "c.etz", damaged(data, etz.LOST, head))
            info = lab.info(path, code=DAMAGED)
            lab.equal((info["lost_by_cause"], info["missing"], info["complete"]),
                      ({"ring_full": 13, "busy": 4}, 0, False), "lost, missing, complete")
            lab.equal([(entry["cause"], entry["count"], entry["rows"], entry.get("cpu")) for entry in info["losses"]],
                      [("ring_full", 3, 0, None), ("busy", 4, 0, None), ("ring_full", 10, 1, 0)], "losses")
            for entry in info["losses"][:2]:
                lab.equal((entry["start"], entry["end"]), (wall(BOOT), wall(BOOT + 10**9)), "the segment's ends")
            lab.equal([(gap["rows"], "at" in gap) for gap in info["gaps"]], [(2, True)], "gaps")
            text = lab.exectrace("info", path, code=DAMAGED).stdout.decode()
            lab.equal(text.count("of which no row tells"), 2, "lines about what no row tells of")
            lab.equal(summary_of(path)["lost"], 17, "lost of summary")


def skipped_is_at_most():
    s = Segment()
    lost_rows(s, BOOT, (BOOT + 5, 1, 4, SKIPPED), (BOOT + 5, 0, 3, RING_FULL))
    with lab.workdir() as work:
        path = lab.written(work, "c.etz", s.done())
        done = lab.exectrace("info", path)
        lab.demand(b"at most 7 events lost (ring_full 3, skipped at most 4)" in done.stderr, f"said {done.stderr!r}")
        lab.demand(b"           4  skipped, at most, on cpu 1 between " in done.stdout, done.stdout)
        lab.equal([entry.get("at_most") for entry in lab.info(path)["losses"]], [None, True], "at_most")


def gaps_have_a_place():
    """Rows that are gone, the end that is cut off, and what may have come behind it."""
    s = Segment().rows(2, [values(PID, 1, 2)], at=BOOT).rows(3, [values(PID, 3, 4, 5)], at=BOOT + 10, span=2)
    whole = s.rows(1, [const(PID, 1, 6)], at=BOOT + 20)
    size = len(whole.data)
    complete = whole.done()
    second = complete.index(etz.MAGIC, complete.index(etz.MAGIC, 100) + 1)
    third = complete.index(etz.MAGIC, second + 1)
    for data, missing, gaps, state in (
            (damaged(complete, etz.CHUNK), 2, [(complete.index(etz.MAGIC, 1), 2, BOOT, BOOT)], "damaged"),
            (complete[:second] + complete[third:], 3, [(second, 3, BOOT, BOOT + 20)], "missing"),
            (complete[:size], 0, [(size, None, BOOT + 20, None)], "not ended"),
            (complete[:size - 3], 1, [(third, 1, BOOT + 20, BOOT + 20), (size - 3, None, BOOT + 20, None)], "cut off")):
        with lab.workdir() as work:
            path = lab.written(work, "c.etz", data)
            info = lab.info(path, code=None)
            lab.equal((info["missing"], info["complete"]), (missing, False), f"{state}: missing, complete")
            lab.equal([tuple(gap.get(key) for key in ("at", "rows", "start", "end")) for gap in info["gaps"]],
                      [(at, rows, wall(first), last and wall(last)) for at, rows, first, last in gaps], state)
            lab.demand(state in info["state"], f"{state}: {info['state']}")
            lab.equal(info["truncated"], state == "cut off", "truncated")
            text = lab.exectrace("info", path, code=None).stdout.decode().split("\nMissing\n")[1]
            for at, *_ in gaps:
                lab.demand(f"byte {at}," in text, f"{state}: {text}")
            lab.demand("\nMissing\n" in lab.exectrace("summary", path, code=None).stdout.decode(), "summary")


def every_lack_can_fail():
    """--fail-on-loss of all commands, for whatever is missing; and not where nothing is."""
    lossy = Segment().rows(1, [const(PID, 1, 1)])
    lost_rows(lossy, BOOT + 1, (BOOT + 2, 0, 1, RING_FULL))
    two = Segment().rows(1, [const(PID, 1, 1)]).rows(1, [const(PID, 1, 2)], at=BOOT + 5)
    size, whole = len(two.data), two.done()
    at = whole.rindex(etz.MAGIC, 0, size)
    lacking = {
        "lossy": lossy.done(), "not-ended": whole[:size], "cut": whole[:size - 2],
        "damaged": damaged(whole, etz.CHUNK), "gap": whole[:at] + whole[size:],
        "made-so": Segment().rows(1).end(REASON=b"not ended: by hand").footer().data,
        "counted": Segment().rows(1).end(LOST=etz.counts([(9, 1)])).footer().data,
        "segments": segment(1).done() + segment(3).done(),
    }
    commands = (("replay",), ("replay", "--count"), ("replay", "--limit", "1"), ("replay", "--count", "--limit", "1"),
                ("replay", "--pid", "99"), ("replay", "--count", "--pid", "99"), ("replay", "--until", "2020-01-01"),
                ("summary",), ("summary", "--json", "--pid", "99"), ("info",), ("info", "--json"), ("verify",),
                ("slice", "-f", "-o", "OUT"), ("slice", "--pid", "1", "-f", "-o", "OUT"), ("merge", "-f", "-o", "OUT"),
                ("compact", "-f", "-o", "OUT", "--drop-unknown"), ("recover", "-f", "-o", "OUT"))
    with lab.workdir() as work:
        out = os.path.join(work, "out.etz")
        for name, data in (("whole", whole), *lacking.items()):
            path = lab.written(work, name + ".etz", data)
            for command in commands:
                words = [out if word == "OUT" else word for word in command]
                if name == "counted" and command[0] in ("slice", "merge"):
                    words.append("--drop-unknown")
                done = lab.exectrace(*words, "--fail-on-loss", path, code=None)
                lab.equal(done.returncode, 0 if name == "whole" else DAMAGED,
                          f"{command} --fail-on-loss {name}, saying {done.stderr!r}")


def series_of(work, *numbers, series=b"recorded", more=b""):
    """A file of these segments of a recording; pids tell which."""
    data = b"".join(segment(number, series).done() for number in numbers)
    return lab.written(work, f"{series[:4].decode()}-{'-'.join(map(str, numbers))}.etz", data + more)


def segment(number, series=b"recorded", rows=1):
    s = Segment(file_id=series[:7] + bytes([number]), SERIES=etz.series(number, series), BOOT_ID=b"the machine's id",
                STARTED=etz.u64(BOOT + number * 100) + etz.u64(OFFSET))
    for i in range(rows):
        s.rows(1, [const(PID, 1, number * 10 + i + 1)], at=BOOT + number * 100 + i)
    return s


def numbered(first, last):
    return {"id": b"recorded".hex(), "first": first, "last": last}


def missing_segments():
    with lab.workdir() as work:
        one, two, five = (series_of(work, n) for n in (1, 2, 5))
        both, other = series_of(work, 3, 4), series_of(work, 7, series=b"separate")
        for files, gap in (((one, two, both, five), None), ((five, both, one, two), None), ((one, other), None),
                           ((one,), None), ((two, five), (3, 4, two, five)), ((five, one, both), (2, 2, one, both)),
                           ((other, five, one), (2, 4, one, five))):
            which = gap and (f"segments {gap[0]} to {gap[1]}" if gap[0] != gap[1] else f"segment {gap[0]}")
            clause = gap and f"{gap[2]}: incomplete: {which} of its recording not there, before {gap[3]}"
            for command in (("replay", "--json"), ("replay", "--count"), ("summary", "--json")):
                done = lab.exectrace(*command, "--fail-on-loss", *files, code=DAMAGED if gap else 0)
                told = [line for line in done.stderr.decode().splitlines() if "not there" in line]
                lab.equal(told, [f"exectrace {command[0]}: {clause}"] if gap else [], f"what {command} says of {files}")
            summary = json.loads(done.stdout)
            lab.equal(summary["segments_missing"], [numbered(gap[0], gap[1])] if gap else [], "missing of summary")
            lab.equal(summary["complete"], not gap, "complete")
            # Of each file by itself nothing is missing.
            done = lab.exectrace("info", "--fail-on-loss", *files, code=DAMAGED if gap else 0)
            lab.equal(done.stderr.decode(), f"exectrace info: {clause}\n".replace("incomplete: ", "") if gap else "",
                      f"what info says of {files}")
        gappy = series_of(work, 1, 2, 6)
        info = lab.info(gappy)
        lab.equal((info["series"], info["segments_missing"], info["complete"]),
                  ([numbered(1, 2), numbered(6, 6)], [numbered(3, 5)], False), "series of info")
        lab.demand("segments 3 to 5 of its recording not there" in info["state"], info["state"])
        done = lab.exectrace("verify", gappy)
        lab.demand(b"3 segments of its recording not there" in done.stderr, f"verify says {done.stderr!r}")


def what_is_made_of_a_series():
    """compact keeps what a segment is; what has less or more than it does not; and gaps are not forgotten."""
    with lab.workdir() as work:
        def series(*args, code=0):
            out = os.path.join(work, "out.etz")
            lab.exectrace(*args, "-f", "-o", out, code=code)
            info = lab.info(out)
            numbers = [(entry["first"], entry["last"]) for entry in info["series"]]
            return numbers, info["segments"], info["complete"], info.get("ended")
        single, several, gappy = series_of(work, 4), series_of(work, 1, 2), series_of(work, 1, 3)
        lab.equal(series("compact", single), ([(4, 4)], 1, True, "made by hand"), "compact")
        lab.equal(series("compact", several), ([(1, 2)], 2, True, "made by hand"), "compact of two")
        lab.equal(series("compact", gappy)[:3], ([(1, 1), (3, 3)], 2, False), "compact with a gap")
        lab.equal(series("recover", several)[:3], ([(1, 2)], 2, True), "recover")
        lab.equal(series("merge", several), ([], 1, True, "made by hand"), "merge")
        lab.equal(series("merge", several, several), ([], 1, True, "made by hand"), "merge of copies")
        lab.equal(series("slice", "--pid", "99", several)[:2], ([], 1), "slice")
        lab.equal(series("merge", gappy), ([], 1, False, "not ended: segments of the recording were not there"),
                  "merge with a gap")
        out = os.path.join(work, "out.etz")
        done = lab.exectrace("merge", "-f", "-o", out, "--fail-on-loss", single, several, code=DAMAGED)
        lab.demand(b"segment 3 of a recording, between" in done.stderr, f"said {done.stderr!r}")


def pids(*files, code=0):
    return [event["pid"] for event in lab.replay(*files, code=code)]


def copies_count_once():
    with lab.workdir() as work:
        first, second = series_of(work, 1, 2, 3), series_of(work, 2, 3, 4)
        joined = lab.written(work, "joined.etz", lab.contents(first) + lab.contents(second))
        for files, expected in (((first, first), 3), ((first, second), 4), ((second, first), 4), ((joined,), 4),
                                ((joined, joined, first), 4)):
            lab.equal(pids(*files), [n * 10 + 1 for n in range(1, expected + 1)], f"events of {files}")
            lab.equal(int(lab.exectrace("replay", "--count", *files).stdout), expected, f"count of {files}")
            lab.equal(summary_of(*files)["events"], expected, f"summary of {files}")
            out = os.path.join(work, "out.etz")
            lab.exectrace("merge", "-f", "-o", out, *files)
            lab.equal(pids(out), [n * 10 + 1 for n in range(1, expected + 1)], f"merged {files}")
        info = lab.info(joined)
        lab.equal((info["events"], info["segments"], info["complete"]), (4, 4, True), "info of both in one file")
        piped = lab.exectrace("replay", "--json", "-", input=lab.contents(joined))
        lab.equal([event["pid"] for event in lab.lines(piped.stdout)], [11, 21, 31, 41], "events from a pipe")
        done = lab.exectrace("replay", first, second)
        lab.demand(b"2 events of it are those of another capture" in done.stderr, f"said {done.stderr!r}")
        done = lab.exectrace("replay", joined)
        lab.demand(b"2 events of it stand there more than once" in done.stderr, f"said {done.stderr!r}")


def copies_make_up_for_each_other():
    """One that was cut off or damaged lacks nothing that another one has; losses count once."""
    s = segment(1, rows=5)
    lost_rows(s, BOOT + 200, (BOOT + 210, 0, 7, RING_FULL))
    lost = s.done()
    size = [at for at in range(len(lost)) if lost.startswith(etz.MAGIC, at)]
    broken = lost[:size[2] + 20] + b"?" + lost[size[2] + 21:]
    with lab.workdir() as work:
        whole = lab.written(work, "whole.etz", lost)
        copies = {"cut": lost[:size[4] + 9], "not-ended": lost[:size[4]], "damaged": damaged(lost, etz.CHUNK),
                  "broken": broken}
        for name, data in copies.items():
            path = lab.written(work, name + ".etz", data)
            lab.demand(len(pids(path, "--kind", "exec", code=None)) < 5, f"{name} lacks nothing")
            for files in ((path, whole), (whole, path), (path, path, whole)):
                lab.equal(sorted(pids(*files, "--kind", "exec", code=None)), [11, 12, 13, 14, 15], f"events of {files}")
                summary = summary_of(*files)
                lab.equal((summary["events"], summary["lost"], summary["missing"]), (5, 7, 0), f"summary of {files}")
            joined = lab.written(work, "joined.etz", lost + data)
            lab.equal(sorted(pids(joined, "--kind", "exec", code=None)), [11, 12, 13, 14, 15],
                      f"events of whole and {name}")
            info = lab.info(joined, code=None)
            lab.equal((info["lost"], info["missing"]), (7, 0), f"lost and missing of whole and {name}")


def others_are_no_copies():
    """The same number of a recording with another id, as of a segment that was compacted: that is said."""
    with lab.workdir() as work:
        path, out = series_of(work, 1), os.path.join(work, "out.etz")
        lab.exectrace("compact", "-o", out, path)
        done = lab.exectrace("replay", path, out)
        lab.demand(b"are no copies" in done.stderr, f"said {done.stderr!r}")


if __name__ == "__main__":
    lab.main(every_loss_has_its_place, many_places, what_no_row_tells, skipped_is_at_most, gaps_have_a_place,
             every_lack_can_fail, missing_segments, what_is_made_of_a_series, copies_count_once,
             copies_make_up_for_each_other, others_are_no_copies)

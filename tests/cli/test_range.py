#!/usr/bin/env python3
"""--since and --until: what is passed over unread changes no event, no count and no summary."""
import calendar
import json
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402

DONE, DAMAGED = 0, 3
UNREAD = b"outside of these times were not read"


def made(work, name, *segments):
    """A capture of segments, each the arguments of make_capture."""
    path = os.path.join(work, name)
    with open(path, "wb") as file:
        for args in segments:
            lab.run([lab.helper("make_capture"), *args], stdout=file)
            file.seek(0, os.SEEK_END)
    return path


def ns(text):
    """Of a time as JSON has it, since 1970."""
    whole, rest = text.rstrip("Z").split(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(rest)


def absolute(t):
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(t // 10**9))}.{t % 10**9:09}Z"


def spans(events):
    """Each event with when it was; one that was lost may have been until later."""
    found = []
    for event in events:
        first = ns(event["time"])
        found.append((first, first + event.get("until", event["ts"]) - event["ts"], event))
    return found


def within(timed, since, until):
    """What of them lies there."""
    return [event for first, last, event in timed
            if (since is None or last >= since) and (until is None or first < until)]


def summary(path, *options):
    """Without what a reader that seeks cannot say."""
    found = json.loads(lab.exectrace("summary", "--json", *options, path, code=None).stdout)
    found.pop("complete")
    return found


def compare(path, timed, start, since, until, relative):
    """One range, by all commands: as by the events, reading everything or not."""
    options = []
    for option, t in (("--since", since), ("--until", until)):
        if t is not None:
            options += [option, f"+{t - start}ns" if relative and t >= start else absolute(t)]
    expected = within(timed, since, until)
    for whole in ((), ("--fail-on-loss",)):
        lab.equal(lab.replay(*options, *whole, path, code=None), expected, f"events of {options} {whole}")
        counted = lab.exectrace("replay", "--count", *options, *whole, path, code=None).stdout
        lab.equal(int(counted), sum(event["kind"] != "lost" for event in expected), f"count of {options} {whole}")
    lab.equal(summary(path, *options), summary(path, *options, "--fail-on-loss"), f"summary of {options}")
    lab.equal(summary(path, *options)["events"], sum(event["kind"] != "lost" for event in expected),
              f"events of summary {options}")


def ranges_agree():
    shapes = (
        ("one", ["6000"]),
        ("unclean", ["6000", "unclean"]),
        ("lost", ["4000", "lost"]),
        ("segments", ["2000"], ["4000", "lost"], ["500", "unclean"], ["1000"]),
        ("last unclean", ["2000"], ["3000", "unclean"]),
        ("twice the same", ["2000"], ["2000"]),
    )
    rng = random.Random(7)
    seeks = 0
    with lab.workdir() as work:
        for name, *segments in shapes:
            path = made(work, name, *segments)
            timed = spans(lab.replay(path))
            start = ns(lab.info(path)["start"])
            times = sorted(first for first, _, _ in timed)
            for turn in range(8):
                since = rng.choice(times) + rng.randrange(-1, 2)
                until = since + rng.choice((1, 10**6, 10**8, 10**9))
                since, until = ((since, until), (since, until), (since, None), (None, until))[turn % 4]
                compare(path, timed, start, since, until, relative=turn % 3 == 0)
            compare(path, timed, start, times[-1] + 10**9, None, False)
            compare(path, timed, start, None, times[0], False)
            done = lab.exectrace("replay", "--count", "--since", absolute(times[-1]), path, code=None)
            seeks += UNREAD in done.stderr
        lab.demand(seeks >= 2, "nothing was ever passed over")


def pipes_agree():
    """A pipe cannot seek; it reads everything and gives the same. Segments follow each other there, so they must not overlap."""
    with lab.workdir() as work:
        path = made(work, "capture", ["5000"], ["3000", "shift=60000"])
        events = lab.replay(path)
        middle = events[len(events) // 2]["time"]
        for options in (("--since", middle), ("--until", middle), ("--since", "+1s", "--until", "+1.5s")):
            with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
                piped = lab.replay(*options, "-", stdin=cat.stdout)
                cat.stdout.close()
            lab.equal(piped, lab.replay(*options, path), f"events of a pipe with {options}")
            lab.demand(piped and len(piped) < len(events), f"{len(piped)} events with {options}")


def damage_outside():
    """What is damaged where nobody asked for anything is met by who wants to know of losses."""
    with lab.workdir() as work:
        path = made(work, "capture", ["9000"])
        events = lab.replay(path)
        first = ("--until", events[100]["time"])
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            data = file.read()
        at = data.index(data[:16], size // 2)	# magic and file_id: a record begins there
        with open(path, "r+b") as file:
            file.seek(at)
            file.write(bytes(64))
        for command in ("replay", "summary"):
            done = lab.exectrace(command, "--json", *first, path, code=DONE)
            lab.demand(UNREAD in done.stderr, f"{command} says {done.stderr!r}")
            whole = lab.exectrace(command, "--json", "--fail-on-loss", *first, path, code=DAMAGED)
            lab.demand(b"damaged" in whole.stderr, f"{command} --fail-on-loss says {whole.stderr!r}")
        lab.equal(lab.replay(*first, path), events[:100], "events")
        lab.equal(json.loads(lab.exectrace("summary", "--json", *first, path).stdout)["complete"], False,
                  "complete of a summary that has not read all")


if __name__ == "__main__":
    lab.main(ranges_agree, pipes_agree, damage_outside)

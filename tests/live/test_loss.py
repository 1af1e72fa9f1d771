#!/usr/bin/env python3
"""What a recorder loses it places: how many, why, on which CPU and when, as the program itself says that did it.

stamped.c knows of each of its calls when and on which CPU it was made. Those that no event tells of are lost; every
row of kind lost must stand for exactly as many of them as it says, on its CPU and between its two times.
"""
import bisect
import calendar
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import defaultdict

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
from bursts import strace  # noqa: E402


def calls_of(path):
    """By pid, in the order in which they were made: (before, after, cpu)."""
    calls = defaultdict(list)
    with open(path, encoding="ascii") as file:
        for line in file:
            pid, cpu, before, after = map(int, line.split())
            calls[pid].append((before, after, cpu))
    return calls


def unseen(calls, events):
    """The calls that no event is of, by CPU; each event has to be of one call, and no two of the same."""
    seen = defaultdict(set)
    for event in events:
        mine = calls[event["pid"]]
        i = bisect.bisect_right(mine, (event["ts"], 1 << 64)) - 1
        lab.demand(i >= 0 and mine[i][0] <= event["ts"] <= mine[i][1], f"no call is at the time of {event}")
        lab.demand(i not in seen[event["pid"]], f"a second event of a call: {event}")
        seen[event["pid"]].add(i)
    lost = defaultdict(list)
    for pid, mine in calls.items():
        for i, (before, after, cpu) in enumerate(mine):
            if i not in seen[pid]:
                lost[cpu].append((before, after))
    return {cpu: sorted(v) for cpu, v in lost.items()}


def place(lost, rows):
    """Each row stands for the next so many calls of its CPU, and they are between its times."""
    for cpu in {row["cpu"] for row in rows} | set(lost):
        left = list(lost.get(cpu, ()))
        for row in sorted((row for row in rows if row["cpu"] == cpu), key=lambda row: (row["ts"], row["until"])):
            mine, left = left[:row["count"]], left[row["count"]:]
            lab.equal(len(mine), row["count"], f"calls that were lost on CPU {cpu} when {row} is told")
            lab.demand(row["ts"] <= mine[0][1] and mine[-1][0] <= row["until"],
                       f"{row} is of calls from {mine[0]} to {mine[-1]}")
        lab.equal(left, [], f"calls lost on CPU {cpu} that no row tells of")


def moment(text):
    """ns since 1970 of a time in JSON."""
    whole, part = text.rstrip("Z").split(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(part)


def judge(stamps, *captures):
    """Kept + lost = made, every loss in its place, and all commands say the same of it. Returns the rows."""
    calls = calls_of(stamps)
    made = sum(map(len, calls.values()))
    fails = lab.replay("--kind", "fail", *captures)
    rows = lab.replay("--kind", "lost", *captures)
    lost = unseen(calls, [event for event in fails if event["pid"] in calls])
    lab.equal(sum(map(len, lost.values())) + len(fails), made, "calls without an event, and events")
    lab.equal(sum(row["count"] for row in rows) + len(fails), made, "kept + lost")
    lab.demand(rows, "nothing was lost: the test does not test")
    lab.equal({row["cause"] for row in rows}, {"ring_full"}, "causes")
    place(lost, rows)
    certified(captures, rows)
    print(f"   {made} made, {len(fails)} kept, {made - len(fails)} lost in {len(rows)} places on {len(lost)} CPUs")
    return rows


def certified(captures, rows):
    """info and summary tell of the same losses, one by one or all of a CPU as one."""
    count = sum(row["count"] for row in rows)
    infos = [lab.info(capture) for capture in captures]
    told = sorted((entry["cpu"], moment(entry["start"]), moment(entry["end"]), entry["count"])
                  for info in infos for entry in info["losses"])
    offset = moment(rows[0]["time"]) - rows[0]["ts"]
    lab.equal(told, sorted((row["cpu"], row["ts"] + offset, row["until"] + offset, row["count"]) for row in rows),
              "losses of info")
    lab.equal(sum(info["lost"] for info in infos), count, "lost of info")
    for info in infos:
        lab.equal((info["complete"], info["gaps"]), (not info["lost"], []), "complete and gaps of info")
    summary = json.loads(lab.exectrace("summary", "--json", *captures).stdout)
    lab.equal((summary["lost"], summary["complete"]), (count, False), "lost and complete of summary")
    lab.equal({(entry["cpu"], entry["count"], entry["rows"]) for entry in summary["losses"]},
              {(cpu, sum(row["count"] for row in rows if row["cpu"] == cpu), sum(row["cpu"] == cpu for row in rows))
               for cpu in {row["cpu"] for row in rows}}, "losses of summary")
    for command in (("replay", "--count"), ("summary",), ("info",), ("verify",)):
        done = lab.exectrace(*command, "--fail-on-loss", *captures, code=3)
        said = map(int, re.findall(r"(\d+) events? lost", done.stderr.decode()))
        lab.equal(sum(said), count, f"what {command} says: {done.stderr!r}")


def stamped(calls, pause, stamps, cpus=2):
    return [lab.helper("stamped"), str(cpus), str(calls), str(pause), stamps]


def ring_too_small():
    with lab.workdir() as work:
        capture, stamps = os.path.join(work, "c.etz"), os.path.join(work, "stamps")
        lab.run([lab.RECORDER, "-o", capture, "--ring-size", "4K", "--", *stamped(20000, 0, stamps)])
        judge(stamps, capture)


def several_files():
    """Each file tells of its own losses; no call is in two of them, or lost between them."""
    with lab.workdir() as work:
        stamps, place_of = os.path.join(work, "stamps"), os.path.join(work, "captures")
        os.mkdir(place_of)
        lab.run([lab.RECORDER, "-o", os.path.join(place_of, "c.etz"), "--rotate-size", "64K", "--ring-size", "64K",
                 "--flush-interval", "10ms", "--", *stamped(150000, 0, stamps)])
        captures = [os.path.join(place_of, name) for name in sorted(os.listdir(place_of))]
        lab.demand(len(captures) > 2, f"only {captures}")
        judge(stamps, *captures)
        done = lab.exectrace("replay", "--count", *captures)
        lab.demand(b"not there" not in done.stderr, f"of all files: {done.stderr!r}")
        done = lab.exectrace("replay", "--count", captures[0], *captures[2:])
        lab.demand(f"segment 1 of its recording not there, before {captures[2]}".encode() in done.stderr,
                   f"without the second: {done.stderr!r}")


def stopped_recorder():
    """Stopped for two seconds under load: what was lost was lost while it stood still."""
    with lab.workdir() as work:
        capture, stamps = os.path.join(work, "c.etz"), os.path.join(work, "stamps")
        words = [lab.RECORDER, "-o", capture, "--ring-size", "64K", "--", *stamped(20000, 100, stamps)]
        with lab.started(words) as recorder:
            lab.equal(recorder.stdout.readline(), b"go\n", "first line of the program")
            time.sleep(0.2)
            recorder.send_signal(signal.SIGSTOP)
            began = lab.boottime()
            time.sleep(2)
            ended = lab.boottime()
            recorder.send_signal(signal.SIGCONT)
            _, err = recorder.communicate(timeout=lab.TIMEOUT)
            lab.equal(recorder.returncode, 0, f"exit code, having told {lab.tail(err)}")
        rows = judge(stamps, capture)
        inside = sum(row["count"] for row in rows if row["until"] > began and row["ts"] < ended)
        lab.demand(inside * 2 > sum(row["count"] for row in rows), f"{inside} were lost while it was stopped")
        # The ring takes what it has room for; then it is full until the recorder goes on.
        longest = max(rows, key=lambda row: row["until"] - row["ts"])
        lab.demand(longest["until"] > ended - 10**9, f"the longest loss ends early: {longest}")


def slow_reader():
    """Nobody reads the pipe for a while: the recorder waits, and the ring overflows."""
    with lab.workdir() as work:
        capture, stamps = os.path.join(work, "c.etz"), os.path.join(work, "stamps")
        words = [lab.RECORDER, "-o", "-", "--ring-size", "64K", "--flush-interval", "10ms", "--",
                 *stamped(60000, 0, stamps)]
        with lab.started(words, stderr=subprocess.DEVNULL) as recorder, open(capture, "wb") as file:
            # Room for less than a chunk, so that what is not read stops the recorder soon.
            fcntl.fcntl(recorder.stdout, fcntl.F_SETPIPE_SZ, 4096)
            began = time.monotonic()
            while data := os.read(recorder.stdout.fileno(), 2048):
                file.write(data)
                # Only while calls are made: what ends the program is to find room again.
                time.sleep(0.02 if time.monotonic() - began < 2.2 else 0)
            lab.equal(recorder.wait(lab.TIMEOUT), 0, "exit code")
        judge(stamps, capture)


def slow_disk():
    """Some writes, of what comes while the calls are made, take far longer than they should."""
    with lab.workdir() as work:
        capture, stamps, trace = (os.path.join(work, name) for name in ("c.etz", "stamps", "trace"))
        words = strace("-o", trace, "-P", capture, "-e", "trace=write",
                       "-e", "inject=write:delay_enter=250000:when=8..11")
        lab.run([*words, lab.RECORDER, "-o", capture, "--ring-size", "64K", "--flush-interval", "10ms", "--",
                 *stamped(100000, 0, stamps)])
        judge(stamps, capture)


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(ring_too_small, several_files, stopped_recorder, slow_reader, slow_disk)

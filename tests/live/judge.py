#!/usr/bin/env python3
"""Judges a capture by the oracle of hostile_exec.

    judge.py [--max-args BYTES] [--only] ORACLE EVENTS

ORACLE is what hostile_exec printed, EVENTS what `exectrace replay --json`
printed. For each process of the oracle the events must be those that the
oracle tells, in its order, none more and none fewer, with every field equal.
--only: there are no events of other processes (the recording followed the
command). Prints each difference; exit code 1 when there is any.
"""
import argparse
import calendar
import collections
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402

# wait4 and the recorder read the same counters at slightly different moments,
# and the kernel keeps some of them per CPU and some by ticks of up to 10 ms.
CPU_TIME_SLACK = 40_000_000
RSS_SLACK = 1 << 20
CLOCK_SLACK = 100_000_000


class Judge:
    def __init__(self, max_args):
        self.max_args = max_args
        self.faults = []
        self.offset = None

    def fault(self, where, text):
        self.faults.append(f"{where}: {text}")

    def same(self, where, what, found, expected):
        if found != expected:
            self.fault(where, f"{what} is {short(found)}, expected {short(expected)}")

    def judge(self, oracle, events, only):
        expected = collections.defaultdict(list)
        top = None
        for entry in oracle:
            if entry["kind"] == "clock":
                self.offset = entry["offset"]
            elif entry["kind"] == "main":
                top = entry["pid"]
            else:
                expected[entry["pid"]].append(entry)
        if top is None or not expected:
            self.fault("oracle", "is empty or incomplete")
            return
        found = collections.defaultdict(list)
        for event in events:
            if event["kind"] in ("proc", "lost"):
                continue
            found[event["pid"]].append(event)
        for event in events:
            if event["kind"] == "lost":
                self.fault("capture", f"{event['count']} events lost")
        self.judge_main(top, found.pop(top, []))
        for pid, entries in expected.items():
            self.judge_process(pid, entries, found.pop(pid, []))
        if only:
            for pid, strangers in found.items():
                kinds = " ".join(event["kind"] for event in strangers)
                self.fault(f"pid {pid}", f"is not the command's, but the capture has: {kinds}")

    def judge_main(self, pid, events):
        kinds = [event["kind"] for event in events]
        if kinds not in (["exec", "exit"], ["fork", "exec", "exit"]):
            self.fault(f"hostile_exec, pid {pid}", f"has {' '.join(kinds)}")
        elif events[-1].get("exit_code") != 0:
            self.fault(f"hostile_exec, pid {pid}", "did not exit with 0")

    def judge_process(self, pid, entries, events):
        where = f"{entries[0]['step']}, pid {pid}"
        seen = {event["kind"] for event in events}
        entries = [entry for entry in entries if "may_be_missing" not in entry or entry["kind"] in seen]
        kinds = [entry["kind"] for entry in entries]
        self.same(where, "sequence of events", [event["kind"] for event in events], kinds)
        if [event["kind"] for event in events] != kinds:
            return
        starts = {event["start"] for event in events if "start" in event}
        if len(starts) != 1:
            self.fault(where, f"has {len(starts)} start times")
        times = [event["ts"] for event in events]
        if times != sorted(times):
            self.fault(where, f"times step back: {times}")
        for entry, event in zip(entries, events):
            self.judge_event(entry, event)
        self.judge_duration(where, entries, events)

    def judge_event(self, entry, event):
        where = f"{entry['step']}, {entry['kind']} of pid {entry['pid']}"
        for key in ("ppid", "uid", "gid", "euid", "egid", "tid", "errno", "exit_code", "signal"):
            if key in entry:
                self.same(where, key, event.get(key), entry[key])
        for key in ("exit_code", "signal", "errno"):
            if key in event and key not in entry:
                self.fault(where, f"has {key} {event[key]}")
        if "core" in entry:
            self.same(where, "core", event.get("core", False), bool(entry["core"]))
        for key in ("comm", "filename", "interpreter", "cwd", "exe"):
            if key in entry:
                self.same(where, key, lab.raw(event, key), bytes.fromhex(entry[key]))
        if entry["kind"] == "exec" and "interpreter" not in entry and "interpreter" in event:
            self.fault(where, f"has an interpreter, {event['interpreter']}")
        if not entry["after"] <= event["ts"] <= entry["before"]:
            self.fault(where, f"ts {event['ts']} is not between {entry['after']} and {entry['before']}")
        self.judge_wall_clock(where, event)
        if entry["kind"] in ("exec", "fail"):
            self.judge_argv(where, entry, event)
        if "max_rss" in entry:
            self.judge_usage(where, entry, event)

    def judge_wall_clock(self, where, event):
        whole, fraction = event["time"].rstrip("Z").split(".")
        self.same(where, "digits of the time", (len(fraction), event["time"][-1]), (9, "Z"))
        wall = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(fraction)
        if abs(wall - (event["ts"] + self.offset)) > CLOCK_SLACK:
            self.fault(where, f"time {event['time']} is not ts {event['ts']} + {self.offset}")

    def judge_argv(self, where, entry, event):
        flagged = event.get("argv_unreadable", False)
        if "unreadable" in entry:
            self.same(where, "argv_unreadable", flagged, True)
            return
        if flagged:
            if "may_be_unreadable" not in entry:
                self.fault(where, "argv is flagged unreadable")
            return
        argv = [bytes.fromhex(arg) for arg in entry["argv"]]
        found = lab.raw_argv(event)
        if entry["argv_bytes"] <= self.max_args:
            self.same(where, "argv_truncated", event.get("argv_truncated", False), False)
            self.same(where, "argv", found, argv)
            return
        self.same(where, "argv_truncated", event.get("argv_truncated", False), True)
        self.same(where, "argc", event.get("argc"), entry["argc"])
        # Of a failed exec the size is known only where all of it was read.
        if entry["kind"] == "exec" or "argv_bytes" in event:
            self.same(where, "argv_bytes", event.get("argv_bytes"), entry["argv_bytes"])
        kept = b"\0".join(found or []) + b"\0"
        whole = b"\0".join(argv) + b"\0"
        if not whole.startswith(kept[:-1]):
            self.fault(where, "what is kept of argv is not its beginning")
        if not self.max_args // 2 <= len(kept) <= self.max_args + 1:
            self.fault(where, f"{len(kept)} bytes of argv are kept under a cap of {self.max_args}")

    def judge_usage(self, where, entry, event):
        for key in ("utime", "stime", "max_rss"):
            if key not in event:
                self.fault(where, f"has no {key}")
                return
        # How the sum is shared between the two is an estimate of the kernel's.
        expected = entry["utime"] + entry["stime"]
        found = event["utime"] + event["stime"]
        if abs(found - expected) > CPU_TIME_SLACK + expected // 10:
            self.fault(where, f"utime + stime is {found}, wait4 says {expected}")
        if abs(event["max_rss"] - entry["max_rss"]) > RSS_SLACK + entry["max_rss"] // 10:
            self.fault(where, f"max_rss is {event['max_rss']}, wait4 says {entry['max_rss']}")

    def judge_duration(self, where, entries, events):
        last = [event for event in events if event["kind"] == "exec"][-1:]
        end = events[-1]
        if not last or end["kind"] != "exit":
            return
        if "duration" not in end:
            self.fault(where, "the exit has no duration")
            return
        self.same(where, "duration since the last exec", end["duration"], end["ts"] - last[0]["ts"])
        step = entries[0]["step"]
        if step.startswith("end: sleep ") and end["duration"] < int(step.split()[-1]) * 10**6:
            self.fault(where, f"duration {end['duration']} is shorter than it slept")


def short(value):
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:120]}... ({len(text)} characters)"


def judge(oracle, events, max_args=2 << 20, only=False):
    """The differences between what happened and what the capture says."""
    judge_ = Judge(max_args)
    judge_.judge(oracle, events, only)
    return judge_.faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--max-args", type=int, default=2 << 20)
    parser.add_argument("--only", action="store_true")
    parser.add_argument("oracle")
    parser.add_argument("events")
    args = parser.parse_args()
    with open(args.oracle, "rb") as oracle, open(args.events, "rb") as events:
        faults = judge(lab.lines(oracle.read()), lab.lines(events.read()), args.max_args, args.only)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

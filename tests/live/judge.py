#!/usr/bin/env python3
"""Judges a capture by the oracle of hostile_exec.

    judge.py [--max-args BYTES] [--only] [--has FIELD] [--may-skip STEP]... ORACLE EVENTS

ORACLE is what hostile_exec printed, EVENTS what `exectrace replay --json`
printed. For each process of the oracle the events must be those that the
oracle tells, in its order, none more and none fewer, with every field equal.
--only: there are no events of other processes (the recording followed the
command). --has: the recorder was asked for what it else leaves out: env, all of
it, or exec_duration. Prints each difference, and each step that hostile_exec had
to skip, with its reason; exit code 1 when there is any difference, or a skipped
step that --may-skip does not name.
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
FAULT_SLACK = 64
# Its files are closed after its end was recorded, and the file system may write
# then what it has put off: blocks set aside, their maps.
IO_SLACK = 65536
TICK = 10_000_000	# of /proc/PID/stat, ns

# What is compared, whenever the oracle has it: null there means that the event has
# no such field. Flags are absent from JSON when they are false.
NUMBERS = ("ppid", "uid", "gid", "euid", "egid", "tid", "errno", "exit_code", "signal", "login_uid",
           "session", "pid_ns", "mnt_ns", "user_ns", "net_ns", "ns_pid", "exe_inode", "exe_dev")
FLAGS = ("core", "secure_exec", "exe_deleted", "exe_memfd")
TEXTS = ("comm", "filename", "interpreter", "cwd", "exe", "tty", "cgroup")

# What is recorded only when that was asked for.
ASKED_FOR = {"env", "exec_duration"}


# What a machine need not have: modules; the calls of x32; in a guest without a disk, a
# file to swap to, and a root that can be exchanged. Anything else that hostile_exec
# skips is a case that nobody has tested.
MAY_SKIP = ("x32", "kernel executes modprobe")
MAY_SKIP_IN_GUEST = ("x32", "swapped pages", "pivot_root")


def may_be(life, events):
    """Whether what was recorded of one process of this pid can be one that the oracle tells of."""
    if life[0]["kind"] == "fork" and events[0].get("ppid") != life[0]["ppid"]:
        return False
    return any(life[0]["after"] <= event["ts"] <= life[-1]["before"] for event in events)


class Judge:
    def __init__(self, max_args, asked_for, cpu_slack):
        self.max_args = max_args
        self.cpu_slack = cpu_slack
        self.asked_for = set(asked_for)
        self.faults = []
        self.skips = {}		# steps that could not be done here, with the reason
        self.skipped = 0	# events that the capture counts as lost since the kernel showed them to no program
        self.offset = None
        self.compared = 0
        self.unasked = set()

    def fault(self, where, text):
        self.faults.append(f"{where}: {text}")

    def same(self, where, what, found, expected):
        self.compared += 1
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
            elif entry["kind"] == "skip":
                self.skips[entry["step"]] = octets(entry["reason"]).decode()
            elif not (only and "outside" in entry):
                lives = expected[entry["pid"]]
                # A pid can be given again, to another process.
                if not lives or lives[-1][-1]["kind"] == "exit":
                    lives.append([])
                lives[-1].append(entry)
        if top is None or not expected:
            self.fault("oracle", "is empty or incomplete")
            return
        found = collections.defaultdict(list)
        for event in events:
            if event["kind"] in ("proc", "lost"):
                continue
            found[event["pid"]].append(event)
        for event in events:
            # At most so many, and often none: what is missing is found out below.
            if event["kind"] == "lost" and event["cause"] == "skipped":
                self.skipped += event["count"]
            elif event["kind"] == "lost":
                self.fault("capture", f"{event['count']} events lost")
        self.unasked = ASKED_FOR - self.asked_for - {key for event in events for key in event}
        self.judge_main(top, found.pop(top, []))
        for pid, lives in expected.items():
            self.judge_pid(pid, lives, found.pop(pid, []), only)
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

    def judge_pid(self, pid, lives, events, only):
        """All processes that had this pid, in the order in which they had it."""
        groups = []
        for event in events:
            if not groups or event.get("start") != groups[-1][-1].get("start"):
                groups.append([])
            groups[-1].append(event)
        if not only:
            # Others may have had it too, at another time, or until just before it was forked.
            groups = [group for group in groups if any(may_be(life, group) for life in lives)]
        if len(groups) > len(lives):
            self.fault(f"{lives[0][0]['step']}, pid {pid}", f"has {len(groups)} start times, expected {len(lives)}")
            return
        for i, life in enumerate(lives):
            self.judge_process(pid, life, groups[i] if i < len(groups) else [])

    def judge_process(self, pid, entries, events):
        where = f"{entries[0]['step']}, pid {pid}"
        kinds = [entry["kind"] for entry in entries]
        self.same(where, "sequence of events", [event["kind"] for event in events], kinds)
        if [event["kind"] for event in events] != kinds:
            return
        times = [event["ts"] for event in events]
        if times != sorted(times):
            self.fault(where, f"times step back: {times}")
        for entry, event in zip(entries, events):
            self.judge_event(entry, event)
        self.judge_duration(where, entries, events)

    def judge_event(self, entry, event):
        where = f"{entry['step']}, {entry['kind']} of pid {entry['pid']}"
        for key in self.told(entry, NUMBERS):
            self.same(where, key, number(event, key), number(entry, key))
        for key in ("exit_code", "signal", "errno"):
            if key in event and key not in entry:
                self.fault(where, f"has {key} {event[key]}")
        for key in self.told(entry, FLAGS):
            self.same(where, key, event.get(key, False), bool(entry[key]))
        for key in self.told(entry, TEXTS):
            self.same(where, key, lab.raw(event, key), None if entry[key] is None else octets(entry[key]))
        if entry["kind"] == "exec" and "interpreter" not in entry and "interpreter" in event:
            self.fault(where, f"has an interpreter, {event['interpreter']}")
        if not entry["after"] <= event["ts"] <= entry["before"]:
            self.fault(where, f"ts {event['ts']} is not between {entry['after']} and {entry['before']}")
        if "start_ticks" in entry:
            self.same(where, "start, in ticks", event.get("start", 0) // TICK, entry["start_ticks"])
        self.judge_wall_clock(where, event)
        if entry["kind"] in ("exec", "fail"):
            self.judge_list(where, entry, event, "argv", "argc")
            if "env" not in self.unasked:
                self.judge_list(where, entry, event, "env", "env_count")
            self.judge_call(where, entry, event)
        if "max_rss" in entry:
            self.judge_usage(where, entry, event)

    def told(self, entry, keys):
        return (key for key in keys if key in entry and key not in self.unasked)

    def judge_wall_clock(self, where, event):
        whole, fraction = event["time"].rstrip("Z").split(".")
        self.same(where, "digits of the time", (len(fraction), event["time"][-1]), (9, "Z"))
        wall = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(fraction)
        if abs(wall - (event["ts"] + self.offset)) > CLOCK_SLACK:
            self.fault(where, f"time {event['time']} is not ts {event['ts']} + {self.offset}")

    def judge_list(self, where, entry, event, name, count):
        """argv or env: all of it, or its beginning and how much there was."""
        flagged = event.get(name + "_unreadable", False)
        if name + "_unreadable" in entry:
            self.same(where, name + "_unreadable", flagged, True)
            return
        if name not in entry:
            return
        if flagged:
            if name + "_may_be_unreadable" not in entry:
                self.fault(where, f"{name} is flagged unreadable")
            return
        strings = [octets(string) for string in entry[name]]
        found = raw_list(event, name)
        self.compared += len(strings)
        if entry[name + "_bytes"] <= self.max_args:
            self.same(where, name + "_truncated", event.get(name + "_truncated", False), False)
            self.same(where, name, found, strings)
            return
        self.same(where, name + "_truncated", event.get(name + "_truncated", False), True)
        self.same(where, count, event.get(count), entry[name + "_count"])
        # Of a failed exec the size is known only where all of it was read.
        if entry["kind"] == "exec" or name + "_bytes" in event:
            self.same(where, name + "_bytes", event.get(name + "_bytes"), entry[name + "_bytes"])
        kept = b"\0".join(found or []) + b"\0"
        whole = b"\0".join(strings) + b"\0"
        if not whole.startswith(kept[:-1]):
            self.fault(where, f"what is kept of {name} is not its beginning")
        if not self.max_args // 2 <= len(kept) <= self.max_args + 1:
            self.fault(where, f"{len(kept)} bytes of {name} are kept under a cap of {self.max_args}")

    def judge_call(self, where, entry, event):
        """How long it took: it began after the process noted the time."""
        if "called" not in entry or "exec_duration" in self.unasked:
            return
        if "exec_duration" not in event:
            if "no_entry" not in entry:
                self.fault(where, "has no exec_duration")
            return
        self.compared += 1
        least = max(entry.get("least_ms", 0) * 10**6, 1)
        if not least <= event["exec_duration"] <= event["ts"] - entry["called"]:
            self.fault(where, f"exec_duration is {event['exec_duration']}, expected {least} to "
                              f"{event['ts'] - entry['called']}")

    def judge_usage(self, where, entry, event):
        for key in ("utime", "stime", "max_rss"):
            if key not in event:
                self.fault(where, f"has no {key}")
                return
        # How the sum is shared between the two is an estimate of the kernel's.
        expected = entry["utime"] + entry["stime"]
        found = event["utime"] + event["stime"]
        if abs(found - expected) > self.cpu_slack + expected // 10:
            self.fault(where, f"utime + stime is {found}, wait4 says {expected}")
        if abs(event["max_rss"] - entry["max_rss"]) > RSS_SLACK + entry["max_rss"] // 10:
            self.fault(where, f"max_rss is {event['max_rss']}, wait4 says {entry['max_rss']}")
        self.compared += 2
        for key in self.told(entry, ("minor_faults", "major_faults")):
            self.compared += 1
            if key not in event or abs(event[key] - entry[key]) > FAULT_SLACK + entry[key] // 20:
                self.fault(where, f"{key} is {event.get(key)}, /proc says {entry[key]}")
        for key in self.told(entry, ("read_bytes", "write_bytes")):
            self.compared += 1
            if key not in event or not entry[key] - IO_SLACK <= event[key] <= entry[key]:
                self.fault(where, f"{key} is {event.get(key)}, /proc says {entry[key]}")

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


def octets(told):
    """Bytes as the oracle writes them: hex, or what is repeated and up to which length."""
    if isinstance(told, str):
        return bytes.fromhex(told)
    piece = bytes.fromhex(told["of"])
    return (piece * (told["length"] // len(piece) + 1))[:told["length"]]


def number(fields, key):
    """A device is told as major:minor, or as one number of both."""
    value = fields.get(key)
    if key == "exe_dev" and isinstance(value, str):
        major, minor = value.split(":")
        return int(major) << 20 | int(minor)
    return value


def raw_list(event, name):
    if name not in event:
        return None
    exact = event.get(name + "_b64") or [None] * len(event[name])
    return lab.raw_argv({"argv": event[name], "argv_b64": exact})


def short(value):
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:120]}... ({len(text)} characters)"


def judged(oracle, events, max_args=2 << 20, only=False, asked_for=(), cpu_slack=CPU_TIME_SLACK):
    judge_ = Judge(max_args, asked_for, cpu_slack)
    judge_.judge(oracle, events, only)
    return judge_


def judge(oracle, events, **kwargs):
    """The differences between what happened and what the capture says."""
    return judged(oracle, events, **kwargs).faults


class Skipped(lab.Failure):
    """The capture lacks something, and says that it may: the kernel skipped a program."""


def demand_whole(capture):
    """lab.Failure unless it is complete; but for what the kernel skipped, whose number is returned."""
    info = lab.info(capture)
    skipped = info["lost_by_cause"].get("skipped", 0)
    lab.equal((info["complete"], info["lost"]), (not skipped, skipped), "complete and lost")
    return skipped


def demand_exact(oracle, capture, max_args=2 << 20, only=False, cpu_slack=CPU_TIME_SLACK, asked_for=(),
                 may_skip=MAY_SKIP):
    """lab.Failure unless the capture is whole, right in form, and says what the oracle says.

    What hostile_exec had to leave out is printed; with CI=true that fails, unless may_skip has it.
    """
    lab.demand(len(oracle) > 800, f"the oracle is short: {len(oracle)} lines")
    lab.exectrace("verify", capture)
    done = judged(oracle, lab.replay(capture), max_args, only, asked_for, cpu_slack)
    demand_whole(capture)
    if done.faults:
        failure = Skipped if done.skipped else lab.Failure
        raise failure("%d differences, %d skipped\n%s" % (len(done.faults), done.skipped, "\n".join(done.faults[:60])))
    for step, reason in done.skips.items():
        print(f"skipped: {step}: {reason}")
    beyond = set(done.skips) - set(may_skip)
    lab.demand(not beyond or os.environ.get("CI") != "true", f"skipped, but CI=true: {', '.join(sorted(beyond))}")
    print(f"{len({entry['step'] for entry in oracle})} cases, {done.compared} values compared; "
          f"not recorded: {' '.join(sorted(done.unasked)) or 'nothing'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--max-args", type=int, default=2 << 20)
    parser.add_argument("--only", action="store_true")
    parser.add_argument("--has", action="append", default=[], choices=sorted(ASKED_FOR))
    parser.add_argument("--may-skip", action="append", default=list(MAY_SKIP), metavar="STEP")
    parser.add_argument("oracle")
    parser.add_argument("events")
    args = parser.parse_args()
    with open(args.oracle, "rb") as oracle, open(args.events, "rb") as events:
        done = judged(lab.lines(oracle.read()), lab.lines(events.read()), args.max_args, args.only, args.has)
    for fault in done.faults:
        print(fault)
    for step, reason in done.skips.items():
        print(f"skipped: {step}: {reason}")
    print(f"{done.compared} values compared, not recorded: {' '.join(sorted(done.unasked)) or 'none'}")
    return 1 if done.faults or set(done.skips) - set(args.may_skip) else 0


if __name__ == "__main__":
    sys.exit(main())

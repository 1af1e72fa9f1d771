#!/usr/bin/env python3
"""The judge must pass what is right, and fail when anything is missing or altered."""
import base64
import collections
import copy
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
from judge import TICK, judge, number, octets  # noqa: E402


MAX_ARGS = 2 << 20


def text(event, name, value):
    event[name] = value.decode("utf-8", errors="replace")
    if event[name].encode() != value:
        event[name + "_b64"] = base64.b64encode(value).decode()


def strings(event, name, entry, count):
    """What the capture has of argv or env."""
    if name + "_unreadable" in entry:
        event[name + "_unreadable"] = True
    elif name in entry and entry[name + "_bytes"] > MAX_ARGS:
        kept = b"\0".join(octets(string) for string in entry[name])[:MAX_ARGS].split(b"\0")
        event[name + "_truncated"] = True
        event[count] = entry[name + "_count"]
        event[name + "_bytes"] = entry[name + "_bytes"]
        listed(event, name, kept)
    elif name in entry:
        listed(event, name, [octets(string) for string in entry[name]])


def listed(event, name, exact):
    event[name] = [string.decode("utf-8", errors="replace") for string in exact]
    event[name + "_b64"] = [None if shown.encode() == string else base64.b64encode(string).decode()
                            for string, shown in zip(exact, event[name])]


def as_event(entry, offset, ts):
    """The event that a faultless capture holds."""
    event = {key: entry[key] for key in
             ("kind", "pid", "ppid", "uid", "gid", "euid", "egid", "tid", "errno", "exit_code",
              "signal", "utime", "stime", "max_rss", "login_uid", "session", "pid_ns", "mnt_ns", "user_ns",
              "net_ns", "ns_pid", "exe_inode", "minor_faults", "major_faults", "read_bytes",
              "write_bytes") if entry.get(key) is not None}
    if "exe_dev" in entry:
        event["exe_dev"] = number(entry, "exe_dev")
    event["ts"] = ts
    event["start"] = entry["pid"] * 1000
    seconds, rest = divmod(ts + offset, 10**9)
    event["time"] = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:09}Z"
    for key in ("core", "secure_exec", "exe_deleted", "exe_memfd"):
        if key in entry:
            event[key] = bool(entry[key])
    for key in ("comm", "filename", "interpreter", "exe", "cwd", "tty", "cgroup"):
        if entry.get(key) is not None:
            text(event, key, octets(entry[key]))
    if "called" in entry:
        event["exec_duration"] = max(ts - entry["called"], 1)
    strings(event, "argv", entry, "argc")
    strings(event, "env", entry, "env_count")
    return event


def faultless(oracle):
    offset = next(entry["offset"] for entry in oracle if entry["kind"] == "clock")
    main = next(entry for entry in oracle if entry["kind"] == "main")
    events, exec_ts, last, starts, forks = [], {}, {}, {}, 0
    for entry in oracle:
        if entry["kind"] in ("clock", "main", "skip"):
            continue
        pid = entry["pid"]
        ts = max(entry["after"], entry.get("called", 0), last.get(pid, 0)) + 1
        if entry["step"].startswith("end: sleep") and entry["kind"] == "exit":
            ts += int(entry["step"].split()[-1]) * 10**6
        if "least_ms" in entry:
            ts += entry["least_ms"] * 10**6
        last[pid] = ts
        event = as_event(entry, offset, ts)
        if entry["kind"] == "fork":
            # Of the same tick for all that can be told; each process its own.
            ticks = next((other["start_ticks"] for other in oracle if other["pid"] == pid
                          and other["after"] >= entry["after"] and "start_ticks" in other), 0)
            forks += 1
            starts[pid] = ticks * TICK + forks
            exec_ts.pop(pid, None)
        event["start"] = starts[pid]
        if entry["kind"] == "exec":
            exec_ts[pid] = ts
        if entry["kind"] == "exit" and pid in exec_ts:
            event["duration"] = ts - exec_ts[pid]
        events.append(event)
    own = {"pid": main["pid"], "ts": 1, "time": ""}
    return [own | {"kind": "exec"}, *events, own | {"kind": "exit", "exit_code": 0}]


def altered(event, told):
    """Copies of the event, each wrong in one way; told is what the oracle has of it."""
    for key, value in event.items():
        wrong = copy.deepcopy(event)
        if key.endswith("_b64") or key in ("utime", "stime", "ts", "time", "start", "argv", "env",
                                           "exec_duration", "minor_faults", "major_faults"):
            continue
        if isinstance(value, bool):
            wrong[key] = not value
        elif isinstance(value, int):
            wrong[key] = value + (64 << 20 if key == "max_rss" else 1)
        else:
            wrong[key] = value + "x"
            if key + "_b64" in wrong:
                exact = base64.b64decode(wrong[key + "_b64"])
                wrong[key + "_b64"] = base64.b64encode(exact[:-1]).decode()
        yield key, wrong
    for key, step in (("ts", -10**12), ("ts", 10**12), ("utime", 10**9)):
        if key in event:
            yield key, {**event, key: event[key] + step}
    for key in ("minor_faults", "major_faults", "exec_duration"):
        if key in event:
            yield key, {**event, key: event[key] * 2 + 1000}
            if not (key == "exec_duration" and "no_entry" in told):
                yield key, {name: value for name, value in event.items() if name != key}
    yield "time", {**event, "time": "2001-01-01T00:00:00.000000000Z"}
    for name in ("argv", "env"):
        if name not in event:
            continue
        exact = event[name + "_b64"]
        if not event.get(name + "_truncated"):
            yield name, {**event, name: event[name] + ["x"], name + "_b64": exact + [None]}
            yield name, {**event, name: event[name] + [""], name + "_b64": exact + [None]}
            if event[name]:
                yield name, {**event, name: event[name][:-1], name + "_b64": exact[:-1]}
        if event[name]:
            yield name, {**event, name: ["x" + event[name][0], *event[name][1:]],
                         name + "_b64": [None, *exact[1:]]}


def performed():
    """An oracle, without what is only there when the whole machine is recorded."""
    with lab.workdir() as work:
        oracle = lab.lines(lab.run([lab.helper("hostile_exec"), work]).stdout)
    return [entry for entry in oracle if "outside" not in entry]


def the_judge_can_fail():
    oracle = performed()
    events = faultless(oracle)
    lab.equal(judge(oracle, events, only=True, asked_for=("env", "exec_duration")), [], "faults of a faultless capture")

    # One process at a time keeps this quick: the rest of the oracle is irrelevant to it.
    frame = [entry for entry in oracle if entry["kind"] in ("clock", "main")]
    told, mine = collections.defaultdict(list), collections.defaultdict(list)
    for entry in oracle:
        if entry["kind"] not in ("clock", "main", "skip"):
            told[entry["pid"]].append(entry)
    for event in events[1:-1]:
        mine[event["pid"]].append(event)
    checked = 0
    for pid, entries in told.items():
        checked += alter(frame + entries, [events[0], *mine[pid], events[-1]])
    stranger = events[1] | {"pid": 1}
    lab.demand(judge(oracle, events + [stranger], only=True), "not noticed: an event of another process")
    lab.equal(judge(oracle, events + [stranger]), [], "faults when others may be there")
    lost = {"kind": "lost", "count": 1, "ts": 1, "cause": "ring_full"}
    lab.demand(judge(oracle, events + [lost]), "not noticed: lost events")
    skipped = lost | {"cause": "skipped"}
    lab.equal(judge(oracle, events + [skipped]), [], "faults when nothing is missing that may be")
    lab.demand(judge(oracle, events[:5] + events[6:] + [skipped]), "not noticed: what the kernel skipped")
    print(f"{checked} alterations were all noticed")


def alter(told, mine):
    """Alters what a capture has of one process, between the first and the last event."""
    checked = 0
    lab.equal(judge(told, mine, only=True, asked_for=("env", "exec_duration")), [], f"faults of pid {mine[1]['pid']}")
    for i, (event, entry) in enumerate(zip(mine[1:-1], told[2:]), 1):
        size = sum(len(event.get(name, ())) + sum(map(len, event.get(name, ()))) for name in ("argv", "env"))
        wrongs = [("missing", []), ("twice", [event, event]),
                  *((key, [wrong]) for key, wrong in altered(event, entry) if size < 5000 or key in ("argv", "env"))]
        for key, wrong in wrongs:
            lab.demand(judge(told, mine[:i] + wrong + mine[i + 1:], asked_for=("env", "exec_duration")),
                       f"not noticed: {key} altered in {str(event)[:400]}")
        checked += len(wrongs)
    return checked


if __name__ == "__main__":
    lab.main(the_judge_can_fail)

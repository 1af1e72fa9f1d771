#!/usr/bin/env python3
"""The judge must pass what is right, and fail when anything is missing or altered."""
import base64
import copy
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
from judge import judge  # noqa: E402


def text(event, name, value):
    event[name] = value.decode("utf-8", errors="replace")
    if event[name].encode() != value:
        event[name + "_b64"] = base64.b64encode(value).decode()


def as_event(entry, offset, ts):
    """The event that a faultless capture holds."""
    event = {key: entry[key] for key in
             ("kind", "pid", "ppid", "uid", "gid", "euid", "egid", "tid", "errno", "exit_code",
              "signal", "utime", "stime", "max_rss") if key in entry}
    event["ts"] = ts
    event["start"] = entry["pid"] * 1000
    seconds, rest = divmod(ts + offset, 10**9)
    event["time"] = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:09}Z"
    if "core" in entry:
        event["core"] = bool(entry["core"])
    for key in ("comm", "filename", "interpreter", "exe", "cwd"):
        if key in entry:
            text(event, key, bytes.fromhex(entry[key]))
    if "unreadable" in entry:
        event["argv_unreadable"] = True
    elif "argv" in entry:
        argv = [bytes.fromhex(arg) for arg in entry["argv"]]
        event["argv"] = [arg.decode("utf-8", errors="replace") for arg in argv]
        event["argv_b64"] = [None if shown.encode() == arg else base64.b64encode(arg).decode()
                             for arg, shown in zip(argv, event["argv"])]
    return event


def faultless(oracle):
    offset = next(entry["offset"] for entry in oracle if entry["kind"] == "clock")
    main = next(entry for entry in oracle if entry["kind"] == "main")
    events, exec_ts, last = [], {}, {}
    for entry in oracle:
        if entry["kind"] in ("clock", "main"):
            continue
        pid = entry["pid"]
        ts = max(entry["after"], last.get(pid, 0)) + 1
        if entry["step"].startswith("end: sleep") and entry["kind"] == "exit":
            ts += int(entry["step"].split()[-1]) * 10**6
        last[pid] = ts
        event = as_event(entry, offset, ts)
        if entry["kind"] == "exec":
            exec_ts[pid] = ts
        if entry["kind"] == "exit" and pid in exec_ts:
            event["duration"] = ts - exec_ts[pid]
        events.append(event)
    own = {"pid": main["pid"], "ts": 1, "time": ""}
    return [own | {"kind": "exec"}, *events, own | {"kind": "exit", "exit_code": 0}]


def altered(event):
    """Copies of the event, each wrong in one way."""
    for key, value in event.items():
        wrong = copy.deepcopy(event)
        if key in ("step", "utime", "stime", "comm_b64", "filename_b64", "exe_b64", "cwd_b64",
                   "argv_b64", "ts", "time", "start", "argv"):
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
    yield "time", {**event, "time": "2001-01-01T00:00:00.000000000Z"}
    if "argv" in event:
        yield "argv", {**event, "argv": event["argv"] + ["x"], "argv_b64": event["argv_b64"] + [None]}
        yield "argv", {**event, "argv": event["argv"] + [""], "argv_b64": event["argv_b64"] + [None]}
        if event["argv"]:
            yield "argv", {**event, "argv": event["argv"][:-1], "argv_b64": event["argv_b64"][:-1]}
            yield "argv", {**event, "argv": ["x" + event["argv"][0], *event["argv"][1:]],
                           "argv_b64": [None, *event["argv_b64"][1:]]}


def the_judge_can_fail():
    with lab.workdir() as work:
        oracle = lab.lines(lab.run([lab.helper("hostile_exec"), work]).stdout)
    events = faultless(oracle)
    lab.equal(judge(oracle, events, only=True), [], "faults of a faultless capture")

    # One process at a time keeps this quick: the rest of the oracle is irrelevant to it.
    frame = [entry for entry in oracle if entry["kind"] in ("clock", "main")]
    checked = 0
    for pid in {entry["pid"] for entry in oracle if entry["pid"] and entry not in frame}:
        told = frame + [entry for entry in oracle if entry["pid"] == pid and entry not in frame]
        mine = [event for event in events if event["pid"] in (pid, frame[1]["pid"])]
        lab.equal(judge(told, mine, only=True), [], f"faults of pid {pid}")
        for i, event in enumerate(mine):
            if event["pid"] != pid:
                continue
            if any("may_be_missing" in entry and entry["kind"] == event["kind"] for entry in told):
                continue
            lab.demand(judge(told, mine[:i] + mine[i + 1:]), f"not noticed: missing {event}")
            lab.demand(judge(told, mine[:i] + [event] + mine[i:]), f"not noticed: twice {event}")
            for key, wrong in altered(event):
                if len(str(event)) > 5000 and key != "argv":
                    continue
                lab.demand(judge(told, mine[:i] + [wrong] + mine[i + 1:]),
                           f"not noticed: {key} altered in {str(event)[:400]}")
                checked += 1
    stranger = events[1] | {"pid": 1}
    lab.demand(judge(oracle, events + [stranger], only=True), "not noticed: an event of another process")
    lab.equal(judge(oracle, events + [stranger]), [], "faults when others may be there")
    lost = {"kind": "lost", "count": 1, "ts": 1, "cause": "ring_full"}
    lab.demand(judge(oracle, events + [lost]), "not noticed: lost events")
    print(f"{checked} alterations were all noticed")


if __name__ == "__main__":
    lab.main(the_judge_can_fail)

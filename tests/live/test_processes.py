#!/usr/bin/env python3
"""Each of 100,000 processes that live shortly has one fork, one exec and one exit.

ET_PROCESSES=N makes it N.
"""
import collections
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402

COUNT = int(os.environ.get("ET_PROCESSES", "100000"))
CREATORS = 2
KEPT = ("kind", "pid", "ppid", "start", "ts", "argv", "exit_code", "duration", "comm", "tid")


def events(lines):
    """What is needed of each event: all of it would take gigabytes."""
    for line in lines:
        event = json.loads(line)
        yield {key: event[key] for key in KEPT if key in event}


def judge(told, found, others=False):
    """The differences between what the program processes printed and the events."""
    faults = []
    lives = collections.defaultdict(list)
    by_number = {}
    for event in found:
        if event["kind"] == "lost":
            faults.append(f"events were lost: {event}")
        if event["kind"] in ("lost", "proc"):
            continue
        life = lives[event["pid"], event.get("start")]
        life.append(event)
        if event["kind"] == "exec" and event["argv"][0] == "-":
            number = tuple(event["argv"][1:3])
            if number in by_number:
                faults.append(f"process {number} was executed twice")
            by_number[number] = life
    ended = {}
    for line in told.splitlines():
        c, creator, i, pid, before, after = (int(word) for word in line.split())
        where = f"process {i} of creator {c}, pid {pid}"
        life = by_number.pop((str(c), str(i)), None)
        if life is None:
            faults.append(f"{where}: was not recorded")
            continue
        lives.pop((life[0]["pid"], life[0].get("start")))
        faults += (f"{where}: {fault}" for fault in judge_life(life, creator, pid, i, before, after, ended))
        ended[creator] = life[-1]["ts"]
    faults += (f"process {number} never was" for number in by_number)
    # What remains is the program and its creators.
    if not others and len(lives) != 1 + len(ended):
        faults.append(f"{len(lives)} other processes, expected {1 + len(ended)}")
    return faults


def judge_life(life, creator, pid, number, before, after, ended):
    kinds = [event["kind"] for event in life]
    if kinds != ["fork", "exec", "exit"]:
        yield f"has {' '.join(kinds)}"
        return
    fork, exec_, exit_ = life
    if {event["pid"] for event in life} != {pid} or exec_["tid"] != pid:
        yield f"has other pids, {[event['pid'] for event in life]}"
    if {event["ppid"] for event in life} != {creator}:
        yield f"has parents {[event['ppid'] for event in life]}, expected {creator}"
    if exit_.get("exit_code") != number % 256 or exec_["argv"][3] != str(number % 256):
        yield f"exit code is {exit_.get('exit_code')}, expected {number % 256}"
    if not before <= fork["ts"] < exec_["ts"] < exit_["ts"] <= after:
        yield f"times {[event['ts'] for event in life]} are not in order from {before} to {after}"
    # Its creator waited for the one before.
    if ended.get(creator, 0) > fork["ts"]:
        yield "began before the one before it had ended"
    if exit_.get("duration") != exit_["ts"] - exec_["ts"]:
        yield f"duration is {exit_.get('duration')}, expected {exit_['ts'] - exec_['ts']}"


def nothing_is_lost_of_many():
    with lab.workdir() as work:
        capture = os.path.join(work, "capture.etz")
        start = time.monotonic()
        done = lab.record(capture, "--", lab.helper("processes"), str(COUNT), str(CREATORS), timeout=600)
        recorded = time.monotonic() - start
        info = lab.info(capture)
        lab.equal((info["complete"], info["lost"]), (True, 0), "complete, lost")
        with subprocess.Popen([lab.EXECTRACE, "replay", "--json", capture], stdout=subprocess.PIPE) as replay:
            faults = judge(done.stdout, events(replay.stdout))
        lab.equal(replay.returncode, 0, "exit code of replay")
        lab.demand(not faults, "%d differences\n%s" % (len(faults), "\n".join(faults[:40])))
        kinds = {kind: count for kind, count in info["kinds"].items() if count and kind != "proc"}
        lab.equal(kinds, {"exec": COUNT + 1, "fork": COUNT + CREATORS, "exit": COUNT + CREATORS + 1},
                  "number of events by kind")
        print(f"{COUNT} processes in {recorded:.1f} s, {info['events']} events, {info['bytes']} bytes")


def the_judge_can_fail():
    told = "0 10 0 100 5 50\n0 10 1 101 60 90\n"
    good = []
    for pid, at, number in ((100, 10, 0), (101, 70, 1)):
        own = {"pid": pid, "ppid": 10, "start": at}
        good += [own | {"kind": "fork", "ts": at},
                 own | {"kind": "exec", "ts": at + 3, "tid": pid, "argv": ["-", "0", str(number), str(number)]},
                 own | {"kind": "exit", "ts": at + 8, "exit_code": number, "duration": 5}]
    good += [{"kind": "fork", "pid": 10, "start": 1, "ts": 1}, {"kind": "exec", "pid": 9, "start": 0, "ts": 0, "argv": ["x"]}]
    lab.equal(judge(told, good), [], "faults of a faultless capture")
    for i in range(6):
        lab.demand(judge(told, good[:i] + good[i + 1:]), f"not noticed: missing {good[i]}")
        lab.demand(judge(told, good[:i] + [good[i]] + good[i:]), f"not noticed: twice {good[i]}")
        for key in ("ppid", "ts", "start", "pid", "exit_code", "duration"):
            if key in good[i]:
                wrong = good[i] | {key: good[i][key] + 1000}
                lab.demand(judge(told, good[:i] + [wrong] + good[i + 1:]), f"not noticed: {key} of {good[i]}")
    lab.demand(judge(told, good + [{"kind": "fork", "pid": 7, "start": 7, "ts": 7}]), "not noticed: a stranger")
    lab.demand(judge(told, good + [{"kind": "lost", "count": 1}]), "not noticed: a loss")


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(the_judge_can_fail, nothing_is_lost_of_many)

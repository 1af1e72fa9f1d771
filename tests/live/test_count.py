#!/usr/bin/env python3
"""Kept + lost = happened, to the event, as tracefs counts what happened."""
import json
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
from counter import counting, tracefs  # noqa: E402

PROCS, FAILS, SPAWNS, THREADS = 2, 10000, 1500, 300


def storm(work, *options):
    """Records a storm; returns what was counted, the events of it, and info."""
    comm = f"storm{os.getpid()}"
    program = os.path.join(work, comm)
    capture = os.path.join(work, "capture.etz")
    if not os.path.exists(program):
        shutil.copy(lab.helper("storm"), program)
    with counting(comm) as count:
        lab.record(capture, *options, "--", program, str(PROCS), str(FAILS), str(SPAWNS), str(THREADS))
        counted = count()
    happened = {
        "exec": counted["exec"],
        "fail": counted["fail"] + counted["fail_at"],
        "fork": counted["task"] - counted["thread"],
        # Every process ends before its parent does; the first is not in its own forks.
        "exit": counted.get("exit", counted["task"] - counted["thread"] + 1),
    }
    lab.equal(happened, {"exec": 1 + PROCS * SPAWNS, "fail": PROCS * FAILS,
                         "fork": PROCS + PROCS * SPAWNS, "exit": 1 + PROCS + PROCS * SPAWNS},
              "what the counters saw of the storm")
    kept = dict.fromkeys(happened, 0)
    lost_events = 0
    strangers = 0
    for event in lab.replay(capture):
        if event["kind"] == "lost":
            lost_events += event["count"]
        elif event["kind"] in kept:
            if event["comm"] == comm:
                kept[event["kind"]] += 1
            else:
                strangers += 1
    info = lab.info(capture)
    lab.equal(lost_events, info["lost"], "sum of the lost events, against info")
    print(f"   {' '.join(options) or 'defaults'}: happened {happened}, kept {kept}, lost {info['lost']}"
          f" {info['lost_by_cause']}, others {strangers}")
    return happened, kept, info, strangers


def nothing_lost():
    with lab.workdir() as work:
        happened, kept, info, strangers = storm(work, "--ring-size", "64M")
        lab.equal(info["lost"], 0, "lost")
        lab.equal(info["complete"], True, "complete")
        lab.equal(kept, happened, "kept")
        # The fork that made the command is the recorder's.
        lab.demand(strangers <= 1, f"{strangers} events of others")


def nothing_lost_of_all():
    with lab.workdir() as work:
        happened, kept, info, _ = storm(work, "--all", "--ring-size", "64M")
        lab.equal(info["lost"], 0, "lost")
        lab.equal(kept, happened, "kept")


def nothing_lost_between_threads():
    """Small chunks that are slow to make: they wait, and several threads make them."""
    with lab.workdir() as work:
        happened, kept, info, _ = storm(work, "--ring-size", "64M", "--threads", "4", "--level", "19",
                                        "--flush-interval", "1ms")
        lab.equal(info["lost"], 0, "lost")
        lab.equal(kept, happened, "kept")
        lab.exectrace("verify", os.path.join(work, "capture.etz"))


def nothing_lost_by_perf():
    """What serves where tracepoints leave preemption on."""
    with tracefs(), lab.tiers("perf"), lab.workdir() as work:
        happened, kept, info, _ = storm(work, "--ring-size", "64M")
        lab.equal((info["lost"], kept), (0, happened), "lost and kept")


def losses_are_counted():
    with lab.workdir() as work:
        happened, kept, info, _ = storm(work, "--ring-size", "4K")
        lab.demand(info["lost"] > 0, "a ring of 4K lost nothing: the test does not test")
        lab.equal(info["complete"], False, "complete")
        lab.equal(sum(kept.values()) + info["lost"], sum(happened.values()), "kept + lost")
        lab.equal(sum(info["lost_by_cause"].values()), info["lost"], "sum of the causes")


def losses_can_fail():
    with lab.workdir() as work:
        capture = os.path.join(work, "capture.etz")
        lab.record(capture, "--ring-size", "4K", "--", lab.helper("storm"), "2", "20000", "0", "0")
        lab.demand(lab.info(capture)["lost"] > 0, "a ring of 4K lost nothing: the test does not test")
        lab.exectrace("replay", "--count", "--fail-on-loss", capture, code=3)
        done = lab.exectrace("replay", "--count", capture)
        lab.demand(b"lost" in done.stderr, f"does not say that events are lost: {done.stderr!r}")


def perf_counts(program, *prefix):
    """What perf sees of 1,000 failing execs of a program run behind prefix."""
    with lab.started([lab.helper("perfcount"), os.path.basename(program)], stdin=-1) as counter:
        lab.equal(counter.stdout.readline(), b"ready\n", "perfcount")
        lab.run([*prefix, program, "1", "1000", "0", "0"])
        out, _ = counter.communicate(timeout=lab.TIMEOUT)
    return json.loads(out)["fail_execve"]


def others_see_what_they_did():
    """A program on a tracepoint that returns 0 hides the event from perf."""
    with tracefs(), lab.workdir() as work:
        program = os.path.join(work, f"perf{os.getpid()}")
        shutil.copy(lab.helper("storm"), program)
        if perf_counts(program) != 1000:
            print("   something else hides events from perf already; not checked")
            return
        capture = os.path.join(work, "capture.etz")
        lab.equal(perf_counts(program, lab.EXECTRACE, "record", "-o", capture, "--"), 1000,
                  "failed execs that perf saw beside a recording")


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(nothing_lost, nothing_lost_of_all, nothing_lost_between_threads, nothing_lost_by_perf, losses_are_counted,
             losses_can_fail, others_see_what_they_did)

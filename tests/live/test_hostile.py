#!/usr/bin/env python3
"""A capture of hostile_exec must say exactly what it did."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
from judge import judge  # noqa: E402


def recorded(work, *options):
    """Oracle and events of a recording of hostile_exec."""
    area = os.path.join(work, "area")
    capture = os.path.join(work, "capture.etz")
    os.mkdir(area)
    os.chmod(area, 0o755)
    done = lab.record(capture, *options, "--", lab.helper("hostile_exec"), area)
    return lab.lines(done.stdout), lab.replay(capture), lab.info(capture)


def compare(max_args, only, *options):
    with lab.workdir() as work:
        oracle, events, info = recorded(work, *options)
        lab.demand(len(oracle) > 200, f"the oracle is short: {len(oracle)} lines")
        lab.equal(info["complete"], True, "complete")
        faults = judge(oracle, events, max_args=max_args, only=only)
        lab.demand(not faults, "%d differences\n%s" % (len(faults), "\n".join(faults[:60])))


def everything_exact():
    compare(2 << 20, True, "--max-args", "2M", "--ring-size", "16M")


def default_cap():
    compare(64 << 10, True)


def small_cap():
    compare(4 << 10, True, "--max-args", "4K")


def whole_machine():
    compare(2 << 20, False, "--all", "--max-args", "2M", "--ring-size", "16M")


def no_failed():
    with lab.workdir() as work:
        oracle, events, _ = recorded(work, "--no-failed", "--max-args", "2M", "--ring-size", "16M")
        lab.demand(not any(event["kind"] == "fail" for event in events), "has failed execs")
        told = [entry for entry in oracle if entry["kind"] != "fail"]
        lab.equal(judge(told, events, only=True), [], "faults")


def no_fork():
    with lab.workdir() as work:
        oracle, events, _ = recorded(work, "--no-fork", "--max-args", "2M", "--ring-size", "16M")
        lab.demand(not any(event["kind"] == "fork" for event in events), "has forks")
        told = [entry for entry in oracle if entry["kind"] != "fork"]
        # Without forks the start time is known from the other events all the same.
        lab.equal(judge(told, events, only=True), [], "faults")


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(everything_exact, default_cap, small_cap, whole_machine, no_failed, no_fork)

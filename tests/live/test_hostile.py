#!/usr/bin/env python3
"""A capture of hostile_exec must say exactly what it did."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
from counter import tracefs  # noqa: E402
from judge import demand_exact, judge  # noqa: E402


def recorded(work, *options):
    """Oracle and capture of a recording of hostile_exec."""
    area = os.path.join(work, "area")
    capture = os.path.join(work, "capture.etz")
    os.mkdir(area)
    os.chmod(area, 0o755)
    done = lab.record(capture, *options, "--", lab.helper("hostile_exec"), area)
    return lab.lines(done.stdout), capture


def compare(max_args, only, *options, asked_for=()):
    with lab.workdir() as work:
        oracle, capture = recorded(work, *options)
        demand_exact(oracle, capture, max_args, only, asked_for=asked_for)


def everything_exact():
    compare(2 << 20, True, "--max-args", "2M", "--max-env", "2M", "--env", "all", "--exec-duration",
            "--ring-size", "32M", asked_for=("env", "exec_duration"))


def oldest_tiers():
    """What stands in on old kernels for what newer ones have is as exact."""
    with lab.tiers("oldest"), lab.workdir() as work:
        oracle, capture = recorded(work, "--max-args", "2M", "--ring-size", "16M")
        features = lab.info(capture)["properties"]["features"]
        for tier in ("failed exec (64-bit and 32-bit calls; bpf_get_current_task)", "exit (signal->live)"):
            lab.demand(tier in features, f"no {tier} in {features}")
        demand_exact(oracle, capture, 2 << 20, True)


def perf_entries():
    """Nor is it less exact what serves where tracepoints leave preemption on."""
    with tracefs(), lab.tiers("perf"), lab.workdir() as work:
        oracle, capture = recorded(work, "--max-args", "2M", "--max-env", "2M", "--env", "all", "--exec-duration",
                                   "--ring-size", "32M")
        features = lab.info(capture)["properties"]["features"]
        lab.demand(features.endswith("tp for failed exec and exit"), f"features {features}")
        demand_exact(oracle, capture, 2 << 20, True, asked_for=("env", "exec_duration"))


def given_btf():
    """What serves on a kernel without BTF is as exact, be it as this kernel's own or the oldest's."""
    options = ("--btf", "/sys/kernel/btf/vmlinux", "--max-args", "2M", "--max-env", "2M", "--env", "all",
               "--exec-duration", "--ring-size", "32M")
    compare(2 << 20, True, *options, asked_for=("env", "exec_duration"))
    with lab.tiers("oldest"):
        compare(2 << 20, True, *options, asked_for=("env", "exec_duration"))


def default_cap():
    compare(64 << 10, True)


def small_cap():
    compare(4 << 10, True, "--max-args", "4K")


def whole_machine():
    compare(2 << 20, False, "--all", "--max-args", "2M", "--ring-size", "16M")


def left_out(option, kind):
    with lab.workdir() as work:
        oracle, capture = recorded(work, option, "--max-args", "2M", "--ring-size", "16M")
        events = lab.replay(capture)
        lab.demand(not any(event["kind"] == kind for event in events), f"has events of kind {kind}")
        told = [entry for entry in oracle if entry["kind"] != kind]
        lab.equal(judge(told, events, only=True), [], "faults")


def no_failed():
    left_out("--no-failed", "fail")


def no_fork():
    """The start time is known from the other events all the same."""
    left_out("--no-fork", "fork")


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(everything_exact, oldest_tiers, perf_entries, given_btf, default_cap, small_cap, whole_machine, no_failed, no_fork)

#!/usr/bin/env python3
"""The kernel takes the programs as each clang makes them, and its verifier has little to do.

It gives up at a million instructions. What another kernel or clang makes of the same source
differs by some tens of percent, seldom by more, so the limit here leaves room for it."""
import glob
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402

LIMIT = 300_000
# What the recorder may choose: all that costs, on a new kernel, and the stand-ins for an old one.
WAYS = {"newest": ("has_group_dead=1", "has_task_btf=1", "max_env=65536", "exec_duration=1"),
        "oldest": ("has_group_dead=0", "has_task_btf=0", "max_env=65536", "exec_duration=1", "follow=1"),
        "plain": ()}
TYPED = {"et_exec", "et_fail", "et_call", "et_fork", "et_exit"}
PROGRAMS = TYPED | {name + "_raw" for name in TYPED} | {"et_fits", "et_fail_perf", "et_exit_perf"}


def every_object():
    # Before 6.16 sched_process_exit has no such argument: the verifier says so.
    newest = takes("has_group_dead=1")
    objects = sorted(glob.glob(os.path.join(lab.BUILD, "bpf", "*.bpf.o")))
    lab.demand(objects, "there is no object")
    for path in objects:
        for way, constants in WAYS.items():
            if way == "newest" and not newest:
                continue
            counts = verified(path, *constants)
            lab.equal(set(counts), PROGRAMS, f"programs of {path}")
            text = ", ".join(f"{name} {count}" for name, count in counts.items())
            print(f"     {os.path.basename(path)}, {way}: {text}")
            most = max(counts.values())
            lab.demand(0 < min(counts.values()) and most <= LIMIT, f"{path}, {way}: {most} instructions")


def takes(*constants):
    return lab.run([lab.helper("verified"), os.path.join(lab.BUILD, "bpf", "probe.bpf.o"), *constants],
                   code=None).returncode == 0


def verified(path, *constants):
    done = lab.run([lab.helper("verified"), path, *constants])
    return {name: int(count) for count, name in (line.split() for line in done.stdout.decode().splitlines())}


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(every_object)

#!/usr/bin/env python3
"""--cpu, --nice, --realtime: they hold for the recorder, and its command has nothing of them."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402

# What a command says of itself and of the recorder: policy, nice value and CPUs of each thread.
TELL = """
import os
def of(task):
    with open(f"/proc/{task}/stat") as stat, open(f"/proc/{task}/status") as status:
        cpus = next(line.split()[1] for line in status if line.startswith("Cpus_allowed_list:"))
        fields = stat.read().rsplit(")", 1)[1].split()
        print(fields[38], fields[16], cpus)
of("self")
recorder = os.getppid()
of(recorder)
for thread in os.listdir(f"/proc/{recorder}/task"):
    if int(thread) != recorder:
        of(thread)
for child in open(f"/proc/{recorder}/task/{recorder}/children").read().split():
    if int(child) != os.getpid():
        of(child)
"""
OTHER, RR = "0", "2"	# policies, as the kernel numbers them


def told(*options, before=()):
    """[policy, nice, CPUs] of the command; of the thread that empties the ring; of all others."""
    with lab.workdir() as work:
        done = lab.run([*before, lab.RECORDER, "-q", "-o", os.path.join(work, "c.etz"), *options, "--", sys.executable,
                        "-c", TELL])
    command, drain, *others = [line.split() for line in done.stdout.decode().splitlines()]
    lab.demand(len(others) >= 4, f"two threads and two servants at least, not {others}")
    return command, drain, others


def cpus():
    return sorted(os.sched_getaffinity(0))


def the_default():
    command, drain, others = told()
    lab.equal(drain[:2], [OTHER, "-10"], "who empties the ring")
    for other in [command, *others]:
        lab.equal(other[0], OTHER, "policy of the others")
        lab.demand(int(other[1]) >= 0, f"another one is at {other[1]}")
    lab.equal(command[1], "0", "the command")
    command, drain, _ = told(before=("nice", "-n", "3"))
    lab.equal((command[1], drain[1]), ("3", "3"), "whoever was begun at 3")


def nice():
    for value in ("-5", "0", "7"):
        command, drain, others = told("--nice", value)
        lab.equal((command[1], drain[1]), ("0", value), f"command and recorder with --nice {value}")
        lab.demand(all(other[1] in ("0", "19") for other in others), f"others: {others}")


def realtime():
    command, drain, others = told("--realtime")
    lab.equal(drain[0], RR, "policy of who empties the ring")
    lab.equal({other[0] for other in [command, *others]} - {RR}, {other[0] for other in [command, *others]},
              "policies of the others")


def pinned():
    last = str(cpus()[-1])
    before = told()[0][2]
    command, drain, others = told("--cpu", last)
    lab.equal(command[2], before, "CPUs of the command")
    lab.equal({other[2] for other in [drain, *others]}, {last}, "CPUs of the recorder")


def refused():
    missing = cpus()[-1] + 1000
    without = ["setpriv", "--bounding-set", "-sys_nice", "--inh-caps", "-all"]
    with lab.workdir() as work:
        for before, options, text in (([], ["--cpu", str(missing)], f"CPU {missing}"),
                                      ([], ["--cpu", f"{cpus()[0]},{missing}"], f"CPU {missing}"),
                                      (without, ["--nice", "-5"], "CAP_SYS_NICE"),
                                      (without, ["--realtime"], "CAP_SYS_NICE")):
            done = lab.run([*before, lab.RECORDER, "-o", os.path.join(work, "c.etz"), *options, "--", "touch",
                            os.path.join(work, "ran")], code=1)
            lab.demand(text.encode() in done.stderr, f"{options}: says {done.stderr!r}")
            lab.equal(os.listdir(work), [], f"what {options} leaves behind")
        # What is only the default is no reason not to record.
        lab.run([*without, lab.RECORDER, "-q", "-o", os.path.join(work, "c.etz"), "--", "true"])


if __name__ == "__main__":
    lab.need_bpf()
    lab.need_tool("setpriv")
    lab.main(the_default, nice, realtime, pinned, refused)

#!/usr/bin/env python3
"""Failed execs go before anything else does: beyond --max-rate, and when the ring fills up."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
from bursts import Bursts  # noqa: E402

NS = 10**9
KINDS = ("exec", "fail", "fork", "exit")


def storm(work, rate, *options, procs=2, fails, spawns):
    """Records one; returns what happened and was kept, by kind, info, and the rows of kind lost."""
    capture = os.path.join(work, "c.etz")
    lab.record(capture, "--force", "--ring-size", "64M", "--max-rate", str(rate), *options, "--", lab.helper("storm"),
               str(procs), str(fails), str(spawns), "0")
    info = lab.info(capture)
    happened = {"exec": 1 + procs * spawns, "fail": procs * fails, "fork": procs + procs * spawns,
                "exit": 1 + procs + procs * spawns}
    kept = {kind: info["kinds"].get(kind, 0) for kind in KINDS}
    print(f"   {rate} a second: happened {happened}, kept {kept}, lost {info['lost_by_cause']}")
    lab.equal(set(info["lost_by_cause"]), {"shed"}, "causes")
    return happened, kept, info, lab.replay(capture, "--kind", "lost")


def span(capture):
    """Seconds from the first failed exec to the last."""
    times = [event["ts"] for event in lab.replay(capture, "--kind", "fail")]
    return (max(times) - min(times)) / NS


def balance(happened, kept, info):
    """All that is missing is counted; execs and exits are there."""
    lab.equal((kept["exec"], kept["exit"]), (happened["exec"], happened["exit"]), "execs and exits kept")
    lab.equal(sum(kept.values()) + info["lost"], sum(happened.values()), "kept + lost")


def failed_execs_are_shed():
    rate = 20000
    with lab.workdir() as work:
        happened, kept, info, losses = storm(work, rate, fails=400000, spawns=200)
        balance(happened, kept, info)
        lab.equal(kept["fork"], happened["fork"], "forks kept")
        lab.equal(sum(event["count"] for event in losses), info["lost"], "sum of the rows")
        # One row for each batch, not one for each gap between two events.
        lab.demand(len(losses) < 100, f"{len(losses)} rows of kind lost")
        seconds = span(os.path.join(work, "c.etz"))
        lab.demand(seconds > 0.3, f"the storm lasted {seconds:.2f} s: the test does not test")
        # A second's worth, and the rate from then on; what CPUs are late to say comes back.
        most = rate * (1 + seconds)
        print(f"   {seconds:.2f} s: {sum(kept.values()) / most:.4f} of what may be kept")
        lab.demand(sum(kept.values()) <= most * 1.05, f"{sum(kept.values())} kept in {seconds:.2f} s")
        lab.demand(sum(kept.values()) >= most * 0.8, f"only {sum(kept.values())} kept in {seconds:.2f} s")


def then_forks_which_are_followed():
    """More forks than the rate allows: what they execute is there, whatever becomes of their rows."""
    with lab.workdir() as work:
        happened, kept, info, _ = storm(work, 200, fails=100000, spawns=1500)
        balance(happened, kept, info)
        lab.demand(kept["fork"] < happened["fork"], "no fork was shed: the test does not test")


def forks_go_last():
    """Where forks alone are fewer than the rate they are all kept, whatever fails beside them."""
    with lab.workdir() as work:
        happened, kept, info, _ = storm(work, 300, procs=1, fails=300000, spawns=60)
        balance(happened, kept, info)
        lab.equal(kept["fork"], happened["fork"], "forks kept")


def what_is_filtered_out_counts_nothing():
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        lab.record(capture, "--max-rate", "10", "--all", "--comm", "nobody-is-so", "--", lab.helper("storm"), "1",
                   "20000", "10", "0")
        info = lab.info(capture)
        lab.equal((info["events"], info["lost"]), (0, 0), "events and losses")


def nothing_is_shed_below_it():
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        lab.record(capture, "--max-rate", "100k", "--", lab.helper("storm"), "2", "20000", "200", "0")
        info = lab.info(capture)
        lab.equal((info["lost"], info["kinds"]["fail"]), (0, 40000), "lost and failed execs")


def a_storm_that_ends_leaves_nothing_behind():
    """Nothing is sent that could wake the recorder, and yet it lets through what comes seconds later."""
    with lab.workdir() as work, Bursts(work, os.path.join(work, "c.etz"), "--max-rate", "1k") as bursts:
        bursts.burst(200000)
        time.sleep(2.5)
        bursts.burst(1000)
        lab.equal(bursts.end(), 0, "exit code")
        fails = [event["ts"] for event in lab.replay(bursts.capture, "--kind", "fail")]
        gap = max(range(1, len(fails)), key=lambda i: fails[i] - fails[i - 1])
        lab.demand(fails[gap] - fails[gap - 1] > NS, "there is no gap between the bursts")
        lab.equal(len(fails) - gap, 1000, "failed execs kept of the second burst")
        info = lab.info(bursts.capture)
        lab.equal(len(fails) + info["lost"], bursts.made, "kept + lost")
        lab.equal(set(info["lost_by_cause"]), {"shed"}, "causes")


def they_leave_room_in_the_ring():
    """A recorder that does not come to it: failed execs fill the ring, but not to its end."""
    fails, spawns = 20000, 30
    storm_of = lab.helper("storm")
    script = f"echo; read go; {storm_of} 1 {fails} 0 0; {storm_of} 1 0 {spawns} 0; echo"
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        with lab.started([lab.RECORDER, "-o", capture, "--ring-size", "512K", "--", "sh", "-c", script],
                         stdin=-1) as recorder:
            recorder.stdout.readline()
            recorder.send_signal(signal.SIGSTOP)
            recorder.stdin.write(b"go\n")
            recorder.stdin.flush()
            recorder.stdout.readline()
            recorder.send_signal(signal.SIGCONT)
            recorder.communicate(timeout=lab.TIMEOUT)
        info = lab.info(capture)
        print(f"   kept {info['kinds']}, lost {info['lost_by_cause']}")
        lab.equal({kind: info["kinds"][kind] for kind in ("exec", "exit")},
                  {"exec": 1 + 2 + spawns, "exit": 1 + 2 * 2 + spawns}, "execs and exits kept")
        lab.demand(info["lost"] > 0, "the ring had room for all: the test does not test")
        lab.equal(set(info["lost_by_cause"]), {"ring_full"}, "causes")
        lab.equal(info["kinds"]["fail"] + info["lost"], fails, "failed execs kept, and lost")


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(failed_execs_are_shed, then_forks_which_are_followed, forks_go_last, what_is_filtered_out_counts_nothing,
             nothing_is_shed_below_it, a_storm_that_ends_leaves_nothing_behind, they_leave_room_in_the_ring)

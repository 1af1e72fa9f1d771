#!/usr/bin/env python3
"""No event stays in the ring: the recorder is woken however CPUs come between."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402

ROUNDS = 500


def pairs_of_events():
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        # Only the command's events: nobody else's may wake the recorder.
        lab.record(capture, "--flush-interval", "1ms", "--", lab.helper("pair"), capture, str(ROUNDS))
        fails = [event for event in lab.replay(capture, "--kind", "fail")
                 if event["filename"] == "/nonexistent/pair"]
        lab.equal(len(fails), 2 * ROUNDS, "failed execs")


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(pairs_of_events)

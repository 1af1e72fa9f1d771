#!/usr/bin/env python3
"""A capture that is being recorded: followed, and through a pipe and a tee, all of it is shown."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402

EXECS = 50


def followed():
    with lab.workdir() as work:
        capture, shown = os.path.join(work, "c.etz"), os.path.join(work, "shown")

        def seen(word):
            with open(shown, "rb") as file:
                return word in file.read()

        with open(shown, "wb") as out, \
                lab.started([lab.EXECTRACE, "replay", "--follow", "--json", capture], stdout=out) as follower:
            with lab.recording(capture) as recorder:
                for i in range(EXECS):
                    lab.run(["/bin/true", f"followed-{i}-{os.getpid()}"])
                    time.sleep(0.01)
                last = f"followed-{EXECS - 1}-{os.getpid()}".encode()
                # While it is still being recorded.
                lab.wait_until(lambda: seen(last), "the last exec to be shown")
                lab.demand(recorder.poll() is None, "the recorder has ended")
                code, _, err = lab.stop(recorder)
                lab.equal(code, 0, f"exit code of the recorder, {err!r}")
            expected = sorted(lab.exectrace("replay", "--json", capture).stdout.splitlines())

            def all_shown():
                with open(shown, "rb") as file:
                    return len(file.read().splitlines()) >= len(expected)
            lab.wait_until(all_shown, f"{len(expected)} lines")
            code, _, err = lab.stop(follower, signal.SIGTERM)
            lab.equal(code, 0, f"exit code of the follower, {err!r}")
            lab.demand(f"{capture}: complete, ".encode() in err, f"told: {err!r}")
        with open(shown, "rb") as file:
            lab.equal(sorted(file.read().splitlines()) == expected, True, "it showed what the capture holds")
        print(f"   {len(expected)} events")


def through_a_tee():
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        script = "for i in 1 2 3 4 5 6 7 8 9; do /bin/true piped-$i; done"
        line = (f"{lab.EXECTRACE} record -o - -- /bin/sh -c '{script}' | tee {capture} | "
                f"{lab.EXECTRACE} replay --json -")
        shown = lab.run(["sh", "-c", line]).stdout
        expected = lab.exectrace("replay", "--json", capture).stdout
        lab.equal(sorted(shown.splitlines()) == sorted(expected.splitlines()), True, "the pipe shows what the file holds")
        for i in range(1, 10):
            lab.demand(f"piped-{i}\"".encode() in shown, f"exec {i} is not there")


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(followed, through_a_tee)

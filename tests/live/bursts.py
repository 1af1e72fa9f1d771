"""A recorder that follows bursts.c: how much happened is known to the event."""
import contextlib
import os
import re
import subprocess

import lab

BURST = 10000


class Bursts:
    """A recorder that follows a command which executes in vain as often as it is told."""

    def __init__(self, work, capture, *args, argv=(), flush="1s", **kwargs):
        self.capture = capture
        self.made = 0
        self.errors = os.path.join(work, "stderr")
        with open(self.errors, "wb") as errors:
            # pylint: disable=consider-using-with
            self.process = subprocess.Popen(
                [*argv, lab.RECORDER, "-o", capture, "--flush-interval", flush, *args, "--", lab.helper("bursts")],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, **kwargs)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def said(self):
        with open(self.errors, "rb") as file:
            return file.read()

    def burst(self, number=BURST):
        self.process.stdin.write(b"%d\n" % number)
        self.process.stdin.flush()
        lab.equal(self.process.stdout.readline(), b"done\n", "answer")
        self.made += number

    def kept(self):
        done = lab.exectrace("replay", "-q", "--count", "--kind", "fail", self.capture, code=None)
        return int(done.stdout or 0)

    def until_written(self):
        """False: it could not be."""
        lab.wait_until(lambda: b"cannot write" in self.said() or self.kept() == self.made, "the burst to be written")
        return b"cannot write" not in self.said()

    def end(self):
        self.process.stdin.close()
        return self.process.wait(timeout=lab.TIMEOUT)


def number_of(pattern, text):
    found = re.search(pattern, text)
    lab.demand(found, f"no {pattern!r} in {text!r}")
    return int(found[1])


def strace(*args):
    """The words in front of a program to trace; LeakSanitizer does not work there."""
    return [lab.need_tool("strace"), "-f", "-qq", "--seccomp-bpf", "-E", "ASAN_OPTIONS=detect_leaks=0", *args]

#!/usr/bin/env python3
"""replay --follow: files that grow, are replaced, truncated, late, or no captures."""
import fcntl
import os
import pty
import random
import select
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402


def shown(data, *args):
    """What replay --json prints of a whole capture."""
    return lab.exectrace("replay", "--json", *args, "-", input=data, code=None).stdout


def starts(data):
    """Where its records begin."""
    return [i for i in range(len(data)) if data.startswith(b"\x89ETZ\r\n\x1a\n", i)]


def begun(data):
    """How much of a capture is there when its last chunk is being written."""
    cut = starts(data)[-3] + 10
    lab.demand(shown(data[:cut]), "nothing to show before the last chunk")
    return cut


def append(path, data):
    with open(path, "ab", buffering=0) as file:
        file.write(data)


def replace(path, data):
    """As a program that never leaves half a file under the name."""
    with open(path + ".new", "wb") as file:
        file.write(data)
    os.rename(path + ".new", path)


class Follower:
    """replay --follow in the background, with what it has printed so far."""

    def __init__(self, path, *args):
        self.process = subprocess.Popen([lab.EXECTRACE, "replay", "--follow", *(args or ["--json"]), path],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for stream in (self.process.stdout, self.process.stderr):
            fcntl.fcntl(stream, fcntl.F_SETFL, os.O_NONBLOCK)
        fcntl.fcntl(self.process.stdout, 1031, 1 << 20)  # F_SETPIPE_SZ
        self.out = self.err = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def look(self):
        self.out += self.process.stdout.read() or b""
        self.err += self.process.stderr.read() or b""

    def until(self, expected, what):
        """Waits for exactly this output."""
        def there():
            self.look()
            lab.demand(self.process.poll() is None, f"{what}: it ended: {lab.tail(self.err)}")
            lab.demand(expected.startswith(self.out),
                       f"{what}: after {os.path.commonprefix([expected, self.out])[-200:]!r} "
                       f"came {self.out[len(os.path.commonprefix([expected, self.out])):][:200]!r}")
            return len(self.out) == len(expected)
        lab.wait_until(there, f"{what}: {len(expected)} bytes of output")

    def until_told(self, text):
        def told():
            self.look()
            return text.encode() in self.err
        lab.wait_until(told, f"{text!r} on standard error, where is {lab.tail(self.err)}")

    def silent(self, seconds=0.3):
        """Nothing more comes, nor does it end."""
        before = self.out
        time.sleep(seconds)
        self.look()
        lab.equal(self.out[len(before):], b"", "output while there is nothing to say")
        lab.demand(self.process.poll() is None, f"it ended: {lab.tail(self.err)}")

    def stop(self, code=0, sig=signal.SIGINT):
        self.process.send_signal(sig)
        lab.wait_until(lambda: self.process.poll() is not None, "the end")
        self.look()
        lab.equal(self.process.returncode, code, f"exit code, having told {lab.tail(self.err)}")
        return self.err.decode()


def grows_in_pieces():
    rng = random.Random(3)
    for options in (["--json"], ["--json", "--ok", "--uid", "ann"], ["--wide"]):
        data = lab.generated(300, "unclean")
        with lab.workdir() as directory:
            path = os.path.join(directory, "c.etz")
            whole = os.path.join(directory, "whole.etz")
            replace(whole, data)
            expected = lab.exectrace("replay", *options, whole).stdout
            replace(path, data[:20])
            with Follower(path, *options) as follower:
                at = 20
                while at < len(data):
                    size = rng.randrange(1, 2500)
                    append(path, data[at:at + size])
                    at += size
                    time.sleep(0.005)
                    follower.look()
                    lab.demand(expected.startswith(follower.out), f"output at byte {at} is none of the whole")
                follower.until(expected, f"{options}, in pieces")
                lab.demand("not ended" in follower.stop() or "until now" in follower.err.decode(), follower.err)


def whole_records_are_shown_at_once():
    """However little of the next is there: half a record holds nothing up."""
    data = lab.generated(1200, "unclean")
    places = starts(data)
    lab.demand(len(places) > 7, f"{len(places)} records")
    with lab.workdir() as directory:
        path = os.path.join(directory, "c.etz")
        replace(path, b"")
        with Follower(path) as follower:
            at = 0
            for start, end in zip(places, places[1:] + [len(data)]):
                for cut in (start + 5, start + 48, start + 60, end - 9):
                    append(path, data[at:cut])
                    at = cut
                    follower.until(shown(data[:start]) if start else b"", f"at byte {cut}")
                    follower.silent(0.03)
            append(path, data[at:])
            follower.until(shown(data), "at the end")
            lab.equal(b"cut off" in follower.err, False, "told of a cut")
            told = follower.stop()
            lab.demand(told.endswith(f"{path}: {len(shown(data).splitlines())} events shown until now\n"), told)


def goes_on_behind_the_end():
    first, second = lab.generated(300), lab.generated(200, "shift=60000")
    with lab.workdir() as directory:
        path = os.path.join(directory, "c.etz")
        replace(path, first)
        with Follower(path) as follower:
            follower.until(shown(first), "the first")
            append(path, second)
            follower.until(shown(first) + shown(second), "what was appended")
            lab.demand(": complete, " in follower.stop(), follower.err)
        with Follower(path, "--json", "--limit", "10") as follower:
            lab.wait_until(lambda: follower.process.poll() is not None, "the end of --limit")
            follower.look()
            lab.equal(len(follower.out.splitlines()), 10, "events of --limit 10")
            lab.equal(follower.process.returncode, 0, "exit code of --limit")


def rotation():
    parts = [lab.generated(300), lab.generated(250, "shift=60000"), lab.generated(200, "shift=120000"),
             lab.generated(150, "unclean", "shift=180000"), lab.generated(100, "shift=240000")]
    with lab.workdir() as directory:
        path = os.path.join(directory, "c.etz")
        cut = begun(parts[0])
        replace(path, parts[0][:cut])
        with Follower(path) as follower:
            expected = shown(parts[0])
            follower.until(shown(parts[0][:cut]), "the beginning")
            # Renamed first, still written, and then the next is begun.
            os.rename(path, path + ".1")
            append(path + ".1", parts[0][cut:cut + 900])
            append(path, parts[1][:70])
            append(path + ".1", parts[0][cut + 900:])
            follower.until(expected, "all of the renamed file")
            append(path, parts[1][70:])
            expected += shown(parts[1])
            follower.until(expected, "the next file")
            # Replaced at once; deleted and made anew.
            replace(path, parts[2])
            expected += shown(parts[2])
            follower.until(expected, "what replaced it")
            os.unlink(path)
            follower.silent()
            append(path, parts[3][:-100])
            # Its last record stays cut: the writer was killed, and the next one has begun.
            expected += shown(parts[3][:-100])
            follower.until(expected, "a file of a killed writer")
            replace(path, parts[4])
            expected += shown(parts[4])
            follower.until(expected, "the file behind it")
            told = follower.stop(code=3)
            lab.demand("cut off inside a record" in told, told)


def nothing_of_the_old_file_is_left_out():
    """The next file is there before the old one has its last records."""
    first, second = lab.generated(300), lab.generated(200, "shift=60000")
    with lab.workdir() as directory:
        path = os.path.join(directory, "c.etz")
        cut = begun(first)
        replace(path, first[:cut])
        with Follower(path) as follower:
            follower.until(shown(first[:cut]), "the beginning")
            os.rename(path, path + ".1")
            replace(path, second)
            for at in range(cut, len(first), 1000):
                time.sleep(0.2)
                append(path + ".1", first[at:at + 1000])
            follower.until(shown(first) + shown(second), "both")
            lab.demand(": complete, " in follower.stop(), follower.err)


def late_file():
    data = lab.generated(100)
    with lab.workdir() as directory:
        path = os.path.join(directory, "late.etz")
        with Follower(path) as follower:
            follower.silent()
            replace(path, data)
            follower.until(shown(data), "a file that came late")
            lab.equal(follower.stop().count("\n"), 1, "lines told, without a terminal")
        with Follower(os.path.join(directory, "never.etz")) as follower:
            follower.silent()
            told = follower.stop()
            lab.demand("0 events shown until now" in told, told)
        # On a terminal it is told what is waited for.
        master, slave = pty.openpty()
        with subprocess.Popen([os.path.abspath(lab.EXECTRACE), "replay", "--follow", "never.etz"], cwd=directory,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=slave) as process:
            os.close(slave)
            lab.demand(select.select([master], [], [], 30)[0], "nothing on the terminal")
            told = os.read(master, 1000)
            lab.demand(b"never.etz: is not there yet; waiting for it" in told, f"told {told!r}")
            process.send_signal(signal.SIGTERM)
            lab.equal(process.wait(lab.TIMEOUT), 0, "exit code after SIGTERM")
        os.close(master)


def truncated_and_written_over():
    first, second, third = lab.generated(300), lab.generated(200, "shift=60000"), lab.generated(900, "shift=120000")
    with lab.workdir() as directory:
        path = os.path.join(directory, "c.etz")
        replace(path, first)
        with Follower(path) as follower:
            expected = shown(first)
            follower.until(expected, "the first")
            os.truncate(path, 0)
            follower.until_told("was truncated or written over")
            append(path, second)
            expected += shown(second)
            follower.until(expected, "what was written then")
            # Longer than what was there, by the same name and inode: no size tells.
            with open(path, "r+b", buffering=0) as file:
                file.write(third)
            expected += shown(third)
            follower.until(expected, "what was written over it")
            lab.equal(follower.err.count(b"written over"), 2, "lines told")
            lab.demand(": complete, " in follower.stop(), follower.err)


def unrelated_files():
    first, second = lab.generated(300), lab.generated(200, "shift=60000")
    with lab.workdir() as directory:
        path = os.path.join(directory, "c.etz")
        replace(path, first)
        with Follower(path) as follower:
            follower.until(shown(first), "the first")
            replace(path, b"not a capture\n" * 100)
            follower.until_told(f"{path}: cannot go on with what has the name now: a text file")
            follower.silent()
            lab.equal(follower.err.count(b"\n"), 1, "lines told")
            os.unlink(path)
            os.mkfifo(path)
            follower.until_told("it is not a regular file")
            replace(path, second)
            follower.until(shown(first) + shown(second), "a capture again")
            lab.demand(": complete, " in follower.stop(), follower.err)


def wrong_use():
    data = lab.generated(20)
    with lab.workdir() as directory:
        path = os.path.join(directory, "c.etz")
        text = os.path.join(directory, "text")
        replace(path, data)
        replace(text, b"not a capture\n" * 10)
        for args, code, message in (
                (["--count", path], 2, "--follow has no end at which --count"),
                ([path, path], 2, "--follow is for one file"),
                ([text], 1, "text: not a capture: a text file"),
                ([directory], 1, "is a directory"),
                ([os.path.join(directory, "no", "such.etz")], 1, "No such file or directory")):
            done = lab.exectrace("replay", "--follow", *args, code=code)
            lab.demand(message in done.stderr.decode(), f"{args}: told {done.stderr!r}")
            lab.equal(done.stdout, b"", f"{args}: output")
        lab.exectrace("summary", "--follow", path, code=2)
        # What ends by itself is simply replayed.
        with open(path, "rb") as file:
            lab.equal(lab.exectrace("replay", "--json", "--follow", "-", stdin=file).stdout, shown(data), "-")
        lab.equal(lab.run(["sh", "-c", f"cat {path} | {lab.EXECTRACE} replay --json --follow /dev/stdin"]).stdout,
                  shown(data), "a pipe")


def inside_the_sandbox():
    """Following opens files, in its folder alone; cli.sandbox tries what else may be done inside."""
    if lab.SANITIZED:
        return
    data = lab.generated(50)
    with lab.workdir() as directory:
        path = os.path.join(directory, "c.etz")
        replace(path, data)
        with Follower(path) as follower:
            follower.until(shown(data), "the first file")
            with open(f"/proc/{follower.process.pid}/status", encoding="ascii") as file:
                status = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
            if status["Seccomp"] != "2":
                lab.skip("the kernel has no seccomp filters")
            lab.equal(status["NoNewPrivs"], "1", "no_new_privs")
            os.rename(path, path + ".1")
            # The same events, but another capture: a copy of what was shown has nothing to show.
            replace(path, lab.generated(50))
            follower.until(shown(data) * 2, "the file that took its name")
            follower.stop()


def endings():
    data = lab.generated(300, "lost")
    with lab.workdir() as directory:
        path = os.path.join(directory, "c.etz")
        replace(path, data)
        for sig in (signal.SIGINT, signal.SIGTERM):
            with Follower(path) as follower:
                follower.until(shown(data), "all")
                told = follower.stop(sig=sig)
                lab.demand(told.startswith(f"exectrace replay: {path}: incomplete: 17 events lost (ring_full 17) "), f"told {told!r}")
                lab.equal(told.count("\n"), 1, f"lines told after {sig}")
        with Follower(path, "--json", "--fail-on-loss") as follower:
            follower.until(shown(data), "all")
            follower.stop(code=3)
        # The reader goes while nothing is printed: that is noticed without another event.
        with Follower(path) as follower:
            follower.until(shown(data), "all")
            follower.process.stdout.close()
            lab.wait_until(lambda: follower.process.poll() is not None, "the end, without a reader")
            lab.equal(follower.process.returncode, 0, "exit code without a reader")
        # A hanging write does not keep it from being killed.
        big = os.path.join(directory, "big.etz")
        replace(big, lab.generated(3000))
        with lab.started([lab.EXECTRACE, "replay", "--follow", "--json", big]) as process:
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            lab.equal(process.wait(lab.TIMEOUT), -signal.SIGINT, "after a second signal")


if __name__ == "__main__":
    # A shell starts what is in the background with SIGINT ignored, and that is inherited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    lab.main(grows_in_pieces, whole_records_are_shown_at_once, goes_on_behind_the_end, rotation,
             nothing_of_the_old_file_is_left_out, late_file, truncated_and_written_over, unrelated_files, wrong_use,
             inside_the_sandbox, endings)

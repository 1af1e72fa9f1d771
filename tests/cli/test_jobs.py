#!/usr/bin/env python3
"""However many threads read: the same bytes on both outputs, the same exit code, within the same memory."""
import contextlib
import fcntl
import glob
import os
import pty
import random
import subprocess
import sys
import termios
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402

QUESTIONS = (
    ("replay",),
    ("replay", "--json"),
    ("replay", "--count"),
    ("replay", "--count", "--uid", "0"),
    ("replay", "--count", "--comm", "sh", "--fail-on-loss"),
    ("replay", "--json", "--where", 'argv has "-o" || uid = 1000'),
    ("replay", "--json", "--limit", "7"),
    ("replay", "--count", "--limit", "700", "--failed"),
    ("replay", "--json", "--since", "+1s", "--until", "+3s"),
    ("replay", "--kind", "lost", "--fail-on-loss", "--utc"),
    ("summary", "--json"),
    ("summary", "--uid", "root", "--fail-on-loss"),
)
JOBS = ("2", "7")


def answers(question, files, jobs, **kwargs):
    done = lab.exectrace(*question, "-j", jobs, *files, code=None, **kwargs)
    lab.demand(done.returncode in (0, 1, 2, 3), f"{question} -j {jobs}: exit code {done.returncode}")
    return done.returncode, done.stdout, done.stderr


def same(files, questions=QUESTIONS):
    """Asks all; returns how many bytes came."""
    size = 0
    for question in questions:
        alone = answers(question, files, "1")
        for jobs in JOBS:
            lab.equal(answers(question, files, jobs), alone,
                      f"-j {jobs} of {' '.join(question)} {' '.join(map(os.path.basename, files))}")
        size += len(alone[1])
    return size


def files_of_the_corpus():
    """Each of them, whatever is wrong with it."""
    files = sorted(glob.glob(os.path.join(lab.SOURCE, "tests", "files", "*.etz")))
    lab.demand(len(files) > 100, f"only {len(files)} files")
    asked = (QUESTIONS[1], QUESTIONS[2], QUESTIONS[3])
    lab.demand(sum(same([file], asked) for file in files) > 10000, "hardly any output")


def captures_of_many_chunks():
    with lab.workdir() as work:
        for words in ((20000,), (9000, "unclean", "lost"), (9000, "clock", "lost")):
            lab.demand(same([lab.made(work, *words)]) > 100000, "hardly any output")


def chunks_of_all_sizes():
    """compact has them of one event up to a quarter of a million; small ones are many at once."""
    with lab.workdir() as work:
        capture = lab.made(work, 9000, "lost")
        for rows in (3, 100, 262144):
            made = os.path.join(work, f"rows-{rows}.etz")
            lab.exectrace("compact", "--level", "1", "--chunk-rows", str(rows), "-o", made, capture)
            same([made], QUESTIONS[:4])


def damaged():
    """Bytes changed, bytes missing, the end cut off."""
    rng = random.Random(5)
    codes = set()
    with lab.workdir() as work:
        whole = lab.generated(9000, "lost")
        for number in range(12):
            data = bytearray(whole)
            for _ in range(rng.choice((1, 3, 40))):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            if number % 3 == 1:
                at = rng.randrange(len(data))
                del data[at:at + rng.randrange(3000)]
            if number % 3 == 2:
                del data[rng.randrange(len(data) // 2, len(data)):]
            path = lab.written(work, f"damaged-{number}.etz", bytes(data))
            same([path], QUESTIONS[1:6])
            codes.add(answers(QUESTIONS[1], [path], "2")[0])
    lab.demand(3 in codes, f"none of them is damaged: {codes}")


def several_segments_and_copies():
    """Segments one behind the other, the same one twice, one whose copy makes up for its damage."""
    with lab.workdir() as work:
        one, two = lab.generated(4000, "lost"), lab.generated(3000, "shift=500")
        hurt = bytearray(one)
        hurt[len(hurt) // 2] ^= 4
        for name, data in (("two", one + two), ("twice", one + one), ("mended", bytes(hurt) + one),
                           ("both-hurt", bytes(hurt) + bytes(hurt)), ("three", two + bytes(hurt) + one)):
            same([lab.written(work, f"{name}.etz", data)], QUESTIONS[:6])


def several_files():
    with lab.workdir() as work:
        one, two = lab.made(work, 4000, "lost"), lab.made(work, 3000, "shift=500")
        merged = os.path.join(work, "merged.etz")
        lab.exectrace("merge", "-o", merged, one, two)
        hurt = bytearray(lab.contents(one))
        hurt[len(hurt) // 2] ^= 4
        hurt = lab.written(work, "hurt.etz", bytes(hurt))
        for files in ([one, two], [two, one, one], [merged], [hurt, one], [one, hurt, two]):
            same(files, QUESTIONS[:6])


def names_that_come_later():
    """Users and groups of cgroups that a record in the midst tells: for the rows behind it."""
    with lab.workdir() as work:
        text = ["segment"]
        for number in range(400):
            text.append(f"user {number} u{number}")
            text += [f"exec ts={number * 1000 + k} pid={k + 1} uid={number} comm=c{number % 7}" for k in range(5)]
            text.append("chunk")
        text.append("end ts=9000000 done")
        data = lab.run([lab.helper("write_capture")], input="\n".join(text).encode() + b"\n").stdout
        capture = lab.written(work, "names.etz", data)
        same([capture], (("replay", "--json"), ("replay", "--count", "--uid", "u17,u399"),
                         ("replay", "--where", 'user = "u33"'), ("summary", "--json")))
        found = answers(("replay", "--count", "--uid", "u17,u399"), [capture], "2")
        lab.equal(found[1], b"10\n", "events of two users")


def pipes():
    with lab.workdir() as work:
        capture = lab.made(work, 9000, "lost")
        for question in QUESTIONS[:5]:
            alone = None
            for jobs in ("1", *JOBS):
                with subprocess.Popen(["cat", capture], stdout=subprocess.PIPE) as cat:
                    found = answers(question, ["-"], jobs, stdin=cat.stdout)
                alone = alone or found
                lab.equal(found, alone, f"-j {jobs} of {' '.join(question)} of a pipe")


def a_file_that_grows():
    """--follow, of a file to which half is added while it is read."""
    with lab.workdir() as work:
        data = lab.generated(3000)
        for jobs in ("1", *JOBS):
            path = lab.written(work, f"grows-{jobs}.etz", data[:len(data) // 2])
            with lab.started([lab.EXECTRACE, "replay", "--json", "--follow", "-j", jobs, path]) as process:
                adder = threading.Timer(0.3, lambda to=path: open(to, "ab").write(data[len(data) // 2:]))
                adder.start()
                events = len(lab.replay(lab.written(work, "whole.etz", data)))
                found = [process.stdout.readline() for _ in range(events)]
                adder.join()
                lab.equal(lab.stop(process)[0], 0, f"exit code of --follow -j {jobs}")
                lab.demand(all(line.endswith(b"}\n") for line in found), "lines are missing")


def a_reader_that_goes_away():
    """While threads are at work: the end is quiet, as with one."""
    with lab.workdir() as work:
        capture = lab.made(work, 30000)
        for jobs in ("1", *JOBS):
            with lab.started([lab.EXECTRACE, "replay", "--json", "-j", jobs, capture]) as process:
                process.stdout.readline()
                process.stdout.close()
                lab.equal(process.wait(timeout=lab.TIMEOUT), 0, f"exit code with -j {jobs}")
                lab.equal(process.stderr.read(), b"", f"stderr with -j {jobs}")


def really_several():
    """The control: there are as many threads as were asked for, and by default as CPUs."""
    if lab.SANITIZED:
        print("   a sanitizer has threads of its own; not counted")
        return
    with lab.workdir() as work:
        capture = lab.made(work, 30000)
        cpus = len(os.sched_getaffinity(0))
        for args, expected in ((("-j", "1"), 1), (("-j", "5"), 5), (("--jobs=3",), 3), ((), min(cpus, 64))):
            # The pipe fills, so that it is caught in the midst.
            with lab.started([lab.EXECTRACE, "replay", "--json", *args, capture]) as process:
                process.stdout.read(4 << 20)
                time.sleep(0.1)
                found = len(os.listdir(f"/proc/{process.pid}/task"))
                lab.equal(found, expected, f"threads with {args}")


def told_on_a_terminal():
    """How far it is, once that takes more than two seconds; nothing of it stays, nor goes anywhere else."""
    with lab.workdir() as work:
        capture = lab.made(work, 30000)
        for slow in (False, True):
            terminal, inner = pty.openpty()
            # A session of its own, whose terminal this is: in the background nothing is told.
            with lab.started([lab.EXECTRACE, "replay", "--json", "-q", capture], stderr=inner, start_new_session=True,
                             preexec_fn=lambda fd=inner: fcntl.ioctl(fd, termios.TIOCSCTTY, 0)) as process:
                os.close(inner)
                end = time.monotonic() + (2.5 if slow else 0)
                # What is read for that long is little, so that the program waits for it.
                while time.monotonic() < end:
                    process.stdout.read(1 << 17)
                    time.sleep(0.05)
                out = process.stdout.read()
                lab.equal(process.wait(timeout=lab.TIMEOUT), 0, "exit code")
            lab.demand(out.endswith(b"}\n") and b"\x1b" not in out, "the output is not whole, or has the line in it")
            found = b""
            with contextlib.suppress(OSError):
                while True:
                    part = os.read(terminal, 4096)
                    found += part
                    if not part:
                        break
            os.close(terminal)
            lab.equal(b"% of " in found, slow, f"whether {found!r} tells how far it is")
            lab.equal(found.rsplit(b"\x1b[K", 1)[-1], b"", "what stays on the terminal")
    # Where it is no terminal: QUESTIONS have shown that there is nothing.


def within_memory():
    """Many threads, large chunks: what is under way is bounded."""
    if lab.SANITIZED:
        print("   a sanitizer takes memory of its own; not measured")
        return
    with lab.workdir() as work:
        small, large = lab.made(work, 60000), os.path.join(work, "large.etz")
        lab.exectrace("compact", "--level", "1", "--chunk-rows", "262144", "-o", large, small, timeout=4 * lab.TIMEOUT)
        for capture in (small, large):
            for question in QUESTIONS[1:4]:
                with open(os.devnull, "wb") as null:
                    process = subprocess.Popen([lab.EXECTRACE, *question, "-q", "-j", "64", capture], stdout=null)
                    _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                lab.equal(process.returncode, 0, f"exit code of {question}")
                lab.demand(usage.ru_maxrss < 200 << 10, f"{question} took {usage.ru_maxrss} KiB")


def what_it_takes():
    for value in ("0", "65", "-1", "many", ""):
        done = lab.exectrace("replay", "-j", value, "/nonexistent", code=2)
        lab.demand(b"--jobs" in done.stderr, f"-j {value!r} says {done.stderr!r}")


if __name__ == "__main__":
    lab.main(what_it_takes, files_of_the_corpus, captures_of_many_chunks, chunks_of_all_sizes, damaged,
             several_segments_and_copies, several_files, names_that_come_later, pipes, a_file_that_grows,
             a_reader_that_goes_away, really_several, told_on_a_terminal, within_memory)

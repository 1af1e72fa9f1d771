#!/usr/bin/env python3
"""What is done to a recorder from outside: to its pipe, its terminal and its file, and by signals."""
import fcntl
import os
import pty
import shutil
import signal
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
from bursts import BURST, Bursts, number_of  # noqa: E402


def closed_pipe():
    """The reader has enough: no word, and the command's exit code."""
    words = [lab.EXECTRACE, "record", "-o", "-", "--flush-interval", "10ms", "--", "/bin/sh", "-c",
             f"{lab.helper('storm')} 2 20000 50 0; /bin/sleep 0.3; /bin/true; exit 7"]
    with lab.started(words) as recorder:
        recorder.stdout.read(3000)
        recorder.stdout.close()
        lab.equal((recorder.stderr.read(), recorder.wait(timeout=lab.TIMEOUT)), (b"", 7), "words and exit code")
    # Gone before the recording begins, it may not take the command with it in silence.
    ours, its = os.pipe()
    os.close(ours)
    done = lab.run(words, stdout=its, code=1)
    os.close(its)
    lab.equal(done.stderr, b"exectrace record: the command was not run\n", "words")


def pipe_that_nobody_reads():
    """The first signal ends the recording, a later one gives up on the rest."""
    for size in (4096, 1 << 16):
        with lab.started([lab.EXECTRACE, "record", "-o", "-", "--flush-interval", "10ms"]) as recorder:
            fcntl.fcntl(recorder.stdout, 1031, size)	# F_SETPIPE_SZ
            full = struct.pack("i", 0)

            def waiting(recorder=recorder, full=full):
                lab.run([lab.helper("storm"), "2", "20000", "20", "0"])
                return struct.unpack("i", fcntl.ioctl(recorder.stdout, 0x541B, full))[0]	# FIONREAD
            before = lab.wait_until(waiting, "the first bytes")
            while before != waiting():
                before = waiting()
            recorder.send_signal(signal.SIGTERM)
            time.sleep(1)
            lab.equal(recorder.poll(), None, "exit code while the pipe is full")
            recorder.send_signal(signal.SIGTERM)
            # It is over, whether the pipe is read or not.
            lab.equal(recorder.wait(timeout=lab.TIMEOUT), 1, "exit code")
            lab.demand(b"nobody reads standard output" in recorder.stderr.read(), "does not say why")


def pipe_that_does_not_block():
    with lab.workdir() as work:
        path = os.path.join(work, "c.etz")
        with lab.started([lab.EXECTRACE, "record", "-o", "-", "--flush-interval", "10ms", "--ring-size", "64M", "--",
                          lab.helper("storm"), "2", "50000", "50", "0"]) as recorder:
            fcntl.fcntl(recorder.stdout, 1031, 4096)
            # The description is the recorder's too.
            os.set_blocking(recorder.stdout.fileno(), False)
            with open(f"/proc/{recorder.pid}/fd/1", "wb", buffering=0) as other:
                os.set_blocking(other.fileno(), False)
            with open(path, "wb") as file:
                while True:
                    part = recorder.stdout.read(1000)
                    if part == b"":
                        break
                    file.write(part or b"")
                    time.sleep(0 if part else 0.001)
            lab.equal(recorder.wait(timeout=lab.TIMEOUT), 0, "exit code")
        lab.equal(lab.info(path)["complete"], True, "complete")


def terminated_while_it_starts():
    ends = []
    for i in range(24):
        with lab.workdir() as work:
            capture = os.path.join(work, "c.etz")
            with lab.started([lab.RECORDER, "-o", capture]) as recorder:
                time.sleep(i * 0.02)
                code, _, err = lab.stop(recorder, signal.SIGTERM)
            lab.demand(code in (0, -signal.SIGTERM), f"exit code {code}, {err!r}")
            ends.append(code)
            lab.equal(os.listdir(work), ["c.etz"] if code == 0 else [], f"files after {code}")
            if code == 0:
                lab.equal(lab.info(capture)["complete"], True, "complete")
    lab.demand(ends.count(0) > 4, f"it was never recording: {ends}")


def stopped_and_continued():
    """What came while it could not run is kept or counted."""
    with lab.workdir() as work, Bursts(work, os.path.join(work, "c.etz"), "--ring-size", "64K", flush="50ms") as bursts:
        bursts.burst(10)
        bursts.until_written()
        for _ in range(3):
            bursts.process.send_signal(signal.SIGSTOP)
            bursts.burst()
            bursts.process.send_signal(signal.SIGCONT)
            bursts.burst(10)
        lab.equal(bursts.end(), 0, "exit code")
        info = lab.info(bursts.capture)
        lost = info["lost_by_cause"].get("ring_full", 0)
        # The exit of what makes them comes while the last burst may still fill the ring.
        lab.equal(info["kinds"]["fail"] + info["kinds"]["exit"] + info["lost"], bursts.made + 1, "kept + lost")
        lab.demand(lost > BURST and info["ended"] == "command ended", f"lost {lost}, ended {info['ended']}")
        lab.equal(number_of(r"(\d+) ring_full", bursts.said().decode()), lost, "lost as the recorder says")


def removed_file():
    with lab.workdir() as work:
        for i, remove in enumerate((os.unlink, lambda path: shutil.rmtree(os.path.dirname(path)))):
            folder = os.path.join(work, str(i))
            os.mkdir(folder)
            capture = os.path.join(folder, "c.etz")
            with lab.recording(capture) as recorder:
                remove(capture)
                code, _, err = lab.stop(recorder)
            lab.equal(code, 1, f"exit code, {err!r}")
            lab.demand(b"was removed while it was written" in err, f"said {err!r}")
        # Another name is no loss.
        capture = os.path.join(work, "c.etz")
        with lab.recording(capture) as recorder:
            os.rename(capture, capture + ".1")
            code, _, err = lab.stop(recorder)
        lab.equal((code, lab.info(capture + ".1")["complete"]), (0, True), "exit code and complete")


def terminal_that_goes_away():
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(lab.RECORDER, [lab.RECORDER, "-o", capture, "--flush-interval", "50ms"])

        def attached():
            lab.run(["/bin/true", "exectrace-test-marker"])
            return os.path.exists(capture) and b"exectrace-test-marker" in lab.exectrace(
                "replay", "--json", "--kind", "exec", capture, code=None).stdout
        lab.wait_until(attached, "the recorder to see an exec")
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
        lab.equal(os.waitstatus_to_exitcode(status), 0, "exit code")
        lab.equal(lab.info(capture)["complete"], True, "complete")


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(closed_pipe, pipe_that_nobody_reads, pipe_that_does_not_block, terminated_while_it_starts,
             stopped_and_continued, removed_file, terminal_that_goes_away)

#!/usr/bin/env python3
"""Whatever ends a recording, what was written is readable, and what is not there is said.

ET_KILLS: how often the recorder is killed, 40 unless told. ET_SEED: at which moments.
"""
import contextlib
import fcntl
import json
import os
import pty
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402

KILLS = int(os.environ.get("ET_KILLS", "40"))
SEED = int(os.environ.get("ET_SEED", "0")) or random.SystemRandom().randrange(1 << 32)

# Older than this at the moment of the kill, an event must be in the file: many times
# the flush interval, so that only a recorder that does not flush is caught.
FLUSH = "50ms"
GROSS = 3_000_000_000



def readers(capture):
    """Runs every command that reads; their results by name."""
    return {name: lab.exectrace(*args, capture, code=None)
            for name, args in (("replay", ("replay", "--json")), ("text", ("replay",)),
                               ("summary", ("summary", "--json")), ("info", ("info", "--json")))}


def only_unclean(done, what):
    """That the capture is whole as far as it goes. True: it ends inside a record."""
    cut = b"cut off inside a record" in done.stderr
    lab.demand(done.returncode == (3 if cut else 0), f"{what}: exit code {done.returncode}, {done.stderr!r}")
    lab.demand(cut or b"not ended" in done.stderr, f"{what} does not say that the end is missing: {done.stderr!r}")
    lab.demand(b"damaged" not in done.stderr and b" lost" not in done.stderr, f"{what}: {done.stderr!r}")
    return cut


# ---- kill -9 ------------------------------------------------------------------------------


def read_log(path, workers):
    """[(began, over), ...] of each worker, as far as it came."""
    log = []
    with open(path, "rb") as file:
        for worker in range(workers):
            file.seek(worker * 262144 * 16)
            entries = []
            for began, over in struct.iter_unpack("<QQ", file.read(262144 * 16)):
                if not began:
                    break
                entries.append((began, over))
            log.append(entries)
    return log


def judge(events, log, killed):
    """What is in the capture is the beginning of what happened. The age of the oldest event that is not."""
    at = {}	# (worker, number): place in the capture
    exits, forks = set(), set()
    oldest = killed
    for i, event in enumerate(events):
        if event["kind"] == "exit":
            exits.add(event["pid"])
        elif event["kind"] == "fork":
            forks.add(event["pid"])
        elif event["kind"] == "exec" and len(event["argv"]) == 2:
            worker, number = map(int, event["argv"][1].split(":"))
            lab.demand((worker, number) not in at, f"{worker}:{number} is there twice")
            at[worker, number] = i
            lab.demand(worker < len(log) and number < len(log[worker]), f"{worker}:{number} did not happen")
            began, over = log[worker][number]
            lab.demand(began <= event["ts"] and (not over or event["ts"] <= over),
                       f"{worker}:{number} did not happen at {event['ts']}, but from {began} to {over}")
    for worker, entries in enumerate(log):
        kept = sum(key[0] == worker for key in at)
        lab.equal(sorted(number for w, number in at if w == worker), list(range(kept)), f"numbers of worker {worker}")
        for number in range(kept):
            pid = events[at[worker, number]]["pid"]
            lab.demand(pid in forks, f"{worker}:{number} has no fork")
            lab.demand(number == kept - 1 or pid in exits, f"{worker}:{number} has no exit, but there is a later exec")
        if kept < len(entries):
            oldest = min(oldest, entries[kept][0])
    return killed - oldest


def kill_one(work, delay):
    """Kills a recorder after a delay. What came of it, for the account."""
    capture, log = os.path.join(work, "c.etz"), os.path.join(work, "log")
    for path in (capture, log):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    with lab.started([lab.RECORDER, "-q", "-o", capture, "--flush-interval", FLUSH, "--ring-size", "64M", "--",
                      lab.helper("sequence"), log, "2"]) as recorder:
        time.sleep(delay)
        killed = lab.boottime()
        recorder.kill()
        # The command has its end of the pipe until it has noticed.
        _, err = recorder.communicate(timeout=lab.TIMEOUT)
    lab.equal((recorder.returncode, err), (-signal.SIGKILL, b""), "the recorder's end")
    begun = os.path.exists(log) and any(read_log(log, 2))
    if not os.path.exists(capture):
        lab.demand(not begun, "there is no file, but the command ran")
        return {"early": True}
    done = readers(capture)
    if not begun and done["info"].returncode:
        for name, one in done.items():
            lab.demand(one.returncode in (1, 3) and one.stderr.count(b"\n") == 1, f"{name}: {one.stderr!r}")
        return {"early": True}
    cut = {only_unclean(one, name) for name, one in done.items()}
    lab.equal(len(cut), 1, "different words of the commands")
    info = json.loads(done["info"].stdout)
    lab.equal((info["complete"], info["lost"]), (False, 0), "complete and lost")
    events = lab.lines(done["replay"].stdout)
    lab.equal(info["events"], len(events), "events of info")
    lab.equal(sum(info["kinds"].values()), len(events), "kinds of info")
    lab.equal(json.loads(done["summary"].stdout)["events"], len(events), "events of summary")
    if not begun:
        return {"early": True}
    return {"cut": cut.pop(), "events": len(events), "age": judge(events, read_log(log, 2), killed)}


def killed_at_any_moment():
    print(f"   ET_SEED={SEED} ET_KILLS={KILLS}")
    rng = random.Random(SEED)
    account = []
    with lab.workdir() as work:
        for i in range(KILLS):
            # Every tenth lives long enough for the oldest events to be judged by.
            delay = 3.5 + rng.random() if i % 10 == 9 else rng.random() * 1.2
            try:
                account.append(kill_one(work, delay))
            except lab.Failure as failure:
                raise lab.Failure(f"kill {i + 1}, after {delay:.4f} s: {failure}") from failure
            lab.demand(account[-1].get("age", 0) < GROSS, f"kill {i + 1}: an event waited {account[-1]} for the file")
    late = [one for one in account if "age" in one]
    lab.demand(len(late) * 4 > KILLS, f"of {KILLS} recorders only {len(late)} had begun")
    ages = sorted(one["age"] / 1e6 for one in late)
    print(f"   {len(late)} killed while recording, {KILLS - len(late)} before; "
          f"{sum(one['cut'] for one in late)} inside a record; {sum(one['events'] for one in late)} events read; the oldest event that was not in the file was "
          f"{ages[len(ages) // 2]:.0f} ms old (median), {ages[-1]:.0f} ms at most")


def killed_while_it_replaces():
    """Under the name there is the old capture or the new one, at every moment."""
    rng = random.Random(SEED)
    with lab.workdir() as work:
        capture, old = os.path.join(work, "c.etz"), os.path.join(work, "old.etz")
        lab.record(old, "--", "/bin/true", "the-old-one")
        kept = 0
        for _ in range(max(KILLS // 2, 10)):
            shutil.copyfile(old, capture)
            with lab.started([lab.RECORDER, "-f", "-o", capture, "--flush-interval", FLUSH]) as recorder:
                time.sleep(rng.random() * 0.6)
                recorder.kill()
            with open(old, "rb") as one, open(capture, "rb") as other:
                is_old = one.read() == other.read()
            kept += is_old
            for name, done in readers(capture).items():
                if is_old:
                    lab.equal((name, done.returncode), (name, 0), "exit code")
                else:
                    only_unclean(done, name)
        lab.demand(kept, "it was never the old one")
        print(f"   {kept} times the old one, else the new one")


def judge_can_fail():
    log = [[(10, 20), (30, 40), (50, 60), (70, 0)], [(11, 0)]]

    def capture(*numbers, ts=None):
        return [event for n in numbers for event in (
            {"kind": "fork", "pid": n}, {"kind": "exec", "pid": n, "ts": ts or 15 + 20 * n, "argv": ["x", f"0:{n}"]},
            {"kind": "exit", "pid": n})]
    lab.equal(judge(capture(0, 1, 2), log, 100), 89, "age of the oldest")
    for events, what in ((capture(0, 2), "a gap"), (capture(0, 0), "one twice"), (capture(1), "the first is missing"),
                         (capture(0, 1, 2, 3, 4), "one that did not happen"), (capture(0, ts=21), "a wrong time"),
                         (capture(0, 1)[:2] + capture(1), "no exit"), (capture(0)[1:], "no fork")):
        try:
            judge(events, log, 100)
        except lab.Failure:
            continue
        raise lab.Failure(f"does not notice {what}")


# ---- No room ------------------------------------------------------------------------------

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


def fill(bursts):
    """Bursts until one cannot be written, each only when all before are in the file."""
    for _ in range(100):
        bursts.burst()
        if not bursts.until_written():
            return
    raise lab.Failure("there is room without end")


def number_of(pattern, text):
    found = re.search(pattern, text)
    lab.demand(found, f"no {pattern!r} in {text!r}")
    return int(found[1])


def check_full(bursts, limit, why, remedy):
    """The recorder, and where limit leaves room the capture itself, say exactly what is not in it.

    False: not all of the last burst is accounted for, as when a flush in its middle failed and ended the recording.
    """
    began = lab.boottime()
    fill(bursts)
    lab.equal(bursts.end(), 1, "exit code")
    said, capture = bursts.said().decode(), bursts.capture
    lab.demand(f"cannot write {capture} at byte " in said and why in said and remedy in said, f"said {said!r}")
    info = lab.info(capture)
    lost = number_of(r"(\d+) write_failed\)", said)
    known = info["kinds"]["fail"] + lost
    lab.demand(bursts.made - BURST < known <= bursts.made, f"kept + lost: {known} of {bursts.made}")
    lab.equal(number_of(r"(\d+) failed,", said), info["kinds"]["fail"], "failed execs that it says it kept")
    lab.demand(lost and info["kinds"]["fail"], "the test has no loss, or nothing else")
    size = os.path.getsize(capture)
    at = number_of(r"at byte (\d+)", said)
    lab.demand(at <= size <= limit, f"failed at byte {at} of {size}")
    lab.equal((info["complete"], info["bytes"]), (False, size), "complete and bytes")
    lab.exectrace("replay", "-q", "--fail-on-loss", capture, code=3)
    # END takes about 110 bytes, the row of the loss with its record 130, FOOTER 72. The row comes first.
    rows = lab.replay(capture, "--kind", "lost")
    lab.demand(rows or limit - at < 500, f"no row of the loss with {limit - at} bytes of room")
    ended = info.get("ended")
    lab.demand(ended or limit - size < 200, f"no END with {limit - size} bytes of room")
    lab.equal("and says so" in said, ended is not None, "whether it says that the capture says so")
    if ended:
        lab.equal((info["lost_by_cause"], ended), ({"write_failed": lost}, "error: cannot write"),
                  "what the capture says of it")
    last = max(event["ts"] for event in lab.replay(capture, "--kind", "fail"))
    for row in rows:
        lab.equal((row["count"], row["cause"]), (lost, "write_failed"), "row of kind lost")
        lab.demand(began - 10**9 < last <= row["ts"] <= row["until"] < lab.boottime(),
                   f"the loss is from {row['ts']} to {row['until']}, behind {last}")
    print(f"   {bursts.made} happened, {info['kinds']['fail']} kept, {lost} lost, as said; {size} bytes, "
          f"{limit - at} of room, {'its row and ' * len(rows)}{'END' if ended else 'no END'}")
    return known == bursts.made


def until_whole(attempt, *args):
    """Tries until kept and lost are what happened, to the event."""
    for _ in range(10):
        if attempt(*args):
            return
    raise lab.Failure("a part of the last burst was neither kept nor lost, every time")


@contextlib.contextmanager
def small_disk(work, size):
    place = os.path.join(work, "small")
    os.mkdir(place)
    lab.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place])
    try:
        yield place
    finally:
        lab.run(["umount", place])


def on_full_disk(size):
    with lab.workdir() as work, small_disk(work, size) as place, \
         Bursts(work, os.path.join(place, "c.etz")) as bursts:
        return check_full(bursts, size, "No space left on device", "make room")


def full_disk():
    for size in (24 << 10, 32 << 10, 36 << 10):
        until_whole(on_full_disk, size)


def with_file_limit(limit):
    def lower():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    with lab.workdir() as work, Bursts(work, os.path.join(work, "c.etz"), preexec_fn=lower) as bursts:
        return check_full(bursts, limit, "File too large", "ulimit -f")


def largest_file():
    for limit in (20000, 30001):
        until_whole(with_file_limit, limit)


def full_disk_and_ring():
    """Rows of other losses that went with the rest are told once more; the second reader adds all up."""
    with lab.workdir() as work, small_disk(work, 64 << 10) as place:
        capture = os.path.join(place, "c.etz")
        for _ in range(20):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(capture)
            done = lab.run([lab.RECORDER, "-o", capture, "--ring-size", "64K", "--flush-interval", "100ms", "--",
                            lab.helper("storm"), "2", "200000", "0", "0"], code=1)
            info = lab.info(capture)
            said = done.stderr.decode()
            for cause in ("ring_full", "write_failed"):
                lab.equal(info["lost_by_cause"].get(cause, 0),
                          number_of(rf"(\d+) {cause}", said) if cause in said else 0, f"lost of {cause}")
            rows = lab.replay(capture, "--kind", "lost")
            if "write_failed" not in {row["cause"] for row in rows}:
                continue	# no room for them
            check = lab.run([sys.executable, os.path.join(lab.SOURCE, "tests", "spec_check.py"), capture],
                            code=None)
            lab.equal((check.returncode, check.stdout), (0, b""), "what the second reader says")
            if info["lost_by_cause"].get("ring_full"):
                lab.equal(sum(row["count"] for row in rows), info["lost"], "sum of the rows")
                return
    raise lab.Failure("never lost in both ways")


def full_standard_output():
    """A file that the shell has opened is cut back and ended likewise, behind what was in it."""
    def lower():
        resource.setrlimit(resource.RLIMIT_FSIZE, (30000, 30000))
    with lab.workdir() as work:
        for mode in ("wb", "ab"):
            path = os.path.join(work, mode)
            with open(path, mode) as file:
                file.write(b"before")
                file.flush()
                done = lab.run([lab.RECORDER, "-o", "-", "--flush-interval", "10ms", "--ring-size", "64M", "--",
                                lab.helper("storm"), "2", "100000", "0", "0"], stdout=file, code=1, preexec_fn=lower)
            with open(path, "rb", buffering=0) as file:
                lab.equal(file.read(6), b"before", "what was in the file")
                info = json.loads(lab.exectrace("info", "--json", "-", stdin=file).stdout)
            lost = number_of(r"(\d+) write_failed\)", done.stderr.decode())
            # The row that says so may have found no room, or have taken that of END.
            room = 30000 - os.path.getsize(path)
            lab.demand(info["lost_by_cause"] == {"write_failed": lost} or room < 500,
                       f"{info['lost_by_cause']} with {room} bytes of room, but {lost} are lost")
            lab.demand(info.get("ended") == "error: cannot write" or room < 200, f"no END with {room} bytes of room")


def strace(*args):
    """The words in front of a program to trace; LeakSanitizer does not work there."""
    return [lab.need_tool("strace"), "-f", "-qq", "--seccomp-bpf", "-E", "ASAN_OPTIONS=detect_leaks=0", *args]


def with_failing_write(error, why, remedy):
    with lab.workdir() as work:
        capture, trace = os.path.join(work, "c.etz"), os.path.join(work, "trace")
        # What a capture begins with is six writes; then comes a chunk or two for each burst.
        words = strace("-o", trace, "-P", capture, "-e", "trace=write", "-e", f"inject=write:error={error}:when=12")
        with Bursts(work, capture, argv=words) as bursts:
            return check_full(bursts, 1 << 30, why, remedy)


def other_failures():
    for failure in (("EDQUOT", "Disk quota exceeded", "quota"), ("EIO", "Input/output error", "dmesg"),
                    ("EROFS", "Read-only file system", "ends there")):
        until_whole(with_failing_write, *failure)


def interrupted_and_empty_writes():
    """EINTR is tried again; a write of nothing is an error and no endless loop."""
    for inject, code in (("error=EINTR:when=2+2", 0), ("retval=0:when=7+", 1)):
        with lab.workdir() as work:
            capture, trace = os.path.join(work, "c.etz"), os.path.join(work, "trace")
            words = strace("-o", trace, "-P", capture, "-e", "trace=write", "-e", f"inject=write:{inject}")
            done = lab.run([*words, lab.RECORDER, "-o", capture, "--", "/bin/true"], code=code)
            with open(trace, "rb") as file:
                lab.demand(b"INJECTED" in file.read(), "nothing was injected")
            lab.equal(lab.info(capture)["complete"], not code, "complete")
            lab.demand(not code or b"Input/output error" in done.stderr, f"said {done.stderr!r}")


def full_device():
    done = lab.exectrace("record", "-o", "/dev/full", "--", "/bin/true", code=None)
    lab.demand(done.returncode == 1 and b"No space left" in done.stderr, f"said {done.stderr!r}")


# ---- Pipes, signals, directories -----------------------------------------------------------


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


# ---- --sync ---------------------------------------------------------------------------------

CHUNK, PROC, LOST = 2, 3, 4


def traced_calls(work, when, *inject):
    """(name, what, record type, result) of the recorder's calls on its file and directory, with two bursts."""
    folder = os.path.join(work, f"sync-{when}-{len(inject)}")
    os.mkdir(folder)
    capture, trace = os.path.join(folder, "c.etz"), os.path.join(work, "trace")
    words = strace("-y", "-xx", "-s", "32", "-o", trace, "-P", capture, "-P", folder,
                   "-e", "trace=write,fdatasync,fsync", *inject)
    with Bursts(work, capture, "--sync", when, argv=words, flush="20ms") as bursts:
        for _ in range(4):
            bursts.burst(100)
            bursts.until_written()
            time.sleep(0.3)
        code = bursts.end()
        said = bursts.said().decode()
    calls = []
    call = re.compile(r"(write|fdatasync|fsync)\(\d+<([^>]*)>(?:, \"([^\"]*)\")?.*?(?:= (-?\d+)|<unfinished)")
    with open(trace, encoding="ascii") as file:
        for line in file:
            found = call.search(line)
            if not found:
                continue
            path = bytes.fromhex(found[2].replace("\\x", "")).decode() if "\\x" in found[2] else found[2]
            head = bytes.fromhex(found[3].replace("\\x", "")) if found[3] else b""
            calls.append((found[1], "file" if path == capture else "directory",
                          head[24] if len(head) > 24 else None, found[4]))
    lab.demand(sum(call[2] == CHUNK for call in calls) >= 4, f"the trace has no chunks: {calls}")
    lab.equal(lab.info(capture)["complete"], True, "complete")
    return calls, code, said


def syncs_never():
    with lab.workdir() as work:
        calls, code, _ = traced_calls(work, "never")
        lab.equal((code, {call[0] for call in calls}), (0, {"write"}), "calls")


def names_are_synced(calls):
    """The file's content is on the disk before its directory, and all of it in the end."""
    names = [call[:2] for call in calls]
    lab.demand(("fsync", "directory") in names, "the directory is not synced")
    lab.demand(("fdatasync", "file") in names[:names.index(("fsync", "directory"))], "the name is synced first")
    lab.equal([name for name in names if name[0] != "write"][-1], ("fsync", "file"), "the last sync")
    lab.demand(("write", "file") not in names[len(names) - names[::-1].index(("fsync", "file")):], "writes after it")


def every_chunk_is_followed(calls):
    names = [call for call in calls if call[1] == "file"]
    for i, call in enumerate(names[:-1]):
        if call[2] in (CHUNK, LOST) and names[i + 1][0] != "fdatasync":
            return False
    return True


def syncs_each_chunk():
    with lab.workdir() as work:
        calls, code, _ = traced_calls(work, "chunk")
        lab.equal(code, 0, "exit code")
        lab.demand(every_chunk_is_followed(calls), f"a chunk is followed by no fdatasync: {calls}")
        names_are_synced(calls)
        spoiled = [call for call in calls if call[0] != "fdatasync"]
        lab.demand(not every_chunk_is_followed(spoiled), "that check cannot fail")


def syncs_in_time():
    """What is written is synced without another write that would bring it along."""
    with lab.workdir() as work:
        calls, code, _ = traced_calls(work, "50ms")
        lab.equal(code, 0, "exit code")
        names_are_synced(calls)
        chunks = [i for i, call in enumerate(calls) if call[2] == CHUNK]
        for at, following in zip(chunks, chunks[1:]):
            lab.demand(any(call[0] == "fdatasync" for call in calls[at:following]),
                       f"nothing between two chunks 0.3 s apart: {calls}")


def slow_sync_holds_nothing_up():
    """While a sync takes its time, chunks are written."""
    with lab.workdir() as work:
        calls, code, _ = traced_calls(work, "50ms", "-e", "inject=fdatasync:delay_enter=1000000:when=2+")
        lab.equal(code, 0, "exit code")
        between = [i for i, call in enumerate(calls[:-1])
                   if call[0] == "fdatasync" and call[3] is None and calls[i + 1][2] == CHUNK]
        lab.demand(between, f"no chunk was written during a sync: {calls}")


def failed_sync_is_told():
    with lab.workdir() as work:
        for when in ("chunk", "50ms"):
            _, code, said = traced_calls(work, when, "-e", "inject=fdatasync:error=EIO")
            lab.equal(code, 1, "exit code")
            lab.equal(said.count("cannot sync"), 1, f"how often it is told in {said!r}")
            failed = number_of(r"(\d+) of \d+ syncs", said)
            lab.demand(failed >= 3 and "Input/output error" in said, f"said {said!r}")


def sync_needs_a_file():
    with lab.workdir() as work:
        for args in (("-o", "-"), ("-o", "/dev/null")):
            for when in ("chunk", "1s"):
                done = lab.exectrace("record", *args, "--sync", when, "--", "/bin/touch", f"{work}/ran", code=2)
                lab.demand(b"--sync" in done.stderr and b"not a file" in done.stderr, f"said {done.stderr!r}")
            lab.exectrace("record", *args, "--sync=never", "--", "/bin/true")
        for wrong in ("always", "", "0", "2h", "chunks", "-1s"):
            done = lab.exectrace("record", "-o", f"{work}/c.etz", f"--sync={wrong}", code=2)
            lab.demand(b"--sync" in done.stderr, f"said {done.stderr!r}")
        lab.equal(os.listdir(work), [], "files")
        # Standard output may be one.
        with open(os.path.join(work, "c.etz"), "wb") as file:
            lab.run([lab.RECORDER, "-o", "-", "--sync=chunk", "--", "/bin/true"], stdout=file)
        lab.equal(lab.info(os.path.join(work, "c.etz"))["complete"], True, "complete")


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(judge_can_fail, killed_at_any_moment, killed_while_it_replaces, full_disk, largest_file,
             full_disk_and_ring, full_standard_output, other_failures, interrupted_and_empty_writes, full_device,
             closed_pipe, pipe_that_nobody_reads, pipe_that_does_not_block, terminated_while_it_starts,
             stopped_and_continued, removed_file, terminal_that_goes_away, syncs_never, syncs_each_chunk,
             syncs_in_time, slow_sync_holds_nothing_up, failed_sync_is_told, sync_needs_a_file)

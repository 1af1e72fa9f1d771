#!/usr/bin/env python3
"""A recorder that is killed: what it wrote is readable, and is the gap-free beginning of what happened.

ET_KILLS: how often it is killed, 40 unless told. ET_SEED: at which moments.
"""
import contextlib
import json
import os
import random
import shutil
import signal
import struct
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
          f"{sum(one['cut'] for one in late)} inside a record; {sum(one['events'] for one in late)} events read; "
          f"the oldest event that was not in the file was "
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


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(judge_can_fail, killed_at_any_moment, killed_while_it_replaces)

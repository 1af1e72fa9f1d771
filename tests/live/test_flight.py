#!/usr/bin/env python3
"""A flight recorder: nothing on the disk until it is asked for, and then all that came before, as far as it goes back."""
import json
import os
import re
import resource
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
import series  # noqa: E402
from bursts import number_of  # noqa: E402
from test_rotate import NOISE, SeriesBursts  # noqa: E402


def is_whole(file):
    """Its last segment has an end."""
    done = lab.exectrace("info", "--json", file, code=None)
    return done.stdout and json.loads(done.stdout).get("ended")


def dump(recorder, base):
    """Asks for a file and waits until it is whole."""
    before = len(series.files(base))
    recorder.send_signal(signal.SIGUSR1)
    file = series.until(base, before + 1)[-1]
    lab.wait_until(lambda: is_whole(file), "the file to be whole")
    return file


def began(recorder):
    """Until it says that it records: there is no file to see."""
    lab.wait_until(lambda: b"recording to" in os.read(recorder.stderr.fileno(), 4096), "the recording to begin")


def flown(base, *args):
    return lab.started([lab.RECORDER, "-v", "-o", base, "--ring-size", "64M", "--flight", *args])


def comes_before():
    """What happened before the signal is in the file, what happens then in the next; both can be read alone."""
    with lab.workdir() as work:
        base = os.path.join(work, "c.etz")
        with flown(base, "8M") as recorder:
            began(recorder)
            with lab.started(["sleep", "4711"]) as sleeper:
                lab.run(["true", "before"])
                lab.run([lab.helper("storm"), "2", "5000", "100", "3"])
                lab.run(["true", "just before"])
                lab.equal(series.files(base), [], "files before it was asked for one")
                first = dump(recorder, base)
                lab.run(["true", "after"])
                second = dump(recorder, base)
                sleeper.kill()
            code, _, err = lab.stop(recorder)
        lab.equal(code, 0, f"exit code: {lab.tail(err)}")
        files = series.files(base)
        lab.equal((len(files), files[:2]), (3, [first, second]), "files")
        lab.equal(err.count(b"exectrace record: wrote "), 3, f"what it says: {lab.tail(err)}")
        for file in files:
            series.check_file(file, False)
            found = {event["argv"][-1] for event in lab.replay("-q", "--kind", "exec", "--comm", "true", file)}
            lab.demand({"before", "just before"} <= found, f"{file}: {found}")
            lab.equal("after" in found, file != first, f"{file}: what came after the first signal")
            kinds = lab.info(file)["kinds"]
            count = lab.exectrace("replay", "-q", "--count", "--kind", "fail", "--comm", "storm", file).stdout
            lab.demand(int(count) >= 10000, f"{file}: failed execs of {kinds}")
            lab.demand(lab.replay("-q", "--kind", "exec", "--arg", "4711", file), f"{file}: no sleep")


def goes_back():
    """As far as there is memory: the newest without a gap, and no more than was allowed."""
    with lab.workdir() as work:
        base = os.path.join(work, "c.etz")
        with flown(base, "8M", "--ring-size", "256M", "--comm", "python3,noise") as recorder:
            began(recorder)
            runs = []
            for _ in range(4):
                with lab.started([sys.executable, "-c", NOISE, "1500"]) as noise:
                    lab.equal(noise.wait(), 0, "exit code")
                    runs.append(noise.pid)
            memory = rss(recorder.pid)
            file = dump(recorder, base)
            lab.stop(recorder)
        size = os.path.getsize(file)
        lab.demand((8 << 20) * 3 // 4 < size <= 8 << 20, f"{size} bytes")
        # A failed exec takes 3 KB: all of the last run is there, and the end of the one before.
        fails = [event["pid"] for event in lab.replay("-q", "--kind", "fail", file)]
        by_run = [fails.count(pid) for pid in runs]
        whole = by_run.index(1500)
        lab.equal(by_run[whole:], [1500] * (4 - whole), "failed execs of each run")
        lab.demand(whole == 0 or 0 <= by_run[whole - 1] and not sum(by_run[:whole - 1]), f"failed execs of each run: {by_run}")
        series.check_file(file)
        print(f"   {size} bytes of 18 MB, {len(fails)} events; the recorder has {memory >> 20} MiB beside the ring")


def rss(pid):
    """Anonymous memory, bytes."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return 1024 * int(re.search(r"RssAnon:\s+(\d+)", file.read())[1])


def goes_back_in_time():
    with lab.workdir() as work:
        base = os.path.join(work, "c.etz")
        with flown(base, "2s", "--flush-interval", "100ms") as recorder:
            began(recorder)
            for i in range(50):
                lab.run(["true", "goes-back-in-time", str(i)])
                time.sleep(0.1)
            now = lab.boottime()
            file = dump(recorder, base)
            lab.stop(recorder)
        times = {int(event["argv"][2]): event["ts"]
                 for event in lab.replay("-q", "--kind", "exec", "--arg", "goes-back-in-time", file)}
        lab.equal(sorted(times), list(range(min(times), 50)), "what is in the file")
        age = (now - min(times.values())) / 1e9
        lab.demand(1.7 < age < 2.7, f"the oldest is {age} s old")


def nothing_lost():
    """While files are written the recording goes on: each has all that happened so far."""
    with lab.workdir() as work:
        base = os.path.join(work, "c.etz")
        with SeriesBursts(work, base, "--flight", "64M", "--ring-size", "64M", flush="100ms") as bursts:
            for i in range(1, 6):
                bursts.burst()
                bursts.process.send_signal(signal.SIGUSR1)
                bursts.burst()
                file = series.until(base, i)[-1]
                lab.wait_until(lambda name=file: is_whole(name), "the file")
                kept = lab.info(file)["kinds"]["fail"]
                lab.demand(bursts.made - 10000 <= kept <= bursts.made, f"{kept} of {bursts.made}")
            lab.equal(bursts.end(), 0, "exit code")
            lab.equal(lab.info(series.files(base)[-1])["kinds"]["fail"], bursts.made, "in the last file")
            lab.demand(b" 0 lost" in bursts.said(), lab.tail(bursts.said()))


def no_room():
    """A file that does not fit holds whole segments, or is not there; the recording goes on."""
    with lab.workdir() as work, lab.small_disk(work, 1 << 20) as place:
        base = os.path.join(place, "c.etz")
        with flown(base, "4M", "--ring-size", "128M") as recorder:
            began(recorder)
            lab.run([sys.executable, "-c", NOISE, "1000"])
            recorder.send_signal(signal.SIGUSR1)
            said = lab.wait_until(lambda: os.read(recorder.stderr.fileno(), 4096), "a word").decode()
            lab.demand("cannot write" in said and "No space left on device" in said, said)
            for file in series.files(base):
                lab.exectrace("verify", "-q", file)
                lab.demand(lab.info(file)["complete"], f"{file} is not a whole capture")
                os.unlink(file)
            lab.run(["umount", "-l", place])
            lab.run(["mount", "-t", "tmpfs", "tmpfs", place])
            code, _, err = lab.stop(recorder)
        # The servant still has the disk that was there.
        lab.equal(code, 1, "exit code")
        lab.demand(number_of(r"(\d+) failed", err.decode()) >= 1000, lab.tail(err))


def no_memory():
    """Where memory takes no more, what it has taken is in the file, also of the part that could not be ended."""
    with lab.workdir() as work:
        base = os.path.join(work, "c.etz")
        with flown(base, "64M", "--threads", "1") as recorder:
            began(recorder)
            lab.run([sys.executable, "-c", NOISE, "300"])
            time.sleep(1.5)	# --flush-interval, and more
            with open(f"/proc/{recorder.pid}/status", encoding="ascii") as file:
                size = 1024 * int(re.search(r"VmData:\s+(\d+)", file.read())[1])
            limit = resource.prlimit(recorder.pid, resource.RLIMIT_DATA, (size + (3 << 20), resource.RLIM_INFINITY))
            lab.run([sys.executable, "-c", NOISE, "2000"])
            said = lab.wait_until(lambda: os.read(recorder.stderr.fileno(), 4096), "a word").decode()
            lab.demand("cannot write memory: " in said, said)
            recorder.send_signal(signal.SIGUSR1)
            file = series.until(base, 1)[0]
            lab.wait_until(lambda: is_whole(file), "the file to be whole")
            resource.prlimit(recorder.pid, resource.RLIMIT_DATA, limit)
            lab.stop(recorder)
        info = lab.info(file)
        lab.demand(300 <= info["kinds"]["fail"] < 2300 and info["lost_by_cause"].get("write_failed"), f"kept and lost: {info}")
        lab.exectrace("verify", "-q", file)


def asked_too_early():
    """Before it records: the file is written when it does."""
    with lab.workdir() as work:
        base = os.path.join(work, "c.etz")
        with flown(base, "1M") as recorder:
            lab.until_held(recorder, signal.SIGUSR1)
            recorder.send_signal(signal.SIGUSR1)
            file = series.until(base, 1)[0]
            lab.wait_until(lambda: is_whole(file), "the file to be whole")
            code, _, err = lab.stop(recorder)
        lab.equal((code, len(series.files(base))), (0, 2), f"exit code and files; {lab.tail(err)}")


def no_name():
    """It is told when it begins, not when something has happened, that no file can come."""
    with lab.workdir() as work:
        base = os.path.join(work, "c.etz")
        lab.written(work, "c-99991231T235959.999Z.etz", b"")
        done = lab.run([lab.RECORDER, "-o", base, "--flight", "1M", "--", "touch", os.path.join(work, "ran")], code=1)
        lab.demand(b"year 9999" in done.stderr and done.stderr.count(b"\n") == 1, lab.tail(done.stderr))
        lab.demand(not os.path.exists(os.path.join(work, "ran")), "the command was run all the same")


def kept_files():
    with lab.workdir() as work:
        base = os.path.join(work, "c.etz")
        with flown(base, "1M", "--keep", "2") as recorder:
            began(recorder)
            for _ in range(4):
                lab.run(["true"])
                dump_name = lambda: series.files(base)[-1:]  # noqa: E731
                before = dump_name()
                recorder.send_signal(signal.SIGUSR1)
                lab.wait_until(lambda was=before: dump_name() > was, "the next file")
                time.sleep(0.1)
                lab.demand(len(series.files(base)) <= 2, f"{series.files(base)}")
            lab.stop(recorder)
        lab.equal(len(series.files(base)), 2, "files")


def its_own_end():
    """Also of a command, and when nothing was asked for."""
    with lab.workdir() as work:
        base = os.path.join(work, "c.etz")
        done = lab.record(base, "--flight", "1M", "--", "sh", "-c", "/bin/true; exit 7", code=7)
        file, = series.files(base)
        lab.demand(f"wrote {file}, ".encode() in done.stderr, lab.tail(done.stderr))
        lab.equal([event["comm"] for event in lab.replay("-q", "--kind", "exec", file)], ["sh", "true"], "execs")
        lab.equal(lab.info(file)["complete"], True, "complete")


def on_an_event():
    """An event that matches asks for a file and is in it; others ask again only after a while."""
    with lab.workdir() as work:
        base, shell = os.path.join(work, "c.etz"), os.path.join(work, "flightdeck")
        os.symlink("/bin/sh", shell)
        with flown(base, "8M", "--trigger", 'exit != 0 && comm == "flightdeck"', "--trigger-interval", "2s") as recorder:
            began(recorder)
            lab.run([shell, "-c", "exit 0; : 1"])
            lab.run(["sh", "-c", "exit 3; : 2"], code=3)
            time.sleep(1)
            lab.equal(series.files(base), [], "files without an event that matches")
            lab.run([shell, "-c", "exit 4; : 3"], code=4)
            first = series.until(base, 1)[0]
            asked = time.monotonic()
            for i in range(5):
                lab.run([shell, "-c", f"exit 5; : {4 + i}"], code=5)
            second = series.until(base, 2)[1]
            waited = time.monotonic() - asked
            time.sleep(2.5)
            lab.equal(len(series.files(base)), 2, "files")
            lab.stop(recorder)
        for file, count, codes in (first, 1, [0, 4]), (second, 6, [0, 4] + [5] * 5):
            found = [event["exit_code"] for event in lab.replay("-q", "--kind", "exit", "--comm", "flightdeck", file)]
            lab.equal(found, codes, f"exit codes in file {count}")
        lab.demand(1.5 < waited < 10, f"the second file came after {waited} s")


def wrong_triggers():
    with lab.workdir() as work:
        base = os.path.join(work, "c.etz")
        for args, said in ((["--flight", "8M", "--trigger", "exit != 0 && com == 5"], b"\n  exit != 0 && com == 5\n"),
                           (["--flight", "8M", "--trigger", "errno == ENOENT && exit == 0"], b"no event can match"),
                           (["--flight", "8M", "--trigger", 'user == "ann"'], b"--trigger: "),
                           (["--trigger", "exit != 0"], b"needs that")):
            done = lab.run([lab.RECORDER, "-o", base, *args, "--", "true"], code=2)
            text = done.stderr.replace(b"exectrace record: ", b"")
            lab.demand(said in text, f"{args}: {lab.tail(done.stderr)}")


if __name__ == "__main__":
    lab.need_bpf()
    # AddressSanitizer's allocator ends a program that gets no memory; unit.flight refuses it some there.
    lab.main(comes_before, goes_back, goes_back_in_time, nothing_lost, no_room, *([] if lab.SANITIZED else [no_memory]), asked_too_early,
             no_name, kept_files, its_own_end, on_an_event, wrong_triggers)

#!/usr/bin/env python3
"""A recording of several files: nothing lost or twice, each whole by itself, never over its budget of the disk."""
import contextlib
import json
import os
import shutil
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
import series  # noqa: E402
from bursts import Bursts, number_of  # noqa: E402

# Arguments that nothing compresses, so that files grow.
NOISE = """
import os, sys
for _ in range(int(sys.argv[1])):
    try:
        os.execve("/nonexistent/noise", ["noise", os.urandom(3000).hex()], {})
    except OSError:
        pass
"""


# Each recorder takes the time itself; the kernel's sums have grown meanwhile.
VARIES = ("time", "ts", "ppid", "exec_ts", "duration", "utime", "stime", "max_rss", "minor_faults", "major_faults",
          "read_bytes", "write_bytes")


class SeriesBursts(Bursts):
    """Bursts whose recorder has several files."""

    def kept(self):
        files = series.files(self.capture)
        return sum(int(lab.exectrace("replay", "-q", "--count", "--kind", "fail", file, code=None).stdout or 0)
                   for file in files)


def by_kind(events):
    kinds = {}
    for event in events:
        kinds[event["kind"]] = kinds.get(event["kind"], 0) + 1
    return kinds


def check_numbers(base):
    """The files say that they are of one recording, and where in it."""
    infos = [lab.info(file) for file in series.files(base)]
    lab.demand(all(info["complete"] for info in infos), "a file is not complete")
    starts = [info["start"] for info in infos]
    lab.equal(starts, sorted(starts), "when the files begin")
    return infos


def same_as_one_file(spawns, *options):
    """Beside a recorder of one file: both have the same events."""
    with lab.workdir() as work:
        one, base = os.path.join(work, "one.etz"), os.path.join(work, "several.etz")
        with lab.started([lab.RECORDER, "-o", base, *options, "--comm", "storm,cat,sh,sleep,true"]) as several:
            series.until(base, 1)
            lab.record(one, "--comm", "storm,cat,sh,sleep,true", "--all", "--", "sh", "-c",
                       f"sleep 0.5; {lab.helper('storm')} 2 4000 {spawns} 5; cat /dev/null; sleep 1.2; true; "
                       f"{lab.helper('storm')} 3 300 300 5; sleep 0.3")
            code, _, err = lab.stop(several)
        lab.equal(code, 0, f"exit code ({lab.tail(err)})")
        lab.demand(b"0 lost" in err, lab.tail(err))
        want = lab.replay("-q", one)
        found = series.check_series(base)
        begun, ended = want[0]["ts"], want[-1]["ts"]

        def between(events):
            # In whose shell the one recorder was started and ended, the other has not.
            return sorted((json.dumps({k: v for k, v in event.items() if k not in VARIES},
                                      sort_keys=True)
                          for event in events if begun < event["ts"] < ended and event["comm"] == "storm"))
        lab.equal(len(between(found)), len(between(want)), "number of events")
        for one, other in zip(between(found), between(want)):
            lab.equal(one, other, "an event")
        files = check_numbers(base)
        lab.demand(len(files) >= 3, f"{len(files)} files")
        print(f"   {len(found)} events in {len(files)} files: {by_kind(found)}")


def by_size():
    same_as_one_file(3500, "--rotate-size", "64K", "--flush-interval", "100ms")


def by_time():
    same_as_one_file(600, "--rotate-time", "1s")


def who_lives():
    """A later file introduces the processes that live, as they are."""
    with lab.workdir() as work:
        base = os.path.join(work, "c.etz")
        with lab.started([lab.RECORDER, "-o", base, "--rotate-time", "1h"]) as recorder:
            series.begun(recorder, base)
            place = os.path.join(work, "a place")
            os.mkdir(place)
            with contextlib.ExitStack() as stack:
                argvs = [["sleep", "1000"], ["sleep", "1001", "0", "0"], ["tail", "-f", "-n", "0", "/dev/null", "/dev/zero\n"],
                         ["sh", "-c", "sleep 1002; : " + "x" * 100000]]
                sleepers = [stack.enter_context(lab.started(argv, cwd=place, user=os.getuid() + 4711 * (i % 2)))
                            for i, argv in enumerate(argvs)]
                gone = [lab.started(["true"]) for _ in range(50)]
                for process in gone:
                    with process as true:
                        true.wait()
                lab.wait_until(lambda: all(os.path.basename(os.readlink(f"/proc/{p.pid}/exe")) != "python3"
                                           for p in sleepers), "the processes to execute")
                time.sleep(0.2)
                recorder.send_signal(signal.SIGHUP)
                later = series.until(base, 2)[1]
                lab.wait_until(lambda: lab.replay("-q", "--kind", "proc", later, code=None), "the second file to begin")
                for i, process in enumerate(sleepers):
                    row = lab.wait_until(lambda p=process: lab.replay("-q", "--kind", "proc", "--pid", str(p.pid), later,
                                                                      code=None), "the process in the second file")[0]
                    stat = open(f"/proc/{process.pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()
                    lab.equal((row["cwd"], row["uid"], row["ppid"], row["exe"], row["start"] // 10**7),
                              (place, os.getuid() + 4711 * (i % 2), os.getpid(), os.readlink(f"/proc/{process.pid}/exe"),
                               int(stat[19])), f"what the second file says of {argvs[i][:2]}")
                    whole = open(f"/proc/{process.pid}/cmdline", "rb").read().split(b"\0")[:-1]
                    argv = lab.raw_argv(row)
                    if row.get("argv_truncated"):
                        lab.equal((argv, row["argc"], row["argv_bytes"]), (whole[:len(argv)], len(whole),
                                                                            sum(map(len, whole)) + len(whole)), "cut argv")
                    else:
                        lab.equal(argv, whole, "argv")
                rows = lab.replay("-q", "--kind", "proc", later)
                lab.demand(not {p.pid for p in sleepers} - {row["pid"] for row in rows}, "a process is missing")
                # Everything that the file says lives: either it does, or its end is in the file.
                ended = {event["pid"] for event in lab.replay("-q", "--kind", "exit", later, code=None)}
                for row in rows:
                    lab.demand(os.path.exists(f"/proc/{row['pid']}") or row["pid"] in ended or
                               lab.wait_until(lambda r=row: r["pid"] in {e["pid"] for e in lab.replay(
                                   "-q", "--kind", "exit", later, code=None)}, f"the end of {row}"), f"{row} does not live")
                listed = {int(name) for name in os.listdir("/proc") if name.isdigit() and lives(name)}
                lab.run(["true", "the last one"])
                lab.wait_until(lambda: lab.replay("-q", "--arg", "the last one", later), "what happened last")
                begun = {event["pid"] for event in lab.replay("-q", "--kind", "fork", later)}
                lab.equal(listed - {row["pid"] for row in rows} - begun - own(recorder.pid), set(),
                          "processes that live and are missing")
                for process in sleepers:
                    process.kill()
            lab.stop(recorder)
        series.check_series(base)


def lives(pid):
    """Not one that has ended, and only waits for its parent."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def own(pid):
    """The recorder's own processes are not recorded."""
    return {pid, *lab.children(pid)}


def lost_ends():
    """Where ends were lost, a later file does not say that those live who do not."""
    with lab.workdir() as work:
        base = os.path.join(work, "c.etz")
        with lab.started([lab.RECORDER, "-o", base, "--rotate-time", "1h", "--ring-size", "4K"]) as recorder:
            series.begun(recorder, base)
            for _ in range(20):
                recorder.send_signal(signal.SIGSTOP)
                lab.run([lab.helper("storm"), "2", "0", "100", "0"])
                recorder.send_signal(signal.SIGCONT)
            time.sleep(1.2)
            recorder.send_signal(signal.SIGHUP)
            later = series.until(base, 2)[1]
            rows = lab.wait_until(lambda: lab.replay("-q", "--kind", "proc", later, code=None), "the second file")
            dead = [row for row in rows if row.get("exe") == os.path.realpath(lab.helper("storm"))]
            lab.equal(dead, [], "processes that do not live")
            _, _, err = lab.stop(recorder)
        lab.demand(number_of(r"(\d+) ring_full", err.decode()) > 1000, f"the test lost little: {lab.tail(err)}")
        first, later = series.files(base)
        lab.demand(lab.info(first)["lost"] and not lab.info(later)["complete"] or lab.info(later)["lost"] == 0,
                   "whose losses they are")


def only_a_command():
    """Of a command, later files introduce its processes and its ancestors, and no others."""
    with lab.workdir() as work:
        base = os.path.join(work, "c.etz")
        lab.record(base, "--rotate-time", "1s", "--", "sh", "-c",
                   "for i in 1 2 3 4 5 6 7 8; do sleep 0.4; /bin/true; done", stderr=None)
        files = series.files(base)
        lab.demand(len(files) >= 3, f"{files}")
        series.check_series(base)
        for file in files[1:-1]:
            comms = {row["comm"] for row in lab.replay("-q", "--kind", "proc", file)}
            lab.demand("sh" in comms and not comms & {"kthreadd", "systemd"}, f"introduces {comms}")


def out_of_the_filter():
    """A process whose end is none of the events that are recorded is not said to live for ever."""
    with lab.workdir() as work:
        base, leaver = os.path.join(work, "c.etz"), os.path.join(work, "leaver")
        os.symlink("/bin/sh", leaver)
        with lab.started([lab.RECORDER, "-o", base, "--rotate-time", "1h", "--comm", "leaver,comer"]) as recorder:
            series.until(base, 1)
            lab.wait_until(lambda: lab.run([leaver, "-c", ":"]) and lab.replay("-q", series.files(base)[0], code=None),
                           "the recording to begin")
            # It ends under another name.
            lab.run([leaver, "-c", "exec true"])
            for number in (2, 3, 4):
                # So long that what is on its way has come.
                time.sleep(0.2)
                recorder.send_signal(signal.SIGHUP)
                last = series.until(base, number)[-1]
                rows = lab.wait_until(lambda name=last: lab.exectrace("info", "--json", name, code=None).stdout and
                                      (lab.replay("-q", "--kind", "proc", name, code=None) or [None]), "the next file")
            lab.equal([row for row in rows if row and row["comm"] == "leaver"], [], "who lives")
            lab.stop(recorder)


def names_ascend():
    """Also where there is one of a later time; other files are left alone."""
    with lab.workdir() as work:
        base = os.path.join(work, "c.etz")
        others = ["c.etz", "c-20990101T000000.000Z.etz~", "c-notes.etz", "d-20990101T000000.000Z.etz", "c-20990230T000000.000Z.etz"]
        for name in others:
            lab.written(work, name, b"mine")
        lab.written(work, "c-20990101T000000.000Z.etz", b"")
        os.mkdir(os.path.join(work, "c-19990101T000000.000Z.etz"))
        lab.record(base, "--rotate-time", "1s", "--keep", "2", "--", "sh", "-c",
                   "for i in 1 2 3 4 5 6; do sleep 0.5; /bin/true; done")
        names = [os.path.basename(file) for file in series.files(base)]
        lab.equal((names[0], names[-1]), ("c-19990101T000000.000Z.etz", "c-20990230T000000.000Z.etz"), "others")
        lab.equal(len(names), 4, f"files, {names}")
        lab.demand(names[1] > "c-20990101T000000.000Z.etz", f"{names}")
        for name in others:
            lab.equal(lab.contents(os.path.join(work, name)), b"mine", name)


def no_later_name():
    """A file of the last moment that a name can say: told at once, and in the middle of a recording, which goes on."""
    with lab.workdir() as work:
        base, last = os.path.join(work, "c.etz"), os.path.join(work, "c-99991231T235959.999Z.etz")
        lab.written(work, last, b"")
        done = lab.run([lab.RECORDER, "-o", base, "--rotate-time", "1h", "--", "true"], code=1)
        lab.demand(b"year 9999" in done.stderr, lab.tail(done.stderr))
        lab.equal(os.listdir(work), [os.path.basename(last)], "files")
        os.unlink(last)
        with lab.started([lab.RECORDER, "-o", base, "--rotate-time", "1h"]) as recorder:
            series.begun(recorder, base)
            lab.written(work, last, b"")
            recorder.send_signal(signal.SIGHUP)
            said = lab.wait_until(lambda: os.read(recorder.stderr.fileno(), 4096), "a word").decode()
            lab.demand("cannot begin the next file: one of its name is of the end of the year 9999" in said, said)
            os.unlink(last)
            # It tries again by itself.
            series.until(base, 2)
            code, _, err = lab.stop(recorder)
        lab.equal(code, 0, f"exit code; {lab.tail(err)}")
        lab.demand(series.files(base)[-1] < os.path.join(work, "c-9"), f"{series.files(base)}")
        series.check_series(base)


def hangup_too_early():
    """Before it records: the next file begins when it does."""
    with lab.workdir() as work:
        base = os.path.join(work, "c.etz")
        with lab.started([lab.RECORDER, "-o", base, "--rotate-time", "1h"]) as recorder:
            lab.until_held(recorder, signal.SIGHUP)
            recorder.send_signal(signal.SIGHUP)
            series.until(base, 2)
            code, _, err = lab.stop(recorder)
        lab.equal((code, len(series.files(base))), (0, 2), f"exit code and files; {lab.tail(err)}")
        series.check_series(base)


def on_hangup():
    with lab.workdir() as work:
        base = os.path.join(work, "c.etz")
        with lab.started([lab.RECORDER, "-o", base, "--rotate-size", "1G", "--keep", "3"]) as recorder:
            series.begun(recorder, base)
            for _ in range(6):
                last = series.files(base)[-1]
                recorder.send_signal(signal.SIGHUP)
                lab.wait_until(lambda before=last: series.files(base)[-1] > before, "the next file")
                lab.demand(len(series.files(base)) <= 3, "more files than are to be kept")
                lab.run(["true"])
            code, _, err = lab.stop(recorder)
        lab.equal(code, 0, "exit code")
        lab.demand(b", 7 files in " in err, lab.tail(err))
        lab.equal(len(series.files(base)), 3, "files kept")
        series.check_series(base)


def budget():
    """On a disk with no byte more than the budget, nothing is lost, and nothing is said."""
    budgeted = 8 << 20
    with lab.workdir() as work, lab.small_disk(work, budgeted) as place:
        base = os.path.join(place, "c.etz")
        most, done = [0], threading.Event()

        def watch():
            # The disk itself judges; this only shows what it is like.
            while not done.is_set():
                most[0] = max(most[0], min(series.size(base), series.size(base)))
        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            for _ in range(2):
                run = lab.record(base, "--keep", "8M", "--ring-size", "256M", "--", sys.executable, "-c", NOISE, "4000")
                lab.equal(run.stderr.count(b"\n"), 1, f"lines that it says: {lab.tail(run.stderr)}")
                lab.demand(b"0 lost" in run.stderr, lab.tail(run.stderr))
        finally:
            done.set()
            watcher.join()
        lab.demand(most[0] > budgeted // 2, f"{most[0]} bytes at most: the budget was never reached")
        lab.demand(series.size(base) <= budgeted, f"{series.size(base)} bytes in the end")
        series.check_series(base)
        print(f"   24 MB through {budgeted} bytes: {most[0]} at most, {len(series.files(base))} files left")


def full_disk():
    """It is told, and goes on when there is room: what was lost is told to the event, and where."""
    with lab.workdir() as work, lab.small_disk(work, 4 << 20) as place:
        base, other = os.path.join(place, "c.etz"), os.path.join(place, "other")
        with SeriesBursts(work, base, "--rotate-size", "1M", flush="100ms") as bursts:
            bursts.burst()
            bursts.until_written()
            with contextlib.suppress(OSError), open(other, "wb") as file:
                while True:
                    file.write(b"x" * 4096)
                    file.flush()
            began = lab.boottime()
            lab.wait_until(lambda: bursts.burst() or b"cannot write" in bursts.said(), "the disk to be full")
            bursts.burst()
            time.sleep(0.3)
            os.unlink(other)
            lab.wait_until(lambda: bursts.burst(100) or b"goes on in" in bursts.said(), "the recorder to go on")
            ended = lab.boottime()
            bursts.burst()
            lab.equal(bursts.end(), 0, f"exit code: {bursts.said()}")
            said = bursts.said().decode()
            made = bursts.made
        lab.demand("No space left on device" in said, said)
        infos = [lab.info(file) for file in series.files(base)]
        kept = sum(info["kinds"]["fail"] for info in infos)
        lost = [event for file in series.files(base) for event in lab.replay("-q", "--kind", "lost", file)]
        lab.demand(lost and {event["cause"] for event in lost} == {"write_failed"}, f"rows of losses: {lost}")
        counted = sum(event["count"] for event in lost)
        lab.equal(kept + counted, made, "kept + lost")
        lab.equal(number_of(r"(\d+) write_failed", said), counted, "events that it says are lost")
        lab.equal(sum(info["lost"] for info in infos), counted, "events that the files say are lost")
        for event in lost:
            lab.demand(began < event["until"] and event["ts"] < ended, "the loss lies elsewhere")
        series.check_series(base)
        print(f"   {made} happened, {kept} kept, {counted} lost, in {len(infos)} files")


def directory_removed():
    with lab.workdir() as work:
        place = os.path.join(work, "place")
        os.mkdir(place)
        base = os.path.join(place, "c.etz")
        with lab.started([lab.RECORDER, "-o", base, "--rotate-time", "1s"]) as recorder:
            series.until(base, 1)
            shutil.rmtree(place)
            for _ in range(25):
                lab.run(["true"])
                time.sleep(0.1)
            code, _, err = lab.stop(recorder)
        lab.equal(code, 1, "exit code")
        lab.demand(b"cannot begin the next file: its directory was removed; recording goes on in"
                   in err and b"the capture is gone" in err, lab.tail(err))
        lab.equal(err.count(b"cannot begin"), 1, f"how often it says so: {lab.tail(err)}")


def nothing_happens():
    """No file is begun for nothing, and nothing is written."""
    with lab.workdir() as work:
        base = os.path.join(work, "c.etz")
        with lab.started([lab.RECORDER, "-o", base, "--rotate-time", "1s", "--uid", "54321"]) as recorder:
            series.until(base, 1)
            time.sleep(0.5)
            before = os.path.getsize(series.files(base)[0])
            time.sleep(2.5)
            lab.equal([os.path.getsize(file) for file in series.files(base)], [before], "sizes of the files")
            code, _, _ = lab.stop(recorder)
        lab.equal((code, len(series.files(base))), (0, 1), "exit code, files")


def nothing_recorded():
    """A recording that cannot begin leaves no file behind."""
    with lab.workdir() as work:
        base = os.path.join(work, "c.etz")
        lab.run([lab.RECORDER, "-o", base, "--rotate-time", "1h", "--ring-size", "4K", "--", "/nonexistent/command"], code=127)
        lab.equal(len(series.files(base)), 1, "files of a command that could not be run")
        done = lab.run(["setpriv", "--bounding-set", "-sys_nice", lab.RECORDER, "-o", base, "--rotate-time", "1h", "--nice", "-15",
                        "--", "true"], code=None)
        lab.demand(done.returncode == 1 and b"nice" in done.stderr, f"{done.returncode}: {lab.tail(done.stderr)}")
        lab.equal(len(series.files(base)), 1, "files then")


def wrong_usage():
    with lab.workdir() as work:
        base = os.path.join(work, "c.etz")
        for args, said in (
                (["--keep", "5"], b"needs --rotate-size"), (["--keep", "7M"], b"from 8M"), (["--keep", "0"], b"from 8M"),
                (["--keep", "9000000"], b""), (["--rotate-size", "1K"], b"from 64K"), (["--rotate-time", "10ms"], b"from 1s"),
                (["--keep", "8M", "--rotate-size", "4M"], b"quarter"), (["--rotate-size", "1M", "--force"], b"--force"),
                (["--flight", "8M", "--rotate-size", "1M"], b"no meaning"), (["--flight", "64M", "--keep", "8M"], b"have room"),
                 (["--flight", "7"], b"from 1M"),
                (["--flight", "1ms"], b"from 1s"), (["-o", "-", "--rotate-time", "1s"], b"standard output")):
            done = lab.run([lab.RECORDER, "-o", base, *args, "--", "true"], code=2)
            lab.demand(said in done.stderr, f"{args}: {lab.tail(done.stderr)}")
        lab.equal(os.listdir(work), [], "files")


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(wrong_usage, nothing_recorded, by_size, by_time, who_lives, lost_ends, only_a_command, out_of_the_filter, names_ascend, no_later_name, hangup_too_early, on_hangup, budget, full_disk,
             directory_removed, nothing_happens)

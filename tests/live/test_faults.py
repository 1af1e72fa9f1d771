#!/usr/bin/env python3
"""Disks that fail for good or are slow, too few descriptors, a recorder that stands still.

After each, what was promised is on the disk, and what is said of it is true. What a full disk
and single failing calls do, test_full.py and test_sync.py have.
"""
import contextlib
import fcntl
import glob
import os
import re
import resource
import signal
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
from bursts import BURST, Bursts, number_of, strace  # noqa: E402

SHUTDOWN = 0x8004587D	# EXT4_IOC_SHUTDOWN
NO_LOG = 2	# what the journal has not on the disk is gone


class Disk:
    """A file system of its own, in a file, that can be ruined."""

    def __init__(self, work):
        self.image, self.place = os.path.join(work, "image"), os.path.join(work, "disk")
        os.mkdir(self.place)
        lab.run(["truncate", "-s", "32M", self.image])
        lab.run([lab.need_tool("mkfs.ext4"), "-q", "-F", self.image])

    @contextlib.contextmanager
    def mounted(self):
        lab.run(["mount", "-o", "loop,errors=remount-ro", self.image, self.place])
        try:
            yield
        finally:
            lab.run(["umount", self.place])

    def pull(self):
        """As if its cable were: each call fails with EIO from now on."""
        at = os.open(self.place, os.O_RDONLY)
        fcntl.ioctl(at, SHUTDOWN, struct.pack("I", NO_LOG))
        os.close(at)

    def freeze(self):
        """As ext4 itself does when it finds its own data damaged."""
        lab.run(["mount", "-o", "remount,abort", self.place])


def ruin(how, why):
    with lab.workdir() as work:
        disk = Disk(work)
        capture = os.path.join(disk.place, "c.etz")
        with disk.mounted(), Bursts(work, capture, "--sync", "chunk", flush="100ms") as bursts:
            for _ in range(3):
                bursts.burst()
                bursts.until_written()
            time.sleep(0.5)	# the last one's sync
            kept = bursts.made
            how(disk)
            bursts.burst()
            lab.equal(bursts.end(), 1, "exit code")
            said = bursts.said().decode()
        lab.demand(f"cannot write {capture} at byte " in said and why in said, f"said {said!r}")
        lab.equal(number_of(r"(\d+) failed,", said), kept, "failed execs that it says it kept")
        lost = number_of(r"(\d+) write_failed\)", said)
        lab.demand(0 < lost <= BURST + 1, f"{lost} lost, of {BURST} and an exit behind the fault")
        with disk.mounted():
            info = lab.info(capture)
            lab.exectrace("verify", capture)
            lab.equal((info["kinds"]["fail"], info.get("ended")), (kept, None), "what the disk has")
            lab.exectrace("replay", "-q", "--fail-on-loss", capture, code=3)
        print(f"   {bursts.made} happened, {kept} are on the disk, {lost} told as lost")


def disk_that_is_pulled():
    ruin(Disk.pull, "Input/output error")


def file_system_that_becomes_read_only():
    ruin(Disk.freeze, "Read-only file system")


def several_files():
    """The recording goes on, and counts what it cannot write, whatever becomes of the disk."""
    for how in (Disk.pull, Disk.freeze):
        with lab.workdir() as work:
            disk = Disk(work)
            with disk.mounted(), Bursts(work, os.path.join(disk.place, "c.etz"), "--rotate-time", "1s",
                                        "--sync", "chunk", flush="100ms") as bursts:
                for after in (False, True):
                    for _ in range(3):
                        bursts.burst()
                        time.sleep(0.7)
                    if not after:
                        kept = bursts.made
                        how(disk)
                lab.equal(bursts.process.poll(), None, "exit code while there is something to follow")
                lab.equal(bursts.end(), 1, "exit code")
                said = bursts.said().decode()
            lab.equal(number_of(r"(\d+) failed,", said), kept, "failed execs that it says it kept")
            # And the exit of what made them.
            lab.equal(number_of(r"(\d+) write_failed\)", said), bursts.made - kept + 1, "lost as it says")
            with disk.mounted():
                # The one that was just begun may have nothing.
                files = [path for path in sorted(glob.glob(os.path.join(disk.place, "*.etz")))
                         if os.path.getsize(path)]
                found = 0
                for path in files:
                    lab.exectrace("verify", path)
                    found += lab.info(path)["kinds"]["fail"]
            lab.equal(found, kept, f"failed execs in {len(files)} files on the disk")
            lab.demand(len(files) > 1, f"only {files} are there")


def slow_disk():
    """Each write takes its time: nothing is lost while there is room to wait in, and all is counted when not."""
    for ring, size in (("64M", 5000), ("64K", BURST)):
        with lab.workdir() as work:
            capture = os.path.join(work, "c.etz")
            words = strace("-o", "/dev/null", "-P", capture, "-e", "trace=write",
                           "-e", "inject=write:delay_enter=200000")
            with Bursts(work, capture, "--ring-size", ring, argv=words, flush="10ms") as bursts:
                for _ in range(10):
                    bursts.burst(size)
                lab.equal(bursts.end(), 0, "exit code")
            info = lab.info(capture)
            # Its own exit may be among what is lost.
            own = bursts.made + info["kinds"]["exec"] + info["kinds"]["exit"]
            happened = info["kinds"]["fail"] + info["kinds"]["exec"] + info["kinds"]["exit"] + info["lost"]
            lab.demand(own <= happened <= bursts.made + 2, f"kept + lost: {happened}, of {bursts.made} and two more")
            lab.equal(info["state"], "complete" if not info["lost"] else info["state"], "state")
            if ring == "64M":
                lab.equal(info["lost"], 0, f"lost in a ring of {ring}")
            print(f"   ring of {ring}: {bursts.made} happened, {info['lost']} lost {info['lost_by_cause']}")


def too_few_descriptors():
    """However few there are, a recording is whole, or it does not begin and says why."""
    ended = set()
    with lab.workdir() as work:
        for limit in (8, 16, 24, 32, 45, 64, 127, 128, 129):
            capture = os.path.join(work, f"{limit}.etz")
            done = lab.run([lab.RECORDER, "-o", capture, "--all", "--", "/bin/true"], code=None,
                           preexec_fn=lambda n=limit: resource.setrlimit(resource.RLIMIT_NOFILE, (n, n)))
            ended.add(done.returncode)
            if done.returncode == 0:
                lab.equal(lab.info(capture)["complete"], True, f"complete, with {limit} descriptors")
                lab.demand(lab.info(capture)["kinds"]["proc"] > 0, f"no row of /proc with {limit} descriptors")
                continue
            lab.equal(done.returncode, 1, f"exit code with {limit} descriptors")
            lab.demand(b"files may be open" in done.stderr and b"ulimit -n" in done.stderr,
                       f"said {done.stderr!r} with {limit} descriptors")
            lab.demand(not os.path.exists(capture), f"left a file with {limit} descriptors")
    lab.equal(ended, {0, 1}, "exit codes")


def descriptors_that_run_out():
    """Taken away while it records: it goes on with those it has."""
    with lab.workdir() as work, Bursts(work, os.path.join(work, "c.etz"), "--all", flush="50ms") as bursts:
        def kept():
            return int(lab.exectrace("replay", "-q", "--count", "--kind", "fail", "--pid", str(command),
                                     bursts.capture, code=None).stdout or 0)
        bursts.burst(10)
        command, = (pid for pid in lab.children(bursts.process.pid)
                    if lab.contents(f"/proc/{pid}/comm") == b"bursts\n")
        lab.wait_until(lambda: kept() == bursts.made, "the burst to be written")
        before = resource.prlimit(bursts.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(bursts.process.pid, resource.RLIMIT_NOFILE, (4, before[1]))
        for _ in range(5):
            bursts.burst(1000)
            lab.run(["/bin/true"])
            time.sleep(0.1)
        # What sanitizers do in the end takes some.
        resource.prlimit(bursts.process.pid, resource.RLIMIT_NOFILE, before)
        lab.equal(bursts.end(), 0, f"exit code, {bursts.said()!r}")
        lab.equal(lab.info(bursts.capture)["complete"], True, "complete")
        lab.equal(kept(), bursts.made, "failed execs")


def recorder_that_stands_still():
    """What was lost meanwhile lies in that time, to the event, and all else is there."""
    with lab.workdir() as work, \
         Bursts(work, os.path.join(work, "c.etz"), "--ring-size", "256K", flush="50ms") as bursts:
        bursts.burst(100)
        bursts.until_written()
        bursts.process.send_signal(signal.SIGSTOP)
        began, end = lab.boottime(), time.monotonic() + 10
        while time.monotonic() < end:
            bursts.burst(1000)
            time.sleep(0.05)
        continued = lab.boottime()
        bursts.process.send_signal(signal.SIGCONT)
        time.sleep(1)
        bursts.burst(100)
        lab.equal(bursts.end(), 0, "exit code")
        info = lab.info(bursts.capture)
        lab.equal(info["kinds"]["fail"] + info["lost"], bursts.made, "kept + lost")
        lab.equal(list(info["lost_by_cause"]), ["ring_full"], "causes")
        rows = lab.replay(bursts.capture, "--kind", "lost")
        lab.equal(sum(row["count"] for row in rows), info["lost"], "sum of the rows")
        # The first event behind a gap says how much is missing: one of the last burst, a second later.
        for row in rows:
            lab.demand(began <= row["ts"] <= continued and row["until"] <= continued + 3 * 10**9,
                       f"a loss from {row['ts']} to {row['until']}, standing still from {began} to {continued}")
        said = bursts.said().decode()
        lab.equal(number_of(r"(\d+) ring_full", said), info["lost"], "lost as the recorder says")
        lab.demand(re.search(r"--ring-size", said), f"says no remedy: {said!r}")


if __name__ == "__main__":
    lab.need_bpf()
    if not os.path.exists("/dev/loop-control"):
        lab.skip("there are no loop devices")
    lab.main(disk_that_is_pulled, file_system_that_becomes_read_only, several_files, slow_disk, too_few_descriptors,
             descriptors_that_run_out, recorder_that_stands_still)

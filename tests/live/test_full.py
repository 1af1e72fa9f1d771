#!/usr/bin/env python3
"""No room for what is recorded, or no way to write it: what is kept and what is lost is said to the event."""
import contextlib
import json
import os
import resource
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
from bursts import BURST, Bursts, number_of, strace  # noqa: E402


def fill(bursts):
    """Bursts until one cannot be written, each only when all before are in the file."""
    for _ in range(100):
        bursts.burst()
        if not bursts.until_written():
            return
    raise lab.Failure("there is room without end")


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


def on_full_disk(size):
    with lab.workdir() as work, lab.small_disk(work, size) as place, \
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
    with lab.workdir() as work, lab.small_disk(work, 64 << 10) as place:
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


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(full_disk, largest_file, full_disk_and_ring, full_standard_output, other_failures,
             interrupted_and_empty_writes, full_device)

#!/usr/bin/env python3
"""--sync: what is brought to the disk, when, and what is told where that fails."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
from bursts import Bursts, number_of, strace  # noqa: E402

CHUNK, LOST = 2, 4	# types of records


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
    lab.main(syncs_never, syncs_each_chunk, syncs_in_time, slow_sync_holds_nothing_up, failed_sync_is_told,
             sync_needs_a_file)

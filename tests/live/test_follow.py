#!/usr/bin/env python3
"""A process that the set of followed ones has no room for is lost, but not its fork."""
import json
import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402

NO_PIDS = 5_000_000  # above the largest pid there can be


def followed_set(bpftool, pid):
    """The map of a recorder: others may be at work on this machine."""
    held = set()
    for fd in os.listdir(f"/proc/{pid}/fdinfo"):
        with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as file:
            held.update(int(line.split()[1]) for line in file if line.startswith("map_id:"))
    mine = [entry for entry in json.loads(lab.run([bpftool, "--json", "map", "show"]).stdout)
            if entry.get("name") == "et_followed" and entry["id"] in held]
    lab.equal(len(mine), 1, "sets of followed processes")
    return mine[0]


def full_set():
    bpftool = lab.need_tool("bpftool")
    with lab.workdir() as work:
        capture, batch = os.path.join(work, "c.etz"), os.path.join(work, "batch")
        script = "echo ready; read go; /bin/true not-followed; exit 0"
        argv = [lab.RECORDER, "-o", capture, "--", "/bin/sh", "-c", script]
        with lab.started(argv, stdin=subprocess.PIPE) as recorder:
            lab.equal(recorder.stdout.readline(), b"ready\n", "the command's output")
            mine = followed_set(bpftool, recorder.pid)
            with open(batch, "w", encoding="ascii") as file:
                for pid in range(NO_PIDS, NO_PIDS + mine["max_entries"]):
                    key = " ".join(str(byte) for byte in struct.pack("=I", pid))
                    file.write(f"map update id {mine['id']} key {key} value 1\n")
            # It ends at the first that does not fit.
            lab.run([bpftool, "batch", "file", batch], code=None)
            _, err = recorder.communicate(b"go\n", timeout=lab.TIMEOUT)
        events = lab.replay(capture)
        forks = [event for event in events if event["kind"] == "fork"]
        lab.equal(len(forks), 1, f"forks, {err!r}")
        lab.demand(not any(event["kind"] == "exec" and "not-followed" in event["argv"] for event in events),
                   "the set was not full")
        lab.demand(b"1 lost" in err, f"the loss is not told: {err!r}")


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(full_set)

#!/usr/bin/env python3
"""What runs before a recording is in it, and equals what /proc says."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402


def read(pid, name):
    with open(f"/proc/{pid}/{name}", "rb") as file:
        return file.read()


def facts(pid):
    """What /proc says of a process, as the capture should."""
    status = dict(line.split(b":\t", 1) for line in read(pid, "status").splitlines() if b":\t" in line)
    fields = read(pid, "stat").rsplit(b")", 1)[1].split()
    found = {
        "argv": read(pid, "cmdline").split(b"\0")[:-1],
        # A capture says the same of a file that is gone, in the snapshot and in events.
        "cwd": os.readlink(os.fsencode(f"/proc/{pid}/cwd")).removesuffix(b" (deleted)"),
        "exe": os.readlink(os.fsencode(f"/proc/{pid}/exe")).removesuffix(b" (deleted)"),
        "comm": read(pid, "comm")[:-1],
        "ppid": int(fields[1]),
        "ticks": int(fields[19]),
    }
    ids = {name: status[name.title().encode()].split() for name in ("uid", "gid")}
    for name, values in ids.items():
        found[name], found["e" + name] = int(values[0]), int(values[1])
    return found


def stable(work):
    """Facts of all processes that did not change while the recorder started."""
    def now():
        found = {}
        for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
            try:
                found[pid] = facts(pid)
            except OSError:
                continue	# ended, or a kernel thread
        return found
    capture = os.path.join(work, "c.etz")
    before = now()
    lab.record(capture, "--duration", "300ms")
    after = now()
    return capture, {pid: fact for pid, fact in before.items() if after.get(pid) == fact}


def equals_proc():
    strange = "/caf\udce9\n\x1b[1m dir"
    with lab.workdir() as work:
        os.mkdir(work + strange)
        with lab.started(["/bin/sleep", "60"]) as one, \
             lab.started([b"/bin/sh", b"-c", b"read line", b"", b"\xff\n\x1b[31m", b"two words", b""],
                         stdin=-1, cwd=work + strange) as two, \
             lab.started(["/bin/sleep", "60"], preexec_fn=lambda: os.setresuid(4321, 1234, 0)) as three:
            mine = [one.pid, two.pid, three.pid]
            capture, known = stable(work)
        events = {}
        for event in lab.replay("--kind", "proc", capture):
            lab.demand(event["pid"] not in events, f"pid {event['pid']} is there twice")
            events[event["pid"]] = event
        for pid in mine:
            lab.demand(pid in known, f"/proc does not know pid {pid}")
            lab.demand(pid in events, f"pid {pid} is not in the snapshot")
        tick = os.sysconf("SC_CLK_TCK")
        for pid, fact in known.items():
            lab.demand(pid in events, f"pid {pid}, {fact['argv']}, is not in the snapshot")
            event = events[pid]
            lab.equal(lab.raw_argv(event), fact["argv"], f"argv of pid {pid}")
            for key in ("cwd", "exe", "comm"):
                lab.equal(lab.raw(event, key), fact[key], f"{key} of pid {pid}")
            for key in ("ppid", "uid", "gid", "euid", "egid"):
                lab.equal(event.get(key), fact[key], f"{key} of pid {pid}")
            lab.equal(event["start"] * tick // 10**9, fact["ticks"], f"start of pid {pid}")
        print(f"   {len(known)} processes compared, {len(events)} in the snapshot")


def nothing_falls_between():
    """A process is known from the snapshot or its fork, unless it ended before the snapshot."""
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        with lab.started(["/bin/sh", "-c", "while :; do /bin/true; done"]):
            for _ in range(3):
                lab.record(capture, "--force", "--duration", "400ms")
                events = lab.replay(capture)
                known = {event["pid"] for event in events if event["kind"] in ("proc", "fork")}
                own = {event["pid"] for event in events if event["comm"].startswith("exectrace")}
                attached = min(event["ts"] for event in events if event["kind"] == "fork")
                unknown = [event for event in events
                           if event["kind"] in ("exec", "exit") and event["start"] > attached
                           and event["pid"] not in known | own]
                lab.equal(unknown, [], "events of processes that came from nowhere")
                lab.demand(sum(event["kind"] == "exit" for event in events) > 20, "the test had no load")


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(equals_proc, nothing_falls_between)

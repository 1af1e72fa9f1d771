"""The files of a recording that has several, and what each has to say by itself."""
import contextlib
import glob
import os
import re

import lab

NAME = re.compile(r"-\d{8}T\d{6}\.\d{3}Z\.etz$")


def files(base):
    """Those of base (DIR/trace.etz), in the order of their names."""
    found = sorted(glob.glob(glob.escape(base[:-len(".etz")]) + "-*.etz"))
    return [path for path in found if NAME.search(path)]


def begun(process, base):
    """Waits until process records into the first file."""
    lab.until_attached(process, lab.wait_until(lambda: files(base), "a file")[0])


def until(base, number):
    """Waits for so many files."""
    return lab.wait_until(lambda: len(files(base)) >= number and files(base), f"{number} files")


def check_file(path, later=True):
    """A capture by itself: sound, and every process in it is introduced. Its events.

    In the first one a process may have begun while the programs were attached.
    """
    lab.exectrace("verify", "-q", path)
    info = lab.info(path)
    lab.demand(info["host"] and info["kernel"], f"{path}: no host")
    events = lab.replay("-q", "--kind", "proc,exec,fail,fork,exit,lost", path)
    # Where not everything is recorded, a process may come into what is, and its parent need not.
    everything = info["properties"].get("scope") == "all" and "filter" not in info["properties"]
    known = set()
    for event in events:
        if event["kind"] == "lost":
            known = None if event["cause"] != "write_failed" else known
        if event["kind"] == "lost" or known is None:
            continue
        who = event["pid"]
        if event["kind"] in ("proc", "fork", "exec") and not (everything and later and event["kind"] == "exec"):
            known.add(who)
        lab.demand(not later or who in known, f"{path}: nothing introduces process {who} before {event}")
        if later and everything and event["kind"] != "proc" and event.get("ppid"):
            lab.demand(event["ppid"] in known, f"{path}: nothing introduces the parent of {event}")
    return events


def check_series(base):
    """All of them, and no event twice. Their events, in order, without those of kind proc."""
    found, seen = [], set()
    for number, path in enumerate(files(base)):
        events = check_file(path, number > 0)
        found += [event for event in events if event["kind"] != "proc"]
    for event in found:
        key = (event["kind"], event.get("pid"), event["ts"], event.get("cpu"), event.get("cause"))
        lab.demand(key not in seen, f"twice: {event}")
        seen.add(key)
    return found


def size(base):
    """What the files take of the disk, in blocks of 4 KiB."""
    total = 0
    for path in files(base):
        with contextlib.suppress(FileNotFoundError):
            total += (os.path.getsize(path) + 4095) // 4096 * 4096
    return total

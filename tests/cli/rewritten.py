"""Captures that slice, merge and compact made, and what has to be in them."""
import datetime

import lab


def json_of(path, *options, code=0):
    return lab.exectrace("replay", "--json", *options, path, code=code).stdout


def compact(path, *options, code=0):
    out = path + ".compact"
    done = lab.exectrace("compact", "-f", "-o", out, *options, path, code=code)
    return out, done.stderr


def shown(row, capture):
    """A row as replay --json tells it, but for what is derived."""
    out = {name: value for name, value in row.items() if name not in ("process", "parent", "exec_ts")}
    if "cgroup" in row:
        out.update(cgroup=capture.name(row["cgroup"]), user=capture.name(row["uid"]), group=capture.name(row["gid"]))
    if "exe_dev" in row:
        out.update(exe_dev="%d:%d" % (row["exe_dev"] >> 20, row["exe_dev"] & 0xfffff))
    return out


def exes_of(path):
    """What info says of executables, by path."""
    exes = lab.info(path)["exes"]
    lab.equal(len({exe["path"] for exe in exes}), len(exes), f"executables of {path} that are there once")
    return {exe["path"]: exe for exe in exes}


def same_exes(path, rows, capture, what):
    """The executables are those that the rows name, with all that the capture said of them."""
    wanted = {}
    for name in {row["exe"] for row in rows if "exe" in row}:
        exe = capture.exes[name]
        wanted[name] = {"path": name, "dev": "%d:%d" % (exe["dev"] >> 20, exe["dev"] & 0xfffff),
                        "inode": exe["inode"], "size": exe["size"], "mtime": wall(exe["mtime"]),
                        "build_id": exe["build_id"].encode().hex(), "interpreter": exe["interpreter"]}
    lab.equal(exes_of(path), wanted, f"executables of {what}")


def wall(ns):
    return f"{datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=ns // 10**9):%Y-%m-%dT%H:%M:%S}.{ns % 10**9:09}Z"


def same_rows(events, rows, capture, what):
    causes = {1: "ring_full", 2: "busy"}
    wanted = [shown(row, capture) for row in rows]
    for row in wanted:
        if row["kind"] == "lost":
            row["cause"] = causes[row["cause"]]
    for event, row in zip(events, wanted):
        lab.equal({name: event.get(name) for name in row}, row, f"an event of {what}")
    lab.equal(len(events), len(wanted), f"number of events of {what}")

#!/usr/bin/env python3
"""The benchmark of reading runs, has a figure for everything, and tells what is met from what is not."""
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import lab  # noqa: E402
import queries  # noqa: E402

EVENTS = 200_000
TOOLS = {"grep": "execsnoop"}	# whose text it reads


def rows_of(text):
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in text.splitlines()
            if line.startswith("| ") and not line.startswith("| ---")]


def reading_runs():
    with lab.workdir() as work:
        result, kept = os.path.join(work, "result.json"), os.path.join(work, "kept")
        command = [sys.executable, os.path.join(HERE, "reading"), "--build", lab.BUILD, "--quick", "--events",
                   str(EVENTS), "--jobs", "6", "--rounds", "2", "--keep", kept, "--output", result]
        # The one that is installed may have nothing to read.
        scap = lab.written(work, "scap", b"an event\n" * 50)
        os.chmod(lab.written(work, "sysdig", b'#!/bin/sh\n[ "$1" = -r ] && exec cat "$2"\n'), 0o755)
        first = lab.run([*command, "--scap", scap], timeout=600, env={**os.environ, "PATH": work + ":" + os.environ["PATH"]})
        with open(result, encoding="utf-8") as file:
            measured = json.load(file)
        large = os.path.join(kept, f"build-{EVENTS}.etz")
        lab.exectrace("verify", large)
        before = os.stat(large).st_mtime_ns
        lab.run(command, timeout=600)
        lab.equal(os.stat(large).st_mtime_ns, before, "when the capture was made that was kept")
        counts = {name: int(lab.exectrace("replay", "--count", *filters, large).stdout)
                  for name, filters in (("--uid, common: --count", ("--uid", "builder")),
                                        ("--uid, rare: --count", ("--uid", "rare")),
                                        ("--comm cc1 --count", ("--match", "comm=cc1")))}
    printed = rows_of(first.stdout.decode())
    names = [row["name"] for row in measured["rows"]]
    left_out = re.findall(r"^(.*) is left out: this exectrace", first.stderr.decode(), re.M)
    wanted = [query.name for query in queries.queries(0, 1000)]
    lab.equal([name for name in names if name in wanted] + left_out,
              sorted(wanted, key=lambda name: (name in left_out, wanted.index(name))), "queries that are in the table")
    lab.equal([row["events"] for row in measured["rows"] if row["name"] == "sysdig -r"], [50], "events for sysdig")
    lab.demand("| text is 10 × sysdig -r | " in first.stdout.decode(), "the mark beside sysdig")
    for peer in ("zstd -dc", "trace-cmd report", "perf script", "grep"):
        lab.demand(peer in names or f"{TOOLS.get(peer, peer.split()[0])} is left out" in first.stderr.decode(), f"no {peer} in {names}")
    lab.equal([row[0] for row in printed if row[0] in names], names, "lines of the table")
    found = {row["name"]: row["found"] for row in measured["rows"]}
    for name, count in counts.items():
        lab.equal(found[name], count, f"events found by {name}")
    lab.equal(found["--uid, absent: --count"], 0, "events of a user who is absent")
    lab.demand(0 < counts["--uid, common: --count"] < EVENTS, f"events of the common user: {counts}")
    for row in measured["rows"]:
        for mode, runs in row["runs"].items():
            lab.equal(len(runs), 2, f"runs of {row['name']}, {mode}")
            lab.demand(all(run["seconds"] > 0 and run["cpu"] >= 0 and run["memory"] > 2**18 for run in runs), f"figures of {row}")
    for row in printed:
        if row[0] in names:
            lab.demand(re.fullmatch(r"[\d.,]+ \([\d.,]+–[\d.,]+\)|[\d.,]+", row[2]), f"rate in {row}")


def row(name, seconds, faster=None, memory=2**20, own=True):
    runs = {"one": [{"seconds": s, "cpu": s, "memory": memory} for s in seconds]}
    if faster:
        runs["all"] = [{"seconds": s / faster, "cpu": s, "memory": memory} for s in seconds]
    return {"name": name, "events": 1000, "found": None, "own": own, "runs": runs}


def marks_are_judged():
    peer = row("trace-cmd report", [100, 300, 200], own=False)
    for rows, text in (
            ([row("text", [30, 30, 30]), peer], "text is 6 × trace-cmd report | 6.67 | met"),
            ([row("text", [40, 40, 40]), peer], "text is 6 × trace-cmd report | 5 | **not met**"),
            # What counts is that of all threads.
            ([row("text", [40, 40, 40], 1.9), peer], "text is 6 × trace-cmd report | 9.5 | met"),
            ([row("text", [1, 1, 1])], "text is 6 × trace-cmd report |  | not measured"),
            ([row("text", [1, 1, 1], 1.9)], "text by 2 threads is 1.8 × one | 1.90 | met"),
            ([row("text", [1, 1, 1], 1.7)], "text by 2 threads is 1.8 × one | 1.70 | **not met**"),
            ([row("text", [1], memory=199 * 2**20), row("verify", [1])],
             "peak memory below 200 MB; the most is that of text | 199.0 | met"),
            ([row("text", [1]), row("verify", [1], memory=201 * 2**20)],
             "peak memory below 200 MB; the most is that of verify | 201.0 | **not met**")):
        lab.demand(text in list(queries.marks(rows, 2)), f"no '{text}' in {list(queries.marks(rows, 2))}")
    lab.demand(not any(line.startswith("text by") for line in queries.marks([row("text", [.01], 1)], 2)),
               "what takes no time is judged by it")


def meter_tells():
    meter = lab.helper("bench_meter")
    for argv, code in ((["true"], 0), (["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -9 $$"], -9), (["/no/such"], 127)):
        found = lab.run([meter, *argv]).stdout.split()
        lab.equal(int(found[0]), code, f"exit code of {argv}")
    code, ns, cpu, memory = map(int, lab.run([meter, sys.executable, "-c",
                                         "import time; x = b'x' * (100 << 20); print(1); time.sleep(.2)"]).stdout.split())
    lab.demand(ns >= 200_000_000 and 0 < cpu < ns and 100 << 20 <= memory < 150 << 20,
               f"{ns} ns, {cpu} of CPU, {memory} bytes")
    # Not what this process had in memory.
    kept = b"x" * (100 << 20)
    *_, memory = map(int, subprocess.run([meter, "true"], check=True, stdout=subprocess.PIPE).stdout.split())
    lab.demand(memory < 20 << 20, f"memory of true, of whose caller {len(kept)} bytes are: {memory}")


if __name__ == "__main__":
    lab.need_bpf()
    lab.need_tool("zstd")
    lab.main(marks_are_judged, meter_tells, reading_runs)

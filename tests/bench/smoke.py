#!/usr/bin/env python3
"""The benchmarks run and count right; what they measure here says nothing."""
import collections
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import lab  # noqa: E402
import table  # noqa: E402
import tracers  # noqa: E402


def benchmarks_run():
    with lab.workdir() as work:
        result = os.path.join(work, "result.json")
        done = lab.run([sys.executable, os.path.join(HERE, "run"), "--build", lab.BUILD, "--quick", "--spawns", "200",
                        "--fails", "2000", "--jobs", "4", "--settle", "1", "--tracers", "exectrace",
                        "--output", result])
        with open(result, encoding="utf-8") as file:
            measured = {entry["workload"]: entry["runs"]["exectrace"][0] for entry in json.load(file)}
    lab.equal({name: run["happened"] for name, run in measured.items() if name != "C"},
              {"A": {"exec": 200, "fork": 202, "exit": 202}, "B1": {"fail": 2000, "fork": 1, "exit": 1},
               "B2": {"fail": 2000, "fork": 2, "exit": 2}}, "what happened")
    # gcc, cc1, as; test, sh, sed.
    lab.demand(measured["C"]["happened"]["exec"] >= 4 * 3, f"executions of a make: {measured['C']['happened']}")
    for name, run in measured.items():
        lab.equal(sum(run["lost"].values()), 0, f"lost of workload {name}, which the recorder calls complete")
    rows = [line for line in done.stdout.decode().splitlines() if line.startswith("| ")]
    lab.equal(len(rows), 2 + 2 * 4, "lines of the table")
    lab.demand(all(row.count("|") == len(table.COLUMNS) + 1 for row in rows), f"cells of {rows}")


def losses_are_seen():
    """The comparison that the bench rests upon, where something is missing."""
    happened = {"exec": {7: 1, 8: 1}, "fail": {7: 3}, "fork": {7: 1}, "exit": {7: 1}}
    happened = {kind: collections.Counter(pids) for kind, pids in happened.items()}
    kept = [("exec", 7, True), ("fail", 7, True), ("fail", 7, False), ("fork", 7, False), ("exit", 7, False)]
    for tracer, others, expected in (
            (tracers.Exectrace, [], {"exec": 1, "fail": 1, "fork": 0, "exit": 0}),
            # Those of another process do not make good for it.
            (tracers.Exectrace, [("exec", 9, True), ("fail", 8, True)], {"exec": 1, "fail": 1, "fork": 0, "exit": 0}),
            (tracers.Exectrace, [("exec", 8, True), ("fail", 7, True)], {"exec": 0, "fail": 0, "fork": 0, "exit": 0}),
            (tracers.Execsnoop, [], {"exec": 1, "fail": 1}),
            (tracers.Bpftrace, [("call", 7, True)], {"call": 4}),
            (tracers.Accounting, [], {"exit": 0})):
        _, lost, bare = table.missing(tracer(None), happened, [*kept, *others], True)
        lab.equal(lost, expected, f"lost by {tracer.name}, which had {others} besides")
        lab.equal(bare, None if tracer.arguments == "none" else 1, f"without arguments of {tracer.name}")


def idling_is_measured():
    with lab.workdir() as work:
        result = os.path.join(work, "result.json")
        # What the machine does by itself may be nothing.
        with lab.started(["sh", "-c", "while :; do /bin/sleep 0.1; done"]):
            lab.run([os.path.join(HERE, "idle"), "--build", lab.BUILD, "--seconds", "2", "--settle", "1",
                     "--output", result])
        with open(result, encoding="utf-8") as file:
            everything, nothing = json.load(file)
    for name in ("cpu_ns", "wakeups", "written", "events"):
        lab.demand(everything[name] > 0, f"{name} of {everything}")
    lab.equal(nothing["events"], 0, "events where nothing matches")
    lab.demand(nothing["written"] < everything["written"], f"{nothing}, beside {everything}")


def programs_are_measured():
    lab.need_tool("bpftool")
    printed = lab.run([os.path.join(HERE, "programs"), "--rounds", "1", "--spawns", "50", "--fails", "200"])
    rows = [line.split()[-5:] for line in printed.stdout.decode().splitlines()[1:] if "--exec-duration" not in line]
    lab.equal(len(rows), 9, "rows")
    # Of failed execs the price of all other calls is taken away, which so few cannot tell.
    lab.demand(all(int(cell) > 0 for row in rows for cell in row[:3]), f"figures of {rows}")


def codec_runs():
    with lab.workdir() as work:
        capture = lab.made(work, 2000)
        printed = lab.run([os.path.join(lab.BUILD, "tests/bin/bench_codec"), capture]).stdout.decode().splitlines()
    rows = [line.split() for line in printed if line.split()[0].isdigit() and "events" not in line]
    lab.equal([int(row[0]) for row in rows], [256, 1024, 4096, 16384, 65536], f"chunk sizes of {printed}")
    lab.demand(all(float(cell.rstrip("%")) > 0 for row in rows for cell in row[1:3] + row[4:6]),
               f"figures of {printed}")


def codec_runs_in_threads():
    with lab.workdir() as work:
        capture = lab.made(work, 2000)
        table = lab.run([os.path.join(lab.BUILD, "tests/bin/bench_codec"), capture, "--threads", "2"]).stdout.decode()
    rows = [[float(cell) for cell in line.split()] for line in table.splitlines()[2:]]
    lab.equal([tuple(row[:2]) for row in rows], [(level, n) for level in (3, 9, 19) for n in (1, 2)], f"rows of {table}")
    lab.demand(all(row[2] > 0 and row[3] > 0 for row in rows), f"figures of {table}")


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(benchmarks_run, losses_are_seen, idling_is_measured, programs_are_measured, codec_runs, codec_runs_in_threads)

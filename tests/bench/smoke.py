#!/usr/bin/env python3
"""The benchmarks run and count right; what they measure here says nothing."""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import lab  # noqa: E402


def benchmarks_run():
    with lab.workdir() as work:
        result = os.path.join(work, "result.json")
        lab.run([sys.executable, os.path.join(HERE, "run"), "--build", lab.BUILD, "--rounds", "1",
                 "--spawns", "200", "--fails", "2000", "--jobs", "4", "--settle", "1",
                 "--tracers", "none,exectrace", "--output", result])
        with open(result, encoding="utf-8") as file:
            rows = json.load(file)["workloads"]
    for name, happened in (("A", 200), ("B1", 2000), ("B2", 2000)):
        row = next(row for row in rows if row["workload"] == name and row["tracer"] == "exectrace")
        lab.equal((row["happened"], row["captured"]), (happened, happened), f"events of workload {name}")


def programs_are_measured():
    lab.need_tool("bpftool")
    table = lab.run([os.path.join(HERE, "programs"), "--rounds", "1", "--spawns", "50", "--fails", "200"])
    rows = [line.split()[-5:] for line in table.stdout.decode().splitlines()[1:] if "--exec-duration" not in line]
    lab.equal(len(rows), 9, "rows")
    # Of failed execs the price of all other calls is taken away, which so few cannot tell.
    lab.demand(all(int(cell) > 0 for row in rows for cell in row[:3]), f"figures of {rows}")


def codec_runs():
    with lab.workdir() as work:
        capture = lab.made(work, 2000)
        table = lab.run([os.path.join(lab.BUILD, "tests/bin/bench_codec"), capture]).stdout.decode().splitlines()
    rows = [line.split() for line in table if line.split()[0].isdigit() and "events" not in line]
    lab.equal([int(row[0]) for row in rows], [256, 1024, 4096, 16384, 65536], f"chunk sizes of {table}")
    lab.demand(all(float(cell.rstrip("%")) > 0 for row in rows for cell in row[1:3] + row[4:6]), f"figures of {table}")


def codec_runs_in_threads():
    with lab.workdir() as work:
        capture = lab.made(work, 2000)
        table = lab.run([os.path.join(lab.BUILD, "tests/bin/bench_codec"), capture, "--threads", "2"]).stdout.decode()
    rows = [[float(cell) for cell in line.split()] for line in table.splitlines()[2:]]
    lab.equal([tuple(row[:2]) for row in rows], [(level, n) for level in (3, 9, 19) for n in (1, 2)], f"rows of {table}")
    lab.demand(all(row[2] > 0 and row[3] > 0 for row in rows), f"figures of {table}")


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(benchmarks_run, programs_are_measured, codec_runs, codec_runs_in_threads)

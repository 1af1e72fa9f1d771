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


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(benchmarks_run)

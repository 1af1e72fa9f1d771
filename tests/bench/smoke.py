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


    for lost, told, text in ((0, None, "0 of 3"), (0, {}, "0 of 3, complete"),
                             (1, {"ring_full": 2}, "33 %: 1 exec of 3; it says 2 ring_full")):
        lab.equal(table.losses([{"happened": {"exec": 3}, "lost": {"exec": lost}, "own_word": told}]), text, "cell")


# What each peer writes for an event, or its reader prints.
PRINTED = (
    (tracers.Execsnoop, b"""PCOMM            PID    PPID   RET ARGS
bench_spawner    13497  13496   -2 /usr/local/nonexistent/program -O2 source/file.c
two words        13498  13496    0 /bin/true
""", [("fail", 13497, True), ("exec", 13498, False)]),
    # The second one is torn.
    (tracers.Bpftrace, b"""4279644    14406  bench_spawner exectrace-bench -O2 source/file.c
4279674    14406  bench_spawner 4279675    14407  bench_spawner exectrace-bench source/file.c source/file.c
""", [("call", 14406, True), ("call", 14406, False)]),
    (tracers.Forkstat, b"""Time     Event   PID     UID    EUID TTY    Info   Duration Process
17:41:28 fork  14007    root    root      ? parent          sh source/file.c
17:41:28 fork  14250    root    root      ? child           sh source/file.c
17:41:28 exec  14250    root    root      ?                 program source/file.c
17:41:28 exit  14250    root    root      ?      0   0.007s program
""", [("parent", 14007, True), ("fork", 14250, True), ("exec", 14250, True), ("exit", 14250, False)]),
    (tracers.Extrace, b"1138 exectrace-bench -O2 source/file.c\n1144 ''\n",
     [("exec", 1138, True), ("exec", 1144, False)]),
    (tracers.Perf, b"""   bench_spawner   886 [001] 12838.480187: syscalls:sys_exit_execve: 0xfffffffffffffffe
       two words 13308 [001] 12838.480189: sched:sched_process_fork: comm=x child_comm=x child_pid=15128
           sleep 15128 [000] 12838.480192: sched:sched_process_exec: filename=/usr/bin/sleep pid=15128 old_pid=15128
           sleep 15128 [000] 12838.480193: sched:sched_process_exit: comm=sleep pid=15128 prio=120
""", [("fail", 886, False), ("fork", 15128, False), ("exec", 15128, False), ("exit", 15128, False)]),
    (tracers.TraceCmd, b"""cpus=2
   bench_spawner-886   [001] 13584.553201: sys_exit_execve:      0xfffffffffffffffe
            ba-sh-13308 [001] 13584.553709: sched_process_fork:   comm=ba-sh pid=13308 child_comm=x child_pid=15128
           sleep-15128 [001] 13584.554024: sched_process_exec:   filename=/usr/bin/sleep pid=15128 old_pid=15128
""", [("fail", 886, False), ("fork", 15128, False), ("exec", 15128, False)]),
    (tracers.Accounting, b"""true            |v3|     0.00|     0.00|     0.00|     0|     0|   854.00|     0.00|    1252|     775|
""", [("exit", 1252, False)]),
    (tracers.Audit, b"""type=SYSCALL msg=audit(1:7): arch=c000003e syscall=59 success=yes exit=0 ppid=1 pid=1252 auid=0
type=EXECVE msg=audit(1:7): argc=2 a0="x" a1="source/file.c"
type=SYSCALL msg=audit(1:8): arch=c000003e syscall=59 success=no exit=-2 ppid=1 pid=1253 auid=0
""", [("exec", 1252, True), ("fail", 1253, False)]),
)


def peers_are_understood():
    with lab.workdir() as work:
        for kind, printed, expected in PRINTED:
            tracer = kind(None)
            tracer.report = ("cat",)
            path = lab.written(work, kind.name, printed)
            lab.equal(list(tracer.events(path)), expected, f"events of {kind.name}")


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
    lab.main(benchmarks_run, losses_are_seen, peers_are_understood, idling_is_measured, programs_are_measured,
             codec_runs, codec_runs_in_threads)

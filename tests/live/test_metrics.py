#!/usr/bin/env python3
"""The file of figures: read by a parser of Prometheus's own, at any moment, and gone when the recording is."""
import contextlib
import json
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
from bursts import BURST, Bursts  # noqa: E402

# In an interpreter that has it: Debian's package is for Debian's own.
PARSER = """import json, sys
from prometheus_client.parser import text_string_to_metric_families as families
print(json.dumps([{"name": f.name, "type": f.type, "help": f.documentation,
                   "samples": [[s.name, s.labels, s.value] for s in f.samples]} for f in families(sys.stdin.read())]))
"""

COUNTERS = {"exectrace_events", "exectrace_lost", "exectrace_written_bytes", "exectrace_files"}
GAUGES = {"exectrace_up", "exectrace_info", "exectrace_state", "exectrace_start_time_seconds", "exectrace_ring_bytes",
          "exectrace_ring_used_bytes", "exectrace_ring_peak_bytes", "exectrace_queue_parcels",
          "exectrace_queue_full_parcels"}


def parsing(data):
    """What Prometheus's library makes of it; None: no interpreter here has that."""
    for python in (sys.executable, "/usr/bin/python3"):
        if os.path.exists(python):
            done = lab.run([python, "-c", PARSER], input=data, code=None)
            if b"ModuleNotFoundError" not in done.stderr:
                lab.equal(done.returncode, 0, f"exit code of the parser; {lab.tail(done.stderr)}")
                return json.loads(done.stdout)
    return None


def families(path):
    return parsing(lab.contents(path))


def figures(path):
    """{name: value}, of those with labels {name: {the labels' values: value}}; {} when there is no file."""
    found = {}
    if not os.path.exists(path):
        return found
    for family in families(path):
        for name, labels, value in family["samples"]:
            if labels:
                found.setdefault(name, {})[",".join(labels.values())] = value
            else:
                found[name] = value
    return found


def parser_reads_it():
    with lab.workdir() as work:
        path, capture = os.path.join(work, "exectrace.prom"), os.path.join(work, "c.etz")
        begun = time.time()
        with Bursts(work, capture, "--metrics", path, "--metrics-interval", "100ms", flush="10ms") as b:
            lab.wait_until(lambda: figures(path).get("exectrace_state", {}).get("recording"), "the file")
            found = families(path)
            lab.equal({family["name"] for family in found if family["type"] == "counter"}, COUNTERS, "counters")
            lab.equal({family["name"] for family in found if family["type"] == "gauge"}, GAUGES, "gauges")
            lab.demand(all(family["help"] for family in found), "some have no help")
            b.burst()
            lab.wait_until(lambda: figures(path)["exectrace_events_total"]["fail"] == BURST, "the events to be counted")
            now = figures(path)
            lab.equal([now["exectrace_up"], now["exectrace_files_total"], now["exectrace_queue_parcels"],
                       now["exectrace_ring_bytes"], sum(now["exectrace_state"].values())], [1, 1, 8, 8 << 20, 1], "figures")
            lab.equal(set(now["exectrace_lost_total"].values()), {0}, "lost")
            lab.demand(begun - 1 < now["exectrace_start_time_seconds"] < time.time() + 1, "start time")
            lab.wait_until(lambda: figures(path)["exectrace_written_bytes_total"] == os.path.getsize(capture), "bytes")
            lab.equal(os.stat(path).st_mode & 0o777, 0o644, "mode")
            b.end()
        lab.equal(sorted(os.listdir(work)), ["c.etz", "stderr"], "files at the end")


def losses_are_counted():
    with lab.workdir() as work:
        path = os.path.join(work, "exectrace.prom")
        with Bursts(work, os.path.join(work, "c.etz"), "--metrics", path, "--metrics-interval", "100ms",
                    "--ring-size", "4K") as b:
            lab.wait_until(lambda: figures(path).get("exectrace_up"), "the file")
            while not figures(path)["exectrace_lost_total"]["ring_full"]:
                b.burst()
            made = b.made

            def all_told():
                """A loss is told with the next event that finds room, which the first need not."""
                b.burst(1)
                now = figures(path)
                return sum(now["exectrace_lost_total"].values()) + now["exectrace_events_total"]["fail"] >= made
            lab.wait_until(all_told, "kept and lost to be all that were made")


def readers_see_whole_files():
    """Also in the middle of a replacement, whose files are not for the collector."""
    with lab.workdir() as work:
        path = os.path.join(work, "exectrace.prom")
        with lab.started([lab.RECORDER, "-o", os.path.join(work, "c.etz"), "--metrics", path, "--metrics-interval",
                          "100ms"]):
            lab.wait_until(lambda: os.path.exists(path), "the file")
            inodes, end = set(), time.monotonic() + 2
            while time.monotonic() < end:
                with open(path, "rb") as file:
                    inodes.add(os.fstat(file.fileno()).st_ino)
                    text = file.read()
                lab.demand(text.endswith((b"\nexectrace_up 1\n", b"exectrace_up 0\n")), f"only {text[-100:]!r}")
                others = {name for name in os.listdir(work) if name.endswith(".prom")}
                lab.equal(others, {"exectrace.prom"}, "what a collector would read")
            lab.demand(len(inodes) > 1, "it was never replaced")


def killed_recorder_is_not_up():
    with lab.workdir() as work:
        path = os.path.join(work, "exectrace.prom")
        with lab.started([lab.RECORDER, "-o", os.path.join(work, "c.etz"), "--metrics", path]) as process:
            lab.wait_until(lambda: figures(path).get("exectrace_up"), "the file")
            before = figures(path)["exectrace_events_total"]
            # In the way, as another that was killed could have left it.
            lab.written(work, ".exectrace.prom~", b"left over")
            process.kill()
            process.wait()
            lab.wait_until(lambda: figures(path)["exectrace_up"] == 0, "exectrace_up 0")
            lab.equal(figures(path)["exectrace_events_total"], before, "the last figures")
            lab.demand(not os.path.exists(os.path.join(work, ".exectrace.prom~")), "what was left over is there still")


def link_is_replaced():
    """Not followed: the directory may be one where others write."""
    with lab.workdir() as work:
        path, other = os.path.join(work, "exectrace.prom"), lab.written(work, "precious", b"precious")
        os.symlink(other, path)
        with lab.started([lab.RECORDER, "-o", os.path.join(work, "c.etz"), "--metrics", path]) as process:
            lab.wait_until(lambda: not os.path.islink(path) and figures(path).get("exectrace_up"), "the file")
            lab.equal(lab.stop(process)[0], 0, "exit code")
        lab.equal([lab.contents(other), os.path.lexists(path)], [b"precious", False], "the link's target, and the file")


def wrong_places():
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        os.mkdir(os.path.join(work, "others"), 0o755)
        os.chown(os.path.join(work, "others"), 4243, 4243)
        os.mkdir(os.path.join(work, "folder"))
        for path, said in (("/nonexistent/x.prom", b"No such file"), (f"{work}/others/x.prom", b"without capabilities"),
                           (f"{work}/folder", b"directory"), (f"{work}/", b"directory"),
                           (f"{work}/{'x' * 255}", b"too long"), ("/proc/x.prom", b"")):
            done = lab.record(capture, "--metrics", path, "--", "/bin/true", code=1)
            lab.demand(done.stderr.startswith(b"exectrace record: --metrics: cannot write '" + path.encode())
                       and said in done.stderr, f"{path}: said {done.stderr!r}")
            lab.equal(sorted(os.listdir(work)), ["folder", "others"], "files")
        for value in ("0", "99ms", "2h", "x"):
            done = lab.record(capture, "--metrics", f"{work}/x", "--metrics-interval", value, code=2)
            lab.demand(b"--metrics-interval: " in done.stderr, f"{value}: said {done.stderr!r}")


def full_disk_is_told_once():
    mount = 'mount -t tmpfs -o size=64k none "$1" && shift && exec "$@"'
    with lab.workdir() as work:
        place = os.path.join(work, "small")
        os.mkdir(place)
        script = f"sleep 0.5; head -c 1M /dev/zero > {place}/filling 2>/dev/null; sleep 1; cat {place}/x.prom"
        done = lab.run([lab.need_tool("unshare"), "--mount", "/bin/sh", "-c", mount, "sh", place, lab.RECORDER, "-o",
                        os.path.join(work, "c.etz"), "--metrics", f"{place}/x.prom", "--metrics-interval", "100ms", "--",
                        "/bin/sh", "-c", script])
        lab.equal(done.stderr.count(b"cannot write"), 1, f"times that it was told, {done.stderr!r}")
        lab.demand(done.stdout.endswith(b"exectrace_up 1\n"), f"the last whole file is gone: {done.stdout!r}")


def servant_can_do_nothing_else():
    with lab.workdir() as work:
        path = os.path.join(work, "exectrace.prom")
        with lab.started([lab.RECORDER, "-o", os.path.join(work, "c.etz"), "--metrics", path]) as process:
            lab.wait_until(lambda: figures(path).get("exectrace_up"), "the file")
            pids = [pid for pid in lab.children(process.pid)
                    if lab.contents(f"/proc/{pid}/comm") == b"exectrace-stats\n"]
            lab.equal(len(pids), 1, "servants of this name")
            text = lab.contents(f"/proc/{pids[0]}/status").decode()
            fields = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
            lab.equal([int(fields[name], 16) for name in ("CapPrm", "CapEff", "CapInh", "CapAmb", "CapBnd")], [0] * 5,
                      "capabilities")
            if not lab.SANITIZED:
                lab.equal(fields["Seccomp"], "2", "Seccomp")
            held = set()
            for fd in os.listdir(f"/proc/{pids[0]}/fd"):
                with contextlib.suppress(FileNotFoundError):
                    held.add(os.readlink(f"/proc/{pids[0]}/fd/{fd}").split(":")[0])
            lab.demand(held - {f"{work}/.exectrace.prom~"} <= {"/dev/null", "socket", work}, f"holds {held}")
            # The recording goes on without it, and says at the end that the file is still there.
            os.kill(pids[0], signal.SIGKILL)
            code, _, err = lab.stop(process)
            lab.equal(code, 0, f"exit code; {err!r}")
            lab.demand(b"cannot remove" in err, f"said {err!r}")


if __name__ == "__main__":
    lab.need_bpf()
    if parsing(b"") is None:
        lab.skip("prometheus_client is not installed (python3-prometheus-client)")
    lab.need_tool("unshare")
    lab.main(parser_reads_it, losses_are_counted, readers_see_whole_files, killed_recorder_is_not_up, link_is_replaced,
             wrong_places, full_disk_is_told_once, servant_can_do_nothing_else)

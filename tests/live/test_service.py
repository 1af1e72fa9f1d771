#!/usr/bin/env python3
"""The recorder as a service: what it tells the manager and the journal, with exactly what its unit gives it."""
import contextlib
import json
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
import manager  # noqa: E402

USER = 4243	# nobody's

# In a mount namespace of its own, so that the paths of the unit are there and yet not the machine's.
PLACES = 'mount -t tmpfs none /run && mount -t tmpfs none /var/log && mkdir /run/exectrace /var/log/exectrace &&' \
         ' mount --bind "$1/run" /run/exectrace && mount --bind "$1/log" /var/log/exectrace && shift && exec "$@"'


@contextlib.contextmanager
def service(work, notify, **environment):
    """(process, the unit, the journal), as systemd would have started it; gone at the end."""
    prefix = os.path.join(work, "usr")
    lab.run(["cmake", "--install", lab.BUILD, "--prefix", prefix])
    settings = manager.unit(os.path.join(prefix, "lib/systemd/system/exectrace.service"))
    for name in ("run", "log"):
        os.mkdir(os.path.join(work, name))
        os.chown(os.path.join(work, name), USER, USER)
    argv = [lab.need_tool("unshare"), "--mount", "/bin/sh", "-c", PLACES, "sh", work,
            *manager.privileged(settings, USER), *manager.command_line(settings)]
    with manager.journal() as (stderr, stream, arrived):
        env = {"PATH": "/usr/bin:/bin", "NOTIFY_SOCKET": notify.name, "JOURNAL_STREAM": stream, **environment}
        with lab.started(argv, env=env, stderr=stderr) as process:
            yield process, settings, arrived


def inside(process, *argv, code=0):
    """Runs a program where the service's paths are, as root."""
    return lab.run([lab.need_tool("nsenter"), "--target", str(process.pid), "--mount", *argv], code=code)


def unit_runs_as_it_is():
    with lab.workdir() as work, manager.Manager(os.path.join(work, "notify")) as notify, \
            lab.started(["/bin/sleep", "600"]) as roots, \
            service(work, notify, WATCHDOG_USEC="1000000") as (process, settings, journal):
        ready = notify.wait("READY")
        lab.demand(ready["STATUS"].startswith("recording to /var/log/exectrace/"), f"said {ready}")
        lab.run(["/bin/true", "seen-by-the-service"])
        status = json.loads(inside(process, lab.EXECTRACE, "record", "--status", "--json").stdout)
        lab.equal([status["pid"], status["state"]], [process.pid, "recording"], "status")
        lab.demand(status["file"].startswith("/var/log/exectrace/trace"), f"writes {status['file']}")
        done = inside(process, lab.EXECTRACE, "trigger", code=1)
        lab.demand(b"flight recorder" in done.stderr, f"trigger says {done.stderr!r}")
        figures = os.path.join(work, "run", "exectrace.prom")
        lab.wait_until(lambda: b"exectrace_up 1" in lab.contents(figures), "the figures")
        lab.equal(os.stat(figures).st_mode & 0o777, 0o644, "mode of the figures")
        # systemd takes it for hanging when nothing came for the whole time, half of which passes between two.
        signs = [message for message in notify.listen(3.2) if "WATCHDOG" in message]
        lab.demand(len(signs) >= 5, f"gave {len(signs)} signs of life in 3.2 s")
        process.send_signal(signal.SIGSTOP)
        notify.listen(0.2)
        lab.equal(notify.listen(1.5), [], "what it says while it is stopped")
        process.send_signal(signal.SIGCONT)
        notify.wait("WATCHDOG")
        capture = os.path.join(work, "log", os.path.basename(status["file"]))
        lab.demand(any("kill -HUP $MAINPID" in text for text in settings["ExecReload"]), "the unit reloads otherwise")
        process.send_signal(signal.SIGHUP)
        lab.demand(int(notify.wait("RELOADING")["MONOTONIC_USEC"]) > 0, "no MONOTONIC_USEC")
        again = notify.wait("READY")["STATUS"]
        lab.demand(again.startswith("recording to /var/log/exectrace/trace-2") and again != ready["STATUS"], f"said {again}")
        process.send_signal(signal.SIGTERM)
        notify.wait("STOPPING")
        lab.equal(process.wait(timeout=lab.TIMEOUT), 0, "exit code")
        lab.demand(not os.path.exists(figures), "the figures are still there")
        lines = journal()
        lab.equal(len(lines), 1, f"lines in the journal, {lines}")
        level = 5 if "; 0 lost;" in lines[0] else 4
        lab.demand(lines[0].startswith(f"<{level}>/var/log/exectrace/trace.etz: ") and ", 2 files in " in lines[0],
                   f"the journal has {lines}")
        lab.equal([os.stat(capture).st_uid, os.stat(capture).st_mode & 0o777], [USER, 0o600], "owner and mode")
        lab.demand(lab.info(capture)["ended"], "the capture has no end")
        seen = [event for event in lab.replay("--kind", "exec", "--arg", "seen-by-the-service", capture)]
        lab.equal([len(seen), seen[0]["exe"], seen[0]["user"]], [1, os.path.realpath("/bin/true"), "root"],
                  "what was recorded")
        # What it is for that the unit gives it each capability.
        known = lab.replay("--kind", "proc", "--pid", str(roots.pid), capture)
        lab.equal([event.get("exe") for event in known], [os.path.realpath("/bin/sleep")],
                  "path of another user's process")
        exes = json.loads(lab.exectrace("info", "--exes", "--json", capture).stdout)["exes"]
        mine = [exe for exe in exes if exe["path"] == os.path.realpath("/bin/true")]
        lab.demand(mine and mine[0].get("build_id"), f"no build-id: {mine}")
        lab.demand("WatchdogSec" in settings and settings["Type"] == ["notify"], "the unit does not ask for this")


def manager_by_an_abstract_name():
    with lab.workdir() as work, manager.Manager(f"\0exectrace-test-{os.getpid()}") as notify:
        env = os.environ | {"NOTIFY_SOCKET": notify.name}
        lab.record(os.path.join(work, "c.etz"), "--", "/bin/true", env=env)
        keys = [sorted(message) for message in notify.listen(0.3)]
        lab.equal(keys, [["READY", "STATUS"], ["STATUS", "STOPPING"]], "messages without a watchdog")


def manager_that_is_gone():
    """Is told, and the recording goes on."""
    with lab.workdir() as work:
        env = os.environ | {"NOTIFY_SOCKET": os.path.join(work, "nobody"), "WATCHDOG_USEC": "1000"}
        done = lab.record(os.path.join(work, "c.etz"), "--", "/bin/true", env=env)
        lab.demand(b"cannot reach the service manager" in done.stderr, f"said {done.stderr!r}")


def command_knows_nothing_of_it():
    with lab.workdir() as work, manager.Manager(os.path.join(work, "notify")) as notify:
        env = os.environ | {"NOTIFY_SOCKET": notify.name, "WATCHDOG_USEC": "9000000", "WATCHDOG_PID": "1", "KEPT": "1"}
        out = lab.record(os.path.join(work, "c.etz"), "--", "/usr/bin/env", env=env).stdout.decode().splitlines()
        names = {line.split("=", 1)[0] for line in out}
        lab.equal(names & {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "KEPT"}, {"KEPT"}, "variables of COMMAND")
        lab.demand(not any("WATCHDOG" in message for message in notify.listen(0.3)), "another's watchdog was fed")


def failed_start_is_never_ready():
    with lab.workdir() as work, manager.Manager(os.path.join(work, "notify")) as notify:
        env = os.environ | {"NOTIFY_SOCKET": notify.name}
        lab.record("/nonexistent/c.etz", env=env, code=1)
        # Nor when the first write fails: a file larger than the limit may not be written.
        lab.run(["/bin/bash", "-c", f"ulimit -f 0; exec {lab.EXECTRACE} record -o {work}/c.etz"], env=env, code=1)
        lab.demand(not any("READY" in message for message in notify.listen(0.3)), f"said {notify.messages}")


def journal_gets_levels():
    with lab.workdir() as work, manager.journal() as (stderr, stream, arrived):
        for variable, options, code, expected in (
                (stream, ["-o", "/nonexistent/c.etz"], 1, "<3>cannot write to"),
                (stream, ["-v", "-o", os.path.join(work, "a.etz"), "--", "/bin/true"], 0, "<6>recording to "),
                (stream, ["-o", os.path.join(work, "b.etz"), "--", "/bin/true"], 0, f"<5>{work}/b.etz: 1 exec"),
                # Redirected since: another's journal, or none.
                ("1:1", ["-o", os.path.join(work, "c.etz"), "--", "/bin/true"], 0, "exectrace record: "),
                ("", ["--nothing"], 2, "exectrace record: unknown"),
                (stream + "x", ["--nothing"], 2, "exectrace record: unknown")):
            lab.exectrace("record", *options, stderr=stderr, env=os.environ | {"JOURNAL_STREAM": variable}, code=code)
            lines = arrived()
            lab.demand(any(line.startswith(expected) for line in lines), f"no '{expected}' in {lines}")
            lab.demand(len({line.startswith("<") for line in lines}) == 1, f"mixed: {lines}")


def losses_are_warnings():
    with lab.workdir() as work, manager.journal() as (stderr, stream, arrived):
        capture = os.path.join(work, "c.etz")
        script = f"echo 200000 | {lab.helper('bursts')}"
        lab.exectrace("record", "--ring-size", "4K", "-o", capture, "--", "/bin/sh", "-c", script, stderr=stderr,
                      env=os.environ | {"JOURNAL_STREAM": stream})
        lines = arrived()
        lab.demand(lab.info(capture)["lost"] and lines[-1].startswith("<4>") and "ring_full" in lines[-1], f"{lines}")


if __name__ == "__main__":
    lab.need_bpf()
    for tool in ("cmake", "unshare", "nsenter", "setpriv"):
        lab.need_tool(tool)
    lab.main(unit_runs_as_it_is, manager_by_an_abstract_name, manager_that_is_gone, command_knows_nothing_of_it,
             failed_start_is_never_ready, journal_gets_levels, losses_are_warnings)

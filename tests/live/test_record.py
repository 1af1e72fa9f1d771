#!/usr/bin/env python3
"""What `exectrace record` promises about its command, its file and its end."""
import json
import os
import pwd
import re
import signal
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402


def commands(events):
    """argv of each exec, as one line."""
    return [" ".join(event["argv"]) for event in events if event["kind"] == "exec"]


def noisy():
    """A neighbour that executes all the time."""
    return lab.started(["/bin/sh", "-c", "while :; do /bin/true noisy-neighbour; done"])


def follows_the_command_alone():
    with lab.workdir() as work, noisy():
        capture = os.path.join(work, "c.etz")
        # The daemon outlives its parents, and ends before the command does.
        script = "/bin/true first; (setsid /bin/sh -c '/bin/true daemon' &) ; sleep 0.3; /nonexistent/x; exit 0"
        lab.record(capture, "--", "/bin/sh", "-c", script)
        events = lab.replay(capture)
        found = commands(events)
        lab.demand(not any("noisy-neighbour" in command for command in found), "has the neighbour")
        for wanted in ("/bin/true first", "/bin/true daemon", "sleep 0.3"):
            lab.equal(found.count(wanted), 1, f"execs of {wanted!r} in {found}")
        fails = [event["filename"] for event in events if event["kind"] == "fail"]
        lab.demand("/nonexistent/x" in fails, f"failed execs: {fails}")
        known = {event["pid"] for event in events if event["kind"] in ("fork", "exec")}
        lab.demand(known >= {event["pid"] for event in events if event["kind"] == "exit"},
                   "exits of processes that are not the command's")


def all_has_both():
    with lab.workdir() as work, noisy():
        capture = os.path.join(work, "c.etz")
        lab.record(capture, "--all", "--", "/bin/sh", "-c", "/bin/true mine; sleep 0.3; exit 0")
        found = commands(lab.replay(capture))
        lab.equal(found.count("/bin/true mine"), 1, "execs of the command")
        lab.demand("/bin/true noisy-neighbour" in found, "has no neighbour")


def passes_the_exit_code_on():
    with lab.workdir() as work:
        for i, (script, code) in enumerate((("exit 0", 0), ("exit 7", 7), ("exit 255", 255),
                                            ("kill -TERM $$", 128 + 15), ("kill -KILL $$", 128 + 9))):
            capture = os.path.join(work, f"{i}.etz")
            lab.record(capture, "--", "/bin/sh", "-c", script, code=code)
            lab.equal(lab.info(capture)["complete"], True, f"complete after {script!r}")
        lab.record(os.path.join(work, "n.etz"), "--", "/nonexistent/program", code=127)
        lab.record(os.path.join(work, "a.etz"), "--", "/etc/passwd", code=126)


def passes_input_and_output_on():
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        done = lab.record(capture, "--", "/bin/cat", input=b"through\n")
        lab.equal(done.stdout, b"through\n", "standard output of the command")


def runs_as_another_user():
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        nobody = pwd.getpwnam("nobody")
        done = lab.record(capture, "--user", "nobody", "--", "/bin/sh", "-c", "id -u; id -g; id -G; exit 0")
        words = done.stdout.split()
        lab.equal(words[:2], [b"%d" % nobody.pw_uid, b"%d" % nobody.pw_gid], "ids of the command")
        lab.demand(b"0" not in words, f"the command has root's group: {words}")
        for event in lab.replay(capture, "--kind", "exec"):
            lab.equal((event["uid"], event["euid"], event["user"]),
                      (nobody.pw_uid, nobody.pw_uid, "nobody"), "user recorded")
        # The capture is still the caller's.
        lab.equal(os.stat(capture).st_uid, 0, "owner")


def file_is_private_and_the_callers():
    sudo = lab.need_tool("sudo")
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        nobody = pwd.getpwnam("nobody")
        # As sudo would for that user.
        env = os.environ | {"SUDO_UID": str(nobody.pw_uid), "SUDO_GID": str(nobody.pw_gid),
                            "SUDO_USER": "nobody"}
        lab.record(capture, "--", "/bin/true", env=env)
        found = os.stat(capture)
        lab.equal((found.st_uid, found.st_gid), (nobody.pw_uid, nobody.pw_gid), "owner under sudo")
        lab.equal(stat.S_IMODE(found.st_mode), 0o600, "mode")
        lab.run([sudo, "-n", "-u", "nobody", lab.EXECTRACE, "info", capture],
                code=None if lab.SOURCE.startswith("/root") else 0)

        plain = os.path.join(work, "plain.etz")
        lab.record(plain, "--", "/bin/true")
        lab.equal(stat.S_IMODE(os.stat(plain).st_mode), 0o600, "mode")


def never_overwrites():
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        with open(capture, "wb") as file:
            file.write(b"precious")
        done = lab.record(capture, "--", "/bin/touch", os.path.join(work, "ran"), code=1)
        lab.equal(len(done.stderr.splitlines()), 1, f"lines of the error {done.stderr!r}")
        with open(capture, "rb") as file:
            lab.equal(file.read(), b"precious", "the file")
        lab.demand(not os.path.exists(os.path.join(work, "ran")), "the command ran")
        lab.record(capture, "--force", "--", "/bin/true")
        lab.equal(lab.info(capture)["complete"], True, "complete")

        link, elsewhere = os.path.join(work, "link.etz"), os.path.join(work, "elsewhere")
        os.symlink(elsewhere, link)
        lab.record(link, "--", "/bin/true", code=1)
        lab.demand(not os.path.exists(elsewhere), "wrote through a symbolic link")


def writes_to_a_pipe():
    with lab.workdir() as work:
        with lab.started([lab.EXECTRACE, "record", "-o", "-", "--", "/bin/sh", "-c", "/bin/true piped; echo aside; exit 0"]) as recorder:
            done = lab.exectrace("replay", "--json", "-", stdin=recorder.stdout)
            recorder.stdout.close()
            stderr = recorder.stderr.read()
            lab.equal(recorder.wait(timeout=lab.TIMEOUT), 0, "exit code of the recorder")
        lab.equal(commands(lab.lines(done.stdout)).count("/bin/true piped"), 1, "execs")
        lab.demand(b"aside" in stderr, "the command's output is not on standard error")
        # A pipe carries the same bytes as a file.
        path = os.path.join(work, "piped.etz")
        with open(path, "wb") as file:
            lab.run([lab.EXECTRACE, "record", "-o", "-", "--", "/bin/true"], stdout=file)
        lab.equal(lab.info(path)["complete"], True, "complete")


def reader_that_goes_away():
    with lab.started([lab.EXECTRACE, "record", "-o", "-", "--duration", "60"]) as recorder:
        recorder.stdout.read(16)
        recorder.stdout.close()
        stderr = recorder.stderr.read()
        lab.demand(recorder.wait(timeout=lab.TIMEOUT) in (0, 1, -signal.SIGPIPE), "exit code")
        lab.demand(b"anitizer" not in stderr, stderr.decode())


def ends_after_a_duration():
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        start = time.monotonic()
        lab.record(capture, "--duration", "500ms")
        lab.demand(time.monotonic() - start >= 0.5, "ended early")
        lab.equal(lab.info(capture)["complete"], True, "complete")


def signals_end_it_cleanly():
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with lab.workdir() as work:
            capture = os.path.join(work, "c.etz")
            with lab.recording(capture) as recorder:
                lab.run(["/bin/true", "the-last-one"])
                code, _, err = lab.stop(recorder, sig)
            lab.equal(code, 0, f"exit code after {sig.name}, {err!r}")
            lab.equal(lab.info(capture)["complete"], True, f"complete after {sig.name}")
            lab.demand("/bin/true the-last-one" in commands(lab.replay(capture)),
                       f"what was in the ring at {sig.name} is gone")


def interrupt_goes_to_the_command():
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        ready = os.path.join(work, "ready")
        script = f"trap '/bin/true on-the-way-out; exit 9' INT; : > {ready}; while :; do sleep 0.05; done"
        with lab.started([lab.EXECTRACE, "record", "-o", capture, "--", "/bin/sh", "-c", script]) as recorder:
            lab.wait_until(lambda: os.path.exists(ready), "the command to start")
            code, _, _ = lab.stop(recorder)
        lab.equal(code, 9, "exit code")
        lab.demand("/bin/true on-the-way-out" in commands(lab.replay(capture)), "the end is missing")
        lab.equal(lab.info(capture)["complete"], True, "complete")


def recorder_pid(process):
    """The pid of exectrace-record: exectrace becomes it, or runs it."""
    for pid in [process.pid, *lab.children(process.pid)]:
        if os.path.basename(os.readlink(f"/proc/{pid}/exe")) == "exectrace-record":
            return pid
    raise lab.Failure("no exectrace-record is running")


def killed_file_is_readable():
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        with lab.recording(capture, "--flush-interval", "100ms") as recorder:
            lab.run(["/bin/true", "before-the-kill"])
            lab.wait_until(lambda: "/bin/true before-the-kill" in commands(replay_any(capture)),
                           "the chunk with the exec")
            os.kill(recorder_pid(recorder), signal.SIGKILL)
            recorder.communicate(timeout=lab.TIMEOUT)
        done = lab.exectrace("replay", "--json", capture)
        lab.demand("/bin/true before-the-kill" in commands(lab.lines(done.stdout)), "lost what was written")
        lab.demand(b"unclean" in done.stderr or b"not end" in done.stderr or b"still being written" in done.stderr,
                   f"does not say that the end is missing: {done.stderr!r}")
        lab.equal(lab.info(capture)["complete"], False, "complete")


def replay_any(capture):
    return lab.lines(lab.exectrace("replay", "--json", capture, code=None).stdout)


def full_disk():
    with lab.workdir() as work:
        place = os.path.join(work, "small")
        os.mkdir(place)
        lab.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place])
        try:
            capture = os.path.join(place, "c.etz")
            done = lab.record(capture, "--flush-interval", "100ms", "--", lab.helper("storm"),
                              "2", "100000", "0", "0", code=None)
            lab.demand(done.returncode != 0, "a full disk is no success")
            lab.demand(b"No space left" in done.stderr, f"does not say why: {done.stderr!r}")
            lab.demand(b"anitizer" not in done.stderr, done.stderr.decode())
            lab.equal(lab.info(capture, code=None)["complete"], False, "complete")
        finally:
            lab.run(["umount", place])


def command_inherits_three_descriptors():
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        # ls has the directory itself open as well.
        done = lab.record(capture, "--", "/bin/ls", "/proc/self/fd")
        lab.equal(done.stdout.split(), [b"0", b"1", b"2", b"3"], "descriptors of the command")
        masks = lab.record(capture, "--force", "--", "/bin/grep", "^Sig[BI]", "/proc/self/status").stdout
        own = lab.run(["/bin/grep", "^Sig[BI]", "/proc/self/status"]).stdout
        lab.equal(masks, own, "signals blocked and ignored")


# Failing execs: arguments that differ, of 4 bytes, up to some 2 MB; or few, as of a compiler.
ARGUMENTS = """
import os, random, sys
dice = random.Random(1)
large = [["%x" % dice.getrandbits(28) for _ in range(230000)] for _ in range(2)]
for i in range(int(sys.argv[1])):
    try:
        os.execve("/nonexistent/program", large[i % 2] if sys.argv[2] == "large" else ["cc", "-c", f"{i}.c"], {})
    except OSError:
        pass
"""


def memory_is_bounded():
    """Whatever events there are and however many threads wait for work: nobody reads, so all that can wait does."""
    for kind, number in ("large", 60), ("small", 500000):
        with lab.started([lab.RECORDER, "-q", "-o", "-", "--threads", "16", "--max-args", "2M", "--ring-size", "256M",
                          "--comm", "python3"]) as recorder:
            lab.wait_until(lambda process=recorder: len(os.listdir(f"/proc/{process.pid}/task")) >= 18, "the threads")
            begun = anonymous(recorder.pid)
            time.sleep(0.5)
            lab.run([sys.executable, "-c", ARGUMENTS, str(number), kind])
            # Until nothing more can be taken.
            lab.wait_until(lambda pid=recorder.pid: steady(pid), "the recorder to be full")
            found = anonymous(recorder.pid) >> 20
            recorder.kill()
        lab.demand(begun >> 20 < found < 64 or lab.SANITIZED, f"{found} MiB beside the ring of {kind} events")
        print(f"   {found} MiB beside the ring of {kind} events")


def steady(pid):
    before = anonymous(pid)
    time.sleep(0.5)
    return before == anonymous(pid)


def anonymous(pid):
    """Memory, bytes, without the ring."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return 1024 * int(re.search(r"RssAnon:\s+(\d+)", file.read())[1])


def descriptors_and_threads_do_not_grow():
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        with lab.recording(capture, "--flush-interval", "50ms") as recorder:
            pid = recorder_pid(recorder)

            def used():
                fds = sorted(os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd"))
                return len(os.listdir(f"/proc/{pid}/task")), fds
            before = used()
            for _ in range(20):
                lab.run([lab.helper("storm"), "2", "500", "50", "5"])
            time.sleep(0.2)
            lab.equal(used(), before, "threads and descriptors")
            lab.stop(recorder)


def programs_do_not_stay():
    bpftool = lab.need_tool("bpftool")

    def shown(kind):
        return {entry["id"] for entry in json.loads(lab.run([bpftool, "--json", kind, "show"]).stdout)}

    before = shown("prog"), shown("map")
    with lab.workdir() as work:
        with lab.recording(os.path.join(work, "c.etz")) as recorder:
            mine = shown("prog") - before[0], shown("map") - before[1]
            lab.demand(all(mine), f"shows no programs or maps while recording: {mine}")
            lab.stop(recorder)
    # The kernel frees them a moment later.
    lab.wait_until(lambda: not mine[0] & shown("prog") and not mine[1] & shown("map"),
                   "the programs and maps to go")


def two_recorders_at_once():
    with lab.workdir() as work:
        first, second = os.path.join(work, "1.etz"), os.path.join(work, "2.etz")
        with lab.recording(first) as one, lab.recording(second) as two:
            lab.run(["/bin/true", "seen-by-both"])
            lab.stop(one)
            lab.stop(two)
        for capture in (first, second):
            lab.equal(commands(lab.replay(capture)).count("/bin/true seen-by-both"), 1, "execs")


def tells_a_user_without_rights():
    sudo = lab.need_tool("sudo")
    with lab.workdir() as work:
        os.chmod(work, 0o777)
        # nobody must be able to reach the programs.
        for name in ("exectrace", "exectrace-record"):
            subprocess.run(["cp", os.path.join(lab.BIN, name), work], check=True)
        done = lab.run([sudo, "-n", "-u", "nobody", os.path.join(work, "exectrace"), "record",
                        "-o", os.path.join(work, "c.etz")], code=1)
        lab.demand(b"root" in done.stderr or b"CAP_BPF" in done.stderr or b"cap_bpf" in done.stderr,
                   f"does not say what is missing: {done.stderr!r}")
        lab.equal(len(done.stderr.splitlines()), 1, f"lines of the error {done.stderr!r}")
        lab.demand(not os.path.exists(os.path.join(work, "c.etz")), "leaves a file behind")


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(follows_the_command_alone, all_has_both, passes_the_exit_code_on,
             passes_input_and_output_on, runs_as_another_user, file_is_private_and_the_callers,
             never_overwrites, writes_to_a_pipe, reader_that_goes_away, ends_after_a_duration,
             signals_end_it_cleanly, interrupt_goes_to_the_command, killed_file_is_readable,
             full_disk, command_inherits_three_descriptors, descriptors_and_threads_do_not_grow, memory_is_bounded,
             programs_do_not_stay, two_recorders_at_once, tells_a_user_without_rights)

#!/usr/bin/env python3
"""The sandbox of the offline commands: what it forbids, each layer alone, and that they are inside."""
import os
import platform
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402

PROBE = lab.helper("sandbox_probe")
WORKED, REFUSED, LACKING = 0, 10, 30	# exit codes of the probe
KILLED = -signal.SIGSYS

# What has to be refused, and from which version of Landlock on it refuses too; None: it never does.
FORBIDDEN = {
    "open": 1, "openat": 1, "openat2": 1, "creat": 1, "truncate": 3, "unlink": 1, "rename": 1, "link": 1,
    "symlink": 1, "mkdir": 1, "list": 1, "stat": None, "chmod": None, "chdir": None,
    "execve": 1, "fork": None, "kill": 6, "tgkill": 6, "kill_parent": None, "ptrace": 1, "peek": 1,
    "priority": None, "socket": None, "socketpair": None, "connect_tcp": 4, "bind_tcp": 4,
    "connect_unix": None, "connect_abstract": 6,
    "mmap_exec": None, "mprotect_exec": None, "memfd": None, "pipe": None, "ioctl": None, "fcntl": None,
    "prctl": None,
}
# What --follow may do besides.
FOLLOWING = ("stat",)
ALLOWED = ("end_child", "thread", "memory", "descriptors")

# Of x86-64, with arguments that no rule about arguments lets through.
FREE = {
    "read": 0, "write": 1, "close": 3, "poll": 7, "lseek": 8, "munmap": 11, "brk": 12, "rt_sigaction": 13,
    "rt_sigprocmask": 14, "rt_sigreturn": 15, "pread64": 17, "readv": 19, "writev": 20, "mremap": 25,
    "madvise": 28, "getpid": 39, "exit": 60, "fsync": 74, "fdatasync": 75, "ftruncate": 77, "sysinfo": 99,
    "gettid": 186, "futex": 202, "sched_getaffinity": 204, "restart_syscall": 219, "clock_gettime": 228,
    "exit_group": 231, "ppoll": 271, "set_robust_list": 273, "getrandom": 318, "rseq": 334,
    "clone3, which says ENOSYS": 435,
}
# Traps of the kernel's own, which no filter sees: it kills a process that calls them itself.
UPROBES = {335, 336}


def landlock_version():
    """0 where there is none."""
    asked = lab.run([PROBE, "version"]).stdout
    return int(asked)


def probe(layers, action, *args, mode="require"):
    """One action on a fresh file, with what it connects to; returns the exit code."""
    with lab.workdir() as work, socket.socket() as tcp, socket.socket(socket.AF_UNIX) as local, \
            socket.socket(socket.AF_UNIX) as abstract:
        path = os.path.join(work, "file")
        with open(path, "w", encoding="ascii") as file:
            file.write("something")
        tcp.bind(("127.0.0.1", 0))
        local.bind(os.path.join(work, "socket"))
        abstract.bind(f"\0{work}")
        for each in (tcp, local, abstract):
            each.listen()
        about = {"connect_tcp": str(tcp.getsockname()[1]), "connect_unix": os.path.join(work, "socket"),
                 "connect_abstract": f"@{work}"}.get(action, path)
        action = {"connect_abstract": "connect_unix"}.get(action, action)
        done = lab.run([PROBE, layers, action, about], code=None, env={**os.environ, "EXECTRACE_SANDBOX": mode})
        if done.returncode == LACKING:
            lab.skip(f"the kernel has no sandbox: {lab.tail(done.stdout).strip()}")
        lab.demand(done.returncode in (WORKED, REFUSED) or done.returncode < 0,
                   f"{layers}, {action}: exit code {done.returncode}, {lab.tail(done.stderr)}")
        return done.returncode


def each_works_outside():
    """The control: it is the sandbox that stops it."""
    for action in (*FORBIDDEN, *ALLOWED):
        lab.equal(probe("off", action), WORKED, f"{action} outside")
        lab.equal(probe("both", action, mode="off"), WORKED, f"{action} with EXECTRACE_SANDBOX=off")


def seccomp_kills():
    for action in FORBIDDEN:
        lab.equal(probe("seccomp", action), KILLED, f"{action} with seccomp alone")


def landlock_refuses():
    version = landlock_version()
    for action, since in FORBIDDEN.items():
        expected = REFUSED if since and version >= since else WORKED
        lab.equal(probe("landlock", action), expected, f"{action} with Landlock {version} alone")


def both_together():
    """As the commands enter it."""
    for action in FORBIDDEN:
        lab.equal(probe("both", action), KILLED, f"{action} inside")
    for layers in ("landlock", "seccomp", "both"):
        for action in ALLOWED:
            lab.equal(probe(layers, action), WORKED, f"{action} with {layers}")
        lab.equal(probe(layers, "abort"), -signal.SIGABRT, f"abort with {layers}")


def following_opens_in_its_folder():
    """What --follow may do more: open files to read them, in one folder, and look at files."""
    for action in ("follow", "follow_elsewhere"):
        lab.equal(probe("off", action), WORKED, f"{action} outside")
        lab.equal(probe("both", action), KILLED, f"{action} inside")
    lab.equal(probe("folder", "follow"), WORKED, "opening a file of the folder")
    lab.equal(probe("folder", "follow_elsewhere"), REFUSED, "opening a file elsewhere")
    for action in FORBIDDEN:
        if action not in FOLLOWING:
            lab.equal(probe("folder", action), KILLED, f"{action} while following")


def nothing_else_is_allowed():
    """All numbers, also those of calls that no kernel has yet."""
    if platform.machine() != "x86_64":
        print("   the numbers are those of x86-64; not checked")
        return
    found = {int(nr) for nr in lab.run([PROBE, "sweep"]).stdout.split()}
    lab.equal(found - UPROBES, set(FREE.values()), "system calls that are allowed")
    for action in ("i386", "x32"):
        if probe("off", action) == WORKED:	# not every kernel takes i386's
            lab.equal(probe("seccomp", action), KILLED, f"a call of {action}")


def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def waits(pid):
    """Asleep, with the standard input opened a second time: where a command waits for its first byte."""
    return os.path.exists(f"/proc/{pid}/fd/3") and status(pid)["State"].startswith("S")


def commands_are_inside():
    """Before any byte of the capture came."""
    with lab.workdir() as work:
        capture = lab.made(work, 100)
        data = lab.contents(capture)
        for command in ("replay", "tree", "summary", "info"):
            expected = lab.exectrace(command, "-", stdin=open(capture, "rb")).stdout
            for mode, inside in (("require", "2"), (None, "2"), ("off", "0")):
                env = {key: value for key, value in os.environ.items() if key != "EXECTRACE_SANDBOX"}
                if mode:
                    env["EXECTRACE_SANDBOX"] = mode
                with lab.started([lab.EXECTRACE, command, "-"], stdin=subprocess.PIPE, env=env) as process:
                    lab.wait_until(lambda: waits(process.pid), f"{command} to wait for a capture")
                    if inside == "2":
                        lab.wait_until(lambda: status(process.pid)["Seccomp"] == "2", f"{command} to enter the sandbox")
                    found = status(process.pid)
                    lab.equal((found["Seccomp"], found["NoNewPrivs"]), (inside, "1" if inside == "2" else "0"),
                              f"Seccomp and NoNewPrivs of {command}, EXECTRACE_SANDBOX={mode}")
                    out, err = process.communicate(data, timeout=lab.TIMEOUT)
                    lab.equal((process.returncode, out), (0, expected), f"exit code and output of {command}: {err!r}")


def without_a_layer():
    """A command goes on with what there is, and says nothing; unless both are demanded."""
    with lab.workdir() as work:
        capture = lab.made(work, 10)
        expected = lab.exectrace("info", capture)
        for layer, name in (("landlock", b"Landlock"), ("seccomp", b"seccomp")):
            command = [PROBE, "without", layer, lab.EXECTRACE, "info", capture]
            for mode in ("", "off"):
                done = lab.run(command, env={**os.environ, "EXECTRACE_SANDBOX": mode})
                lab.equal((done.stdout, done.stderr), (expected.stdout, b""), f"info without {layer}, {mode!r}")
            done = lab.run(command, env={**os.environ, "EXECTRACE_SANDBOX": "require"}, code=1)
            lab.demand(name in done.stderr and not done.stdout, f"require without {layer} says {done.stderr!r}")


def the_switch():
    with lab.workdir() as work:
        capture = lab.made(work, 10)
        for mode, code in (("", 0), ("off", 0), ("require", 1 if lab.SANITIZED else 0), ("on", 2), ("no", 2)):
            done = lab.exectrace("info", capture, env={**os.environ, "EXECTRACE_SANDBOX": mode}, code=code)
            lab.equal(len(done.stderr.splitlines()), 1 if code else 0, f"lines on stderr of {mode!r}: {done.stderr!r}")
            lab.demand(not code or b"EXECTRACE_SANDBOX" in done.stderr, f"{mode!r}: {done.stderr!r}")


if __name__ == "__main__":
    if lab.SANITIZED:
        print("   a build with sanitizers has no sandbox: only that it says so")
        lab.main(the_switch)
    lab.main(the_switch, each_works_outside, seccomp_kills, landlock_refuses, both_together,
             following_opens_in_its_folder, nothing_else_is_allowed,
             commands_are_inside, without_a_layer)

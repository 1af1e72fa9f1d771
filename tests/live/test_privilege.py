#!/usr/bin/env python3
"""What the recorder holds while it records, what its command gets, and what it does without root."""
import contextlib
import os
import pty
import re
import resource
import signal
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402

NOBODY = 65534
GROUP = 4242	# of those who may record
KILL = 1 << 5
DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, SYS_PTRACE, PERFMON, BPF = (1 << n for n in (1, 2, 3, 19, 38, 39))
SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")

# What a process inherits, as it is shown; a shell would clear the mask of signals.
INHERITED = (["/bin/grep", "-hE", "^(Umask|Uid|Gid|Groups|Sig[BIC]|Cap|NoNewPrivs|Seccomp:|Max |-?[0-9]+$)",
              "/proc/self/status", "/proc/self/limits", "/proc/self/oom_score_adj"],
             ["/bin/sh", "-c", "nice; ls /proc/self/fd"])


def status(path):
    with open(os.path.join(path, "status"), encoding="ascii", errors="replace") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def threads(pid):
    return {int(tid): status(f"/proc/{pid}/task/{tid}") for tid in os.listdir(f"/proc/{pid}/task")}


def below(pid, name):
    """The process called so among pid and its descendants."""
    todo = [pid]
    while todo:
        pid = todo.pop()
        with contextlib.suppress(OSError):
            if status(f"/proc/{pid}")["Name"] == name:
                return pid
            todo += lab.children(pid)
    raise lab.Failure(f"no {name} is running")


def holdings(fields):
    return {name: int(fields[name], 16) for name in SETS}


def confined(pid, kept=0):
    """Each thread holds nothing, but the first, the drain, what is said to be kept."""
    for tid, fields in threads(pid).items():
        mine = kept if tid == pid else 0
        lab.equal(holdings(fields), {"CapInh": 0, "CapPrm": mine, "CapEff": mine, "CapBnd": 0, "CapAmb": 0},
                  f"capabilities of thread {tid} of {pid}")
        lab.equal(fields["NoNewPrivs"], "1", "NoNewPrivs")
        if not lab.SANITIZED:
            lab.equal(fields["Seccomp"], "2", "Seccomp")
    return len(threads(pid))


def argvs(capture, *args):
    return [event.get("argv") for event in lab.replay("--kind", "exec", *args, capture)]


def recorder_keeps_nothing():
    for options, expected in ((("--threads", "1"), 3), (("--threads", "1", "--sync", "100ms"), 4),
                              (("--threads", "1", "--sync", "chunk"), 3), (("--threads", "4"), 6)):
        with lab.workdir() as work:
            capture = os.path.join(work, "c.etz")
            with lab.recording(capture, "--flush-interval", "50ms", *options) as process:
                recorder = below(process.pid, "exectrace-recor")
                lab.equal(confined(recorder), expected, f"threads with {options}")
                lab.run(["/bin/true", "after-the-drop"])
                code, _, err = lab.stop(process)
            lab.equal(code, 0, f"exit code; {err!r}")
            lab.equal(argvs(capture).count(["/bin/true", "after-the-drop"]), 1, "execs after the drop")
            lab.demand(lab.info(capture)["complete"], "the capture is not complete")


def recorder_keeps_the_right_to_signal_its_command():
    """Who the command is need not be who the recorder is."""
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        argv = [lab.EXECTRACE, "record", "-o", capture, "--user", str(NOBODY), "--", "/bin/sleep", "60"]
        with lab.started(argv) as process:
            lab.wait_until(lambda: os.path.exists(capture) and [
                pid for pid in lab.children(process.pid) if status(f"/proc/{pid}")["Name"] == "sleep"], "the command")
            confined(below(process.pid, "exectrace-recor"), KILL)
            process.terminate()
            process.communicate(timeout=lab.TIMEOUT)
            lab.equal(process.returncode, 128 + signal.SIGTERM, "exit code")
        lab.demand(lab.info(capture)["complete"], "the capture is not complete")


def servants_keep_what_they_need():
    """Nor is held up by them who waits for the caller's files to be closed."""
    with lab.workdir() as work:
        capture, control = os.path.join(work, "c.etz"), os.path.join(work, "control")
        with lab.recording(capture, f"--control={control}") as process:
            servants = []
            for name, kept, seccomp, files in (("exectrace-names", 0, None, mounts("cgroup2")),
                                               ("exectrace-files", DAC_READ_SEARCH | SYS_PTRACE, "2", None),
                                               ("exectrace-sock", DAC_OVERRIDE | FOWNER, "2", {work, control})):
                servant = below(process.pid, name)
                servants.append(servant)
                fields = status(f"/proc/{servant}")
                lab.equal(holdings(fields), {"CapInh": 0, "CapPrm": kept, "CapEff": kept, "CapBnd": 0, "CapAmb": 0},
                          f"capabilities of {name}")
                lab.equal(fields["NoNewPrivs"], "1", "NoNewPrivs")
                if seccomp and not lab.SANITIZED:
                    lab.equal(fields["Seccomp"], seccomp, f"Seccomp of {name}")
                held = {os.readlink(f"/proc/{servant}/fd/{fd}").split(":")[0] for fd in os.listdir(f"/proc/{servant}/fd")}
                lab.demand(held <= {"/dev/null", "socket"} | (files or {f"/proc/{servant}"}), f"{name} holds {held}")
            os.kill(below(process.pid, "exectrace-recor"), signal.SIGKILL)
            process.communicate(timeout=lab.TIMEOUT)
            lab.wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in servants),
                           "the servants to end with the recorder")


def mounts(kind):
    with open("/proc/self/mounts", encoding="utf-8") as file:
        return {line.split()[1] for line in file if line.split()[2] == kind}


def recording_goes_on_without_servants():
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        with lab.recording(capture, "--flush-interval", "50ms") as process:
            lab.run(["/bin/true", "named"], user=1)
            lab.wait_until(lambda: argvs_now(capture).count(["/bin/true", "named"]), "the first exec")
            for name in ("exectrace-names", "exectrace-files"):
                os.kill(below(process.pid, name), signal.SIGKILL)
            lab.run(["/bin/true", "unnamed"], user=2)
            code, _, err = lab.stop(process)
        lab.equal(code, 0, f"exit code; {err!r}")
        users = {event["argv"][1]: (event["uid"], event.get("user")) for event in lab.replay("--kind", "exec", capture)
                 if event.get("argv", [""])[0] == "/bin/true" and event["argv"][1:] in (["named"], ["unnamed"])}
        lab.equal(users, {"named": (1, "daemon"), "unnamed": (2, None)}, "users")
        lab.demand(lab.info(capture)["complete"], "the capture is not complete")


def argvs_now(capture):
    return [event.get("argv") for event in
            lab.lines(lab.exectrace("replay", "--json", "--kind", "exec", capture, code=None).stdout)]


# ---- The command ---------------------------------------------------------------------


def strange_caller():
    """What a caller may have set, and what a recorder might be tempted to change."""
    os.umask(0o027)
    os.nice(3)
    # The soft ones: a caller without CAP_SYS_RESOURCE, and so the recorder, could raise these.
    for limit, value in ((resource.RLIMIT_NOFILE, 512), (resource.RLIMIT_MEMLOCK, 65536), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (value, resource.getrlimit(limit)[1]))
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2, signal.SIGTERM})
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("200")


def closed_input():
    strange_caller()
    os.close(0)


def with_capabilities():
    """Some that the caller hands on to all that it starts."""
    setpriv = lab.need_tool("setpriv")
    return [setpriv, "--reuid", str(NOBODY), "--clear-groups", "--inh-caps", "+net_raw,+cap_38,+cap_39",
            "--ambient-caps", "+net_raw,+cap_38,+cap_39"]


def command_inherits_what_the_caller_has():
    with lab.workdir() as work, open("/dev/null", "rb") as inherited:
        os.chmod(work, 0o777)
        capture = os.path.join(work, "c.etz")
        record = [copy(work, "exectrace"), "record", "--quiet", "--force", "-o", capture, "--"]
        recorder = [copy(work, "exectrace-record"), *record[2:]]
        for prefix, run, prepare in (([], record, strange_caller), ([], recorder, closed_input),
                                     (with_capabilities(), record, strange_caller)):
            kwargs = {"pass_fds": (inherited.fileno(),), "preexec_fn": prepare}
            alone = [lab.run([*prefix, *command], **kwargs).stdout for command in INHERITED]
            found = [lab.run([*prefix, *run, *command], **kwargs).stdout for command in INHERITED]
            lab.equal(found, alone, f"the command's world, {prefix}")
            for sign in (b"SigBlk:\t0000000000004800", b"\n200\n", b"Max open files            512", b"Umask:\t0027"):
                lab.demand(sign in alone[0], f"no {sign!r} in {alone[0]!r}")
            lab.demand(str(inherited.fileno()).encode() in alone[1].split(), f"descriptors {alone[1]!r}")
        lab.demand(b"CapAmb:\t000000c000002000" in alone[0], f"there was no ambient capability: {alone[0]!r}")


def copy(work, name):
    """One that everybody can reach."""
    subprocess.run(["cp", os.path.join(lab.BIN, name), work], check=True)
    return os.path.join(work, name)


# ---- Without root --------------------------------------------------------------------


def grant(path, capabilities):
    """File capabilities, permitted and effective (struct vfs_cap_data, revision 2)."""
    low, high = capabilities & 0xffffffff, capabilities >> 32
    os.setxattr(path, "security.capability", struct.pack("<5I", 0x02000001, low, 0, high, 0))


@contextlib.contextmanager
def group_installation(capabilities):
    """The recorder as the manual has it: for the members of a group."""
    with lab.workdir() as work:
        os.chmod(work, 0o777)
        copy(work, "exectrace")
        recorder = copy(work, "exectrace-record")
        os.chown(recorder, 0, GROUP)
        os.chmod(recorder, 0o750)
        grant(recorder, capabilities)
        lab.demand(not os.statvfs(work).f_flag & os.ST_NOSUID, f"{work} is mounted nosuid: set TMPDIR")
        yield work


MEMBER = {"user": NOBODY, "group": NOBODY, "extra_groups": [GROUP]}
STRANGER = {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def group_records_with_two_capabilities():
    with group_installation(BPF | PERFMON) as work:
        exectrace, capture = os.path.join(work, "exectrace"), os.path.join(work, "c.etz")
        own_id = os.path.join(work, "id")
        subprocess.run(["cp", "/usr/bin/id", own_id], check=True)
        os.chmod(own_id, 0o4755)
        with lab.started(["/bin/sleep", "60"], cwd="/", **STRANGER) as mine, lab.started(["/bin/sleep", "60"]) as roots:
            argv = [exectrace, "record", "-o", capture, "--all", "--", "/bin/sh", "-c",
                    f"/nonexistent/program; grep ^Cap /proc/self/status; grep ^NoNew /proc/self/status; {own_id} -u"]
            out = lab.run(argv, **MEMBER).stdout.decode().split()
            known = {event["pid"]: event for event in lab.replay("--kind", "proc", capture)}
            lab.equal(known[mine.pid].get("cwd"), "/", "cwd of a process of one's own")
            lab.demand(known[mine.pid].get("exe", "").endswith("/sleep"), f"exe: {known[mine.pid]}")
            lab.equal([known[roots.pid].get(name) for name in ("exe", "cwd")], [None, None], "what is not readable")
            lab.equal(known[roots.pid]["argv"], ["/bin/sleep", "60"], "what is")
            mine.kill()
            roots.kill()
        fields = dict(zip(out[:-1:2], out[1:-1:2]))
        lab.equal([int(fields[name + ":"], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")], [0, 0, 0, 0],
                  "capabilities of the command")
        lab.equal(fields["NoNewPrivs:"], "0", "NoNewPrivs of the command")
        lab.equal(out[-1], "0", "effective uid of a setuid program inside")
        lab.demand("/nonexistent/program" in [event["filename"] for event in lab.replay("--kind", "fail", capture)],
                   "the failed exec is missing")
        lab.demand(lab.info(capture)["complete"], "the capture is not complete")
        lab.equal(os.stat(capture).st_uid, NOBODY, "owner of the capture")
        done = lab.run([exectrace, "record", "-o", capture + "2"], code=1, **STRANGER)
        lab.demand(b"Permission denied" in done.stderr, f"said {done.stderr!r}")


def group_member_keeps_nothing_either():
    with group_installation(BPF | PERFMON | SYS_PTRACE) as work:
        capture = os.path.join(work, "c.etz")
        argv = [os.path.join(work, "exectrace"), "record", "-o", capture, "--flush-interval", "50ms"]
        with lab.started(argv, **MEMBER) as process:
            lab.until_attached(process, capture)
            recorder = below(process.pid, "exectrace-recor")
            for fields in threads(recorder).values():
                found = holdings(fields)
                # The bounding set takes CAP_SETPCAP to be emptied; without new privileges it is of no use.
                found.pop("CapBnd")
                lab.equal(found, dict.fromkeys(found, 0), "capabilities")
                lab.equal(fields["NoNewPrivs"], "1", "NoNewPrivs")
            with cgroup_of_its_own() as (path, join):
                lab.run(["/bin/sh", "-c", f"echo $$ > {join}; exec /bin/true in-the-cgroup"])
                lab.wait_until(lambda: ["/bin/true", "in-the-cgroup"] in argvs_now(capture), "the exec")
                process.send_signal(signal.SIGINT)
                _, err = process.communicate(timeout=lab.TIMEOUT)
            lab.equal(process.returncode, 0, f"exit code; {err!r}")
        found = [event["cgroup"] for event in lab.replay("--kind", "exec", capture)
                 if event["argv"] == ["/bin/true", "in-the-cgroup"]]
        lab.equal(found, [path], "name of a cgroup that is younger than the recording")


@contextlib.contextmanager
def cgroup_of_its_own():
    mount = min(mounts("cgroup2"), default=None)
    lab.demand(mount, "no cgroup2 is mounted")
    path = f"/exectrace-test-{os.getpid()}/inner"
    os.makedirs(mount + path)
    try:
        yield path, f"{mount}{path}/cgroup.procs"
    finally:
        os.rmdir(mount + path)
        os.rmdir(os.path.dirname(mount + path))


# ---- The filter ----------------------------------------------------------------------


def refused(trace):
    """System calls that came back with ENOSYS behind the filter, which answers so."""
    with open(trace, encoding="utf-8", errors="replace") as file:
        text = file.read()
    before, found, after = text.partition("SECCOMP_FILTER_FLAG_TSYNC")
    lab.demand(found, f"no filter was put on: {before[-500:]!r}")
    return re.findall(r"^\d+ +(?:<\.\.\. )?(\w+).*ENOSYS.*$", after, re.M)


def filter_allows_what_recordings_do():
    """Each kind of recording under strace: nothing that it tries is refused."""
    strace = lab.need_tool("strace")
    with lab.workdir() as work:
        place, trace = os.path.join(work, "small"), os.path.join(work, "trace")
        capture = os.path.join(work, "c.etz")
        os.mkdir(place)
        lab.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place])
        record = [strace, "-f", "-o", trace, lab.EXECTRACE, "record", "--force", "--flush-interval", "50ms"]
        storm = ["--", lab.helper("storm"), "2", "2000", "0", "0"]
        users = ["--", "/bin/sh", "-c", "for i in 1 2 3 4 5; do setpriv --reuid $i /bin/true; sleep 0.1; done"]
        try:
            for what, argv, code in (
                    ("a command", ["-o", capture, *users], 0),
                    ("many events", ["-o", capture, *storm], 0),
                    ("level 19", ["-o", capture, "--level", "19", *storm], 0),
                    ("four threads", ["-o", capture, "--level", "19", "--threads", "4", "--flush-interval", "1ms",
                                      *storm], 0),
                    ("--sync TIME", ["-o", capture, "--sync", "20ms", *users], 0),
                    ("--sync chunk", ["-o", capture, "--sync", "chunk", *users], 0),
                    ("a full disk", ["-o", os.path.join(place, "c.etz"), "--", lab.helper("storm"),
                                     "2", "20000", "0", "0"], None),
                    ("--duration", ["-o", capture, "--duration", "300ms"], 0),
                    ("--duration with a command", ["-o", capture, "--duration", "100ms", "--", "/bin/sleep", "0.5"], 0),
                    ("a pipe", ["-o", "-", *users], 0),
                    ("--btf", ["-o", capture, "--btf", "/sys/kernel/btf/vmlinux", *users], 0),
                    ("a command that is not there", ["-o", capture, "--", "/nonexistent"], 127),
                    ("--verbose", ["-v", "-o", capture, *users], 0)):
                lab.run([*record, *argv], code=code)
                lab.equal(refused(trace), [], f"system calls refused with {what}")
            for what, argv, sign in (("SIGINT", [], signal.SIGINT), ("SIGTERM and --sync", ["--sync", "20ms"], signal.SIGTERM)):
                if os.path.exists(capture):
                    os.unlink(capture)
                with lab.started([*record, "-o", capture, *argv]) as process:
                    lab.until_attached(process, capture)
                    os.kill(below(process.pid, "exectrace-recor"), sign)
                    _, err = process.communicate(timeout=lab.TIMEOUT)
                    lab.equal(process.returncode, 0, f"exit code; {err!r}")
                lab.equal(refused(trace), [], f"system calls refused with {what}")
            said = on_a_terminal([*record, "-o", capture, "--duration", "1s"])
            lab.demand(b"Ctrl-C ends" in said, f"no progress was shown: {said!r}")
            lab.equal(refused(trace), [], "system calls refused on a terminal")
        finally:
            lab.run(["umount", place])


def on_a_terminal(argv):
    """All that a program writes to a terminal of its own."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(argv[0], argv)
    said = b""
    with contextlib.suppress(OSError):	# EIO: nobody has the other end any more
        while data := os.read(terminal, 4096):
            said += data
    os.close(terminal)
    os.waitpid(pid, 0)
    return said


def that_check_can_fail():
    with lab.workdir() as work:
        trace = os.path.join(work, "trace")
        with open(trace, "w", encoding="ascii") as file:
            file.write("9 openat(AT_FDCWD, \"a\") = -1 ENOSYS (Function not implemented)\n"
                       "9 seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, {len=80}) = 0\n"
                       "9 read(3, \"\", 8) = 0\n9 socket(AF_INET) = -1 ENOSYS (Function not implemented)\n")
        lab.equal(refused(trace), ["socket"], "calls refused")


def kernel_without_seccomp():
    """The capabilities go all the same."""
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        command = "sleep 0.3; grep -E '^(Cap|NoNew)' /proc/$PPID/status"
        done = lab.run([lab.helper("sandbox_probe"), "without", "seccomp", lab.EXECTRACE, "record", "-v", "-o", capture,
                        "--", "/bin/sh", "-c", command])
        lab.demand(b"no filter of system calls" in done.stderr, f"said {done.stderr!r}")
        lab.equal(done.stdout.decode().split(), ["CapInh:", f"{0:016x}", "CapPrm:", f"{KILL:016x}", "CapEff:", f"{KILL:016x}",
                                                 "CapBnd:", f"{0:016x}", "CapAmb:", f"{0:016x}", "NoNewPrivs:", "1"],
                  "the recorder's status")


if __name__ == "__main__":
    lab.need_bpf()
    tests = [recorder_keeps_nothing, recorder_keeps_the_right_to_signal_its_command, servants_keep_what_they_need,
             recording_goes_on_without_servants, command_inherits_what_the_caller_has,
             group_records_with_two_capabilities, group_member_keeps_nothing_either]
    if not lab.SANITIZED:
        tests += [filter_allows_what_recordings_do, that_check_can_fail, kernel_without_seccomp]
    lab.main(*tests)

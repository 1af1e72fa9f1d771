#!/usr/bin/env python3
"""Who runs what, where, and what it used: a capture says what the process itself saw.

What is executed is a program that reads its own /proc/self, or is read by the
one that traces it, so that the oracle shares nothing with the recorder.
"""
import contextlib
import ctypes
import json
import os
import pty
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x10000000, 0x20000000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
NOT_SET = 4294967295
NOBODY = 65534
LIBC = ctypes.CDLL(None, use_errno=True)
SAME = ("ns_pid", "pid_ns", "mnt_ns", "user_ns", "net_ns", "exe_inode")


def checked(result, what):
    if result < 0:
        raise OSError(ctypes.get_errno(), what)


def unshare(flags):
    checked(LIBC.unshare(flags), "unshare")


def mount(source, target, kind, flags=0, options=None):
    checked(LIBC.mount(source.encode(), target.encode(), kind.encode(), flags,
                       options.encode() if options else None), f"mount {target}")


def said(tag, program=None, before=None, mode="say", rest=(), terminal=False):
    """Executes identity in a child after before(); what it says. program: a path or a descriptor."""
    source, sink = os.pipe()
    os.set_inheritable(sink, True)
    program = program or lab.helper("identity")
    argv = ["identity", mode, tag, str(sink), *rest]
    pid, master = pty.fork() if terminal else (os.fork(), None)
    if pid == 0:
        try:
            if not terminal:
                os.setsid()
            if before:
                before()
            os.execve(program, argv, {})
        except BaseException as error:  # pylint: disable=broad-except
            print(f"{tag}: {error}", file=sys.stderr)
        os._exit(99)
    os.close(sink)
    with open(source, encoding="utf-8") as file:
        text = file.read()
    lab.equal(os.waitpid(pid, 0)[1], 0, f"exit of {tag}")
    if master is not None:
        os.close(master)
    return json.loads(text)


@contextlib.contextmanager
def recorded(work, *options):
    """What is done inside is in the list of events that it gives, afterwards."""
    events = []
    capture = os.path.join(work, f"capture{len(os.listdir(work))}.etz")
    with lab.recording(capture, *options) as process:
        yield events
        process.terminate()
        lab.equal(process.wait(lab.TIMEOUT), 0, "exit code of the recorder")
    lab.equal(lab.info(capture)["lost"], 0, "lost")
    events.extend(lab.replay(capture))


def of_tag(events, tag):
    found = [event for event in events if event["kind"] == "exec" and event["argv"][0] == "identity"
             and event["argv"][2] == tag]
    lab.equal(len(found), 1, f"execs of {tag}")
    return found[0]


def compare(fact, event, memfd=False, dev=None):
    tag = fact["tag"]
    for key in SAME:
        lab.equal(event.get(key), fact[key], f"{key} of {tag}")
    for key in ("login_uid", "session"):
        expected = None if fact.get(key, NOT_SET) == NOT_SET else fact[key]
        lab.equal(event.get(key), expected, f"{key} of {tag}")
    tty = fact["tty"].removeprefix("/dev/") if "tty" in fact else None
    lab.equal(event.get("tty"), tty, f"tty of {tag}")
    lab.equal(event["exe_dev"], dev or fact["dev"], f"exe_dev of {tag}")
    lab.equal(event.get("secure_exec", False), bool(fact["secure_exec"]), f"secure_exec of {tag}")
    lab.equal(event.get("exe_deleted", False), fact["links"] == 0, f"exe_deleted of {tag}")
    lab.equal(event.get("exe_memfd", False), memfd, f"exe_memfd of {tag}")


def copied(work, name, mode=0o755):
    path = os.path.join(work, name)
    shutil.copyfile(lab.helper("identity"), path)
    os.chmod(path, mode)
    return path


def login_and_terminal():
    def log_in():
        with open("/proc/self/loginuid", "w", encoding="ascii") as file:
            file.write("4321")

    with lab.workdir() as work:
        with recorded(work) as events:
            facts = [said("plain"), said("terminal", terminal=True)]
            if os.path.exists("/proc/self/loginuid"):
                facts.append(said("login", before=log_in))
        lab.demand("/dev/pts/" in facts[1]["tty"], "the test had no terminal")
        if len(facts) > 2:
            lab.equal(facts[2]["login_uid"], 4321, "the login of the test")
        for fact in facts:
            compare(fact, of_tag(events, fact["tag"]))


def privilege():
    def drop():
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)

    with lab.workdir() as work:
        setcap = lab.need_tool("setcap")
        setuid, setgid, capable = (copied(work, name) for name in ("setuid", "setgid", "capable"))
        os.chmod(setuid, 0o4755)
        os.chmod(setgid, 0o2755)
        lab.run([setcap, "cap_net_raw+ep", capable])
        with recorded(work) as events:
            facts = [said("setuid", setuid, drop), said("setgid", setgid, drop),
                     said("capable", capable, drop), said("dropped", copied(work, "none"), drop),
                     said("setuid by its owner", setuid)]
        lab.equal([fact["secure_exec"] for fact in facts], [1, 1, 1, 0, 0], "AT_SECURE")
        for fact in facts:
            compare(fact, of_tag(events, fact["tag"]))


def namespaces():
    def new(flags, tag):
        return said(tag, before=lambda: unshare(flags))

    def enter_pids():
        """Goes on as the first process of a new pid namespace."""
        unshare(CLONE_NEWPID)
        child = os.fork()
        if child:
            os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    def pids(levels):
        unshare(CLONE_NEWNS)
        mount("none", "/", "none", MS_REC | MS_PRIVATE)
        for _ in range(levels):
            enter_pids()
        # /proc/self is that of the namespace only in a /proc of its own.
        mount("proc", "/proc", "proc")

    with lab.workdir() as work:
        with recorded(work) as events:
            facts = [said("host"), new(CLONE_NEWNS, "mnt"), new(CLONE_NEWNET, "net"),
                     new(CLONE_NEWUSER, "user"), said("pid", before=lambda: pids(1)),
                     said("nested", before=lambda: pids(3))]
        host = facts[0]
        for fact, own in zip(facts[1:], ("mnt_ns", "net_ns", "user_ns", "pid_ns", "pid_ns")):
            lab.demand(fact[own] != host[own], f"{fact['tag']} was in no namespace of its own")
        lab.equal([fact["ns_pid"] for fact in facts[4:]], [1, 1], "pids in their namespaces")
        for fact in facts:
            compare(fact, of_tag(events, fact["tag"]))


def files():
    def deleted(path):
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        os.unlink(path)
        return fd

    def memfd(name):
        fd = os.memfd_create(name)
        with open(lab.helper("identity"), "rb") as file:
            os.write(fd, file.read())
        return fd

    with lab.workdir() as work:
        os.mkdir("/memfd:false")
        try:
            with recorded(work) as events:
                false = deleted(copied("/memfd:false", "memfd:x"))
                facts = [said("memfd", memfd("true")), said("deleted", deleted(copied(work, "gone"))),
                         said("not a memfd", false), said("tmpfs", copied("/dev/shm", "identity-test"))]
            os.unlink("/dev/shm/identity-test")
            # One in the root directory looks exactly like a memfd in /proc/PID/exe.
            with recorded(work) as more:
                facts.append(said("in the root", deleted(copied("/", "memfd:y"))))
            events += more
        finally:
            shutil.rmtree("/memfd:false")
        lab.equal([fact["links"] == 0 for fact in facts], [True, True, True, False, True], "deleted")
        for fact in facts:
            compare(fact, of_tag(events, fact["tag"]), memfd=fact["tag"] == "memfd")


def overlay():
    """The device is that of the superblock, whatever stat says."""
    if subprocess.run(["grep", "-qw", "overlay", "/proc/filesystems"], check=False).returncode:
        print("   no overlayfs here")
        return
    with lab.workdir() as work:
        for name in ("upper", "area", "lower", "merged"):
            os.mkdir(os.path.join(work, name))
        copied(os.path.join(work, "lower"), "identity")
        merged = os.path.join(work, "merged")
        mount("overlay", merged, "overlay", 0, "lowerdir={0}/lower,upperdir={0}/upper,workdir={0}/area"
              .format(work))
        try:
            with open("/proc/self/mountinfo", encoding="utf-8") as file:
                dev = next(line.split()[2] for line in file if line.split()[4] == merged)
            with recorded(work) as events:
                fact = said("overlay", os.path.join(merged, "identity"))
        finally:
            lab.run(["umount", merged])
        compare(fact, of_tag(events, "overlay"), dev=dev)


def snapshot():
    """A process that runs already is described as one that is executed."""
    def sleeper(program=None, before=None, terminal=False):
        pid, _ = pty.fork() if terminal else (os.fork(), None)
        if not pid:
            if before:
                before()
            os.execve(program or "/bin/sleep", ["sleep", "60"], {})
        return pid

    def run():
        with open("/bin/sleep", "rb") as file:
            data = file.read()
        memory = os.memfd_create("sleep")
        os.write(memory, data)
        path = "/memfd:sleep"
        shutil.copy("/bin/sleep", path)
        gone = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        os.unlink(path)
        return [sleeper(), sleeper(terminal=True), sleeper(memory), sleeper(gone),
                sleeper(before=lambda: unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUSER))]

    keys = ("login_uid", "session", "tty", "pid_ns", "mnt_ns", "user_ns", "net_ns", "ns_pid", "exe_dev",
            "exe_inode", "exe_deleted", "exe_memfd")
    with lab.workdir() as work:
        with recorded(work) as events:
            pids = run()
            for pid in pids:
                lab.wait_until(lambda p=pid: b"sleep" in open(f"/proc/{p}/cmdline", "rb").read(), "sleep")
        capture = os.path.join(work, "later.etz")
        lab.record(capture, "--duration", "200ms")
        later = {event["pid"]: event for event in lab.replay("--kind", "proc", capture)}
        for pid in pids:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
        memfds = []
        for pid in pids:
            event = [e for e in events if e["pid"] == pid and e["kind"] == "exec"][-1]
            memfds.append(event.get("exe_memfd", False))
            for key in keys:
                lab.equal(later[pid].get(key), event.get(key), f"{key} of pid {pid}")
        lab.equal(memfds, [False, False, True, False, False], "memfds")


def durations():
    with lab.workdir() as work:
        with recorded(work, "--exec-duration") as events:
            facts = [said(f"{mode} {i}", mode=mode) for mode in ("call", "thread") for i in range(10)]
        late = []
        for fact in facts:
            # Others may have had the pid before.
            mine = [event for event in events
                    if event["pid"] == fact["pid"] and fact["failed"] <= event["ts"] <= fact["runs"]]
            done = [event for event in mine if event["kind"] == "exec"][-1]
            failed = [event for event in mine if event["kind"] == "fail"]
            lab.equal(len(failed), 1, f"failed execs of {fact['tag']}")
            for event, low, high in ((failed[0], "failed", "failed_until"), (done, "began", "runs")):
                began = event["ts"] - event["exec_duration"]
                lab.demand(fact[low] <= began < event["ts"] <= fact[high],
                           f"{fact['tag']}: {began} to {event['ts']} is not in {fact}")
            late.append((done["ts"] - done["exec_duration"] - fact["began"]) / done["exec_duration"])
        # The call begins right after the program took the time; on a busy machine not always.
        lab.demand(min(late[:10]) < 0.2 and min(late[10:]) < 0.2, f"durations are too short: {late}")
        with recorded(work) as events:
            said("call x", mode="call")
        lab.demand(not any("exec_duration" in event for event in events), "durations nobody asked for")


def use():
    with lab.workdir() as work:
        path = os.path.join(work, "file")
        with open(path, "wb") as file:
            file.write(b"\1" * (1 << 18))
        with recorded(work) as events:
            alone = said("alone", mode="use", rest=[path])
            threads = said("threads", mode="threads", rest=[path])
        ends = {event["pid"]: event for event in events if event["kind"] == "exit"}
        for fact, times in ((alone, 1), (threads, 4)):
            end = ends[fact["pid"]]
            lab.demand(fact["minflt"] >= 300 * times and fact["inblock"] >= 128 * times, "the test used nothing")
            lab.equal(end["major_faults"], fact["majflt"], f"major faults of {fact['tag']}")
            # Giving memory back may fault a few times more after the event.
            lab.demand(fact["minor_faults"] <= end["minor_faults"] <= fact["minflt"] <= end["minor_faults"] + 8,
                       f"minor faults: {end['minor_faults']}, {fact}")
            if "read_bytes" not in fact:
                lab.demand("read_bytes" not in end and "write_bytes" not in end, "bytes that nobody counts")
                continue
            lab.equal(end["read_bytes"], fact["inblock"] * 512, f"bytes read by {fact['tag']}")
            lab.equal(end["write_bytes"], fact["oublock"] * 512, f"bytes written by {fact['tag']}")
        if "read_bytes" in alone:
            lab.equal([ends[alone["pid"]][key] for key in ("read_bytes", "write_bytes", "major_faults")],
                      [alone[key] for key in ("read_bytes", "write_bytes", "major_faults")], "/proc/PID")


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(login_and_terminal, privilege, namespaces, files, overlay, snapshot, durations, use)

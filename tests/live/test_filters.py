#!/usr/bin/env python3
"""--pid, --uid, --cgroup and --comm take what they say, no more and no less.

What happened is told by the processes that did it.
"""
import contextlib
import ctypes
import os
import pwd
import select
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
from judge import judge  # noqa: E402

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_NAME = 15
USER = 54321		# nobody has it
STORM_SECONDS, STORM_WORKERS, CROWD = 2, 4, 500


class Recording:
    """A recorder in the background that has said that it records."""

    def __init__(self, work, *options):
        self.path = os.path.join(work, "capture.etz")
        argv = [lab.EXECTRACE, "record", "-v", "-f", "-o", self.path, *options]
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.said = b""

    def __enter__(self):
        for line in self.process.stderr:
            self.said += line
            if b": recording to " in line:
                self.since = lab.boottime()
                return self
        raise lab.Failure(f"the recorder ended: {self.said!r}")

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.stderr.close()
        self.process.wait()

    def ended(self):
        """What it recorded, once it has ended by itself."""
        self.said += self.process.stderr.read()
        lab.equal(self.process.wait(timeout=lab.TIMEOUT), 0, f"exit code, {self.said!r}")
        info = lab.info(self.path)
        lab.equal(info["complete"], True, "complete")
        return lab.replay(self.path)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.ended()


def child(steps):
    """Runs steps in a forked child; returns its pid and exit code."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            steps()
            code = 7
        finally:
            os._exit(code)
    return pid, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def fail_exec(name):
    try:
        os.execv("/nonexistent/" + name, [name])
    except OSError:
        pass


def rename(name):
    LIBC.prctl(PR_SET_NAME, ctypes.c_char_p(name), 0, 0, 0)


def told(events, pid):
    """The events of a process in order: kind, and what it executed or tried to."""
    return [(event["kind"], os.path.basename(event["filename"])) if "filename" in event else (event["kind"], "")
            for event in events if event["pid"] == pid and event["kind"] != "proc"]


def snapshot(events):
    return {event["pid"]: event for event in events if event["kind"] == "proc"}


def ancestors(pid):
    found = set()
    while pid:
        found.add(pid)
        with open(f"/proc/{pid}/stat", "rb") as file:
            pid = int(file.read().rsplit(b")", 1)[1].split()[1])
    return found


# ---- Trees ------------------------------------------------------------------------


def shell(script, *args, **kwargs):
    """A shell that runs script when it is told to; and that it does nothing but wait."""
    process = subprocess.Popen(["/bin/sh", "-c", "echo ready; read line; " + script, *args], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, **kwargs)
    lab.equal(process.stdout.readline(), b"ready\n", "the shell")
    return process


def go(process):
    out, _ = process.communicate(b"go\n", timeout=lab.TIMEOUT)
    return out


def pid_has_every_hostile_exec():
    """Double forks, vfork, CLONE_PARENT, execs of threads, dead parents: as the oracle tells."""
    with lab.workdir() as work:
        area = os.path.join(work, "area")
        os.mkdir(area)
        os.chmod(area, 0o755)
        process = shell('exec "$0" "$1"', lab.helper("hostile_exec"), area)
        with Recording(work, "--max-args", "2M", "--ring-size", "16M", "--pid", str(process.pid)) as recording:
            oracle = lab.lines(go(process))
            # It ends with the last of them.
            events = recording.ended()
        lab.demand(len(oracle) > 200, f"the oracle is short: {len(oracle)} lines")
        faults = judge(oracle, events, max_args=2 << 20, only=True)
        lab.demand(not faults, "%d differences\n%s" % (len(faults), "\n".join(faults[:40])))


def pid_has_what_is_there():
    """Children that exist already, of a process and of one named by a thread of it; ends with the last."""
    with lab.workdir() as work:
        script = "(read line <fifo; /bin/true grandchild; (setsid /bin/sh -c 'sleep 0.2; /bin/true daemon' &)) & " \
                 "echo up; read line; echo >fifo; /bin/true own; wait"
        os.mkfifo(os.path.join(work, "fifo"))
        one = shell(script, cwd=work, bufsize=0)
        one.stdin.write(b"go\n")
        lab.equal(one.stdout.readline(), b"up\n", "the shell")
        two = subprocess.Popen([sys.executable, "-c",
                                "import os, subprocess, threading\n"
                                "def run():\n"
                                "    print(threading.get_native_id(), flush=True)\n"
                                "    input()\n"
                                "    subprocess.run(['/bin/true', 'thread'])\n"
                                "threading.Thread(target=run).start()"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        thread = int(two.stdout.readline())
        lab.demand(thread != two.pid, "the thread is none")
        children = lab.children(one.pid)
        with Recording(work, "--pid", f"{one.pid},{thread}") as recording:
            lab.run(["/bin/true", "stranger"])
            go(two)
            go(one)
            events = recording.ended()
        found = [event["argv"][-1] for event in events if event["kind"] == "exec" and event["comm"] == "true"]
        lab.equal(sorted(found), ["daemon", "grandchild", "own", "thread"], "execs of true")
        rows = snapshot(events)
        mine = {one.pid, two.pid, *children}
        lab.equal({pid for pid, row in rows.items() if "argv" in row}, mine, "processes with arguments in the snapshot")
        lab.equal(set(rows), mine | (ancestors(os.getpid())), "processes in the snapshot")
        info = lab.exectrace("info", recording.path).stdout.decode()
        lab.demand(f"--pid {one.pid} --pid {two.pid}" in info, f"info does not say what was followed: {info}")


def pid_finds_children_with_lower_pids():
    """Where pids have begun anew a child comes before its parent in /proc."""
    last = "/proc/sys/kernel/ns_last_pid"
    if not os.path.exists(last):
        print("   the kernel has no ns_last_pid; not checked")
        return

    def chain(pids):
        """Each process forks the next one; the last one waits to be told, and executes."""
        for pid in pids:
            with open(last, "w", encoding="ascii") as file:
                file.write(str(pid))
            below = os.fork()
            if below:
                os.waitpid(below, 0)
                os._exit(0)
        os.write(ready[1], b"x")
        os.read(gate[0], 1)
        os.execv("/bin/true", ["true", "lowest"])
    with open("/proc/sys/kernel/pid_max", encoding="ascii") as file:
        top = int(file.read())
    ready, gate = os.pipe(), os.pipe()
    root = os.fork()
    if root == 0:
        chain(top - 1000 - 100 * i for i in range(8))
    os.read(ready[0], 1)
    with lab.workdir() as work, Recording(work, "--pid", str(root)) as recording:
        os.write(gate[1], b"x")
        os.waitpid(root, 0)
        events = recording.ended()
    for end in ready + gate:
        os.close(end)
    lab.equal([event["argv"] for event in events if event["kind"] == "exec"], [["true", "lowest"]], "execs")
    pids = [event["pid"] for event in events if event["kind"] == "exit"]
    lab.equal(len(pids), 9, "exits")
    lab.demand(pids[:8] == sorted(pids[:8]), f"the test had no falling pids: {pids}")


def command_and_pid():
    with lab.workdir() as work:
        process = shell("/bin/true named")
        capture = os.path.join(work, "c.etz")
        done = subprocess.Popen([lab.EXECTRACE, "record", "-q", "-o", capture, "--pid", str(process.pid), "--",
                                 "/bin/sh", "-c", "echo begun; read line; /bin/true command; exit 3"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        lab.equal(done.stdout.readline(), b"begun\n", "the command")
        go(process)
        done.communicate(b"end\n", timeout=lab.TIMEOUT)
        lab.equal(done.returncode, 3, "exit code, the command's")
        found = [event["argv"][-1] for event in lab.replay(capture) if event["kind"] == "exec" and event["comm"] == "true"]
        lab.equal(found, ["named", "command"], "execs of true")


def read_book(path):
    entry = struct.Struct("=IIIIQQQ")
    with open(path, "rb") as file:
        for values in entry.iter_unpack(file.read()):
            if not values[0]:
                return
            if values[1]:
                yield dict(zip(("creator", "pid", "parent", "pad", "before", "born", "end"), values))


class Book:
    """What the processes of a storm wrote down of each other."""

    def __init__(self, path, root):
        self.root, self.of = root, {}
        self.entries = sorted(read_book(path), key=lambda entry: entry["before"])
        for entry in self.entries:
            self.of.setdefault(entry["pid"], []).append(entry)

    def find(self, pid, at):
        """The process that had this pid then; None: the storm's first one, or a stranger."""
        found = [entry for entry in self.of.get(pid, []) if entry["before"] <= at]
        return found[-1] if found else None

    def must(self, since):
        """Processes that have to be in a recording that followed the first one from then on."""
        wanted = set()

        def connected(entry, begin, end):
            """From begin to end all parents up to one that must be there, or the first one, were alive."""
            while entry is not None:
                if id(entry) in wanted:
                    return True
                if entry["parent"] == self.root:
                    return True
                parent = self.find(entry["parent"], entry["before"])
                if parent is None or parent["end"] < end:
                    return False
                entry = parent
            return True
        for entry in self.entries:
            creator = self.find(entry["creator"], entry["before"])
            if entry["before"] > since and (entry["creator"] == self.root or
                                            creator and connected(creator, entry["before"], entry["born"])):
                wanted.add(id(entry))
        return [entry for entry in self.entries if id(entry) in wanted]


@contextlib.contextmanager
def crowd():
    """So many processes that reading /proc takes a while."""
    pids = []
    try:
        for _ in range(CROWD):
            pids.append(os.fork())
            if not pids[-1]:
                signal.pause()
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def storm(work, delay):
    log = os.path.join(work, "log")
    with crowd(), lab.started([lab.helper("kin"), "storm", log, str(STORM_SECONDS), str(STORM_WORKERS)]) as process:
        lab.equal(process.stdout.readline(), b"ready\n", "kin")
        time.sleep(delay)
        with Recording(work, "--ring-size", "64M", "--pid", str(process.pid)) as recording:
            lab.equal(process.wait(timeout=lab.TIMEOUT), 0, "exit code of kin")
            events = recording.ended()
        return Book(log, process.pid), recording.since, events


def pid_misses_nothing_of_a_storm():
    """Attached in the middle of a storm: whoever was forked since is there, and its end."""
    for delay in (0, 0.1, 0.37):
        with lab.workdir() as work:
            book, said, events = storm(work, delay)
        forks = [event for event in events if event["kind"] == "fork"]
        ends = {(event["pid"], event["start"]) for event in events if event["kind"] == "exit"}
        seen = set()
        for fork in forks:
            entry = book.find(fork["pid"], fork["ts"])
            lab.demand(entry is not None and fork["ts"] <= entry["born"], f"a fork that nobody made: {fork}")
            lab.demand(id(entry) not in seen, f"a fork is there twice: {fork}")
            seen.add(id(entry))
            lab.equal(fork["ppid"], entry["parent"], f"parent of {fork}")
            lab.demand((fork["pid"], fork["start"]) in ends, f"without an exit: {fork}")
        # As soon as a fork was seen, the first one was followed.
        must = book.must(forks[0]["ts"])
        missing = [entry for entry in must if id(entry) not in seen]
        early = [entry for entry in must if entry["born"] < said]
        old = [entry for entry in must if entry["creator"] != book.root
               and id(book.find(entry["creator"], entry["before"])) not in seen]
        print(f"   {len(book.entries)} forks, {len(forks)} recorded, {len(must)} of them certain; {len(early)} before"
              f" the recording had begun, {len(old)} by processes older than it")
        lab.equal(missing[:3], [], f"processes that are missing, {len(missing)} of {len(must)}")
        lab.demand(len(must) > 500 and early and old, "the test had no storm at the right moment")


# ---- Users, names, cgroups ----------------------------------------------------------


def uid_is_the_real_one_then():
    def steps():
        fail_exec("before")
        os.setresuid(0, USER, 0)	# only the effective one: nothing changes
        fail_exec("effective")
        os.setresuid(0, 0, 0)
        os.setresuid(USER, 0, 0)
        fail_exec("real")
        os.execv("/bin/true", ["true"])
    own = [("fork", ""), ("fail", "before"), ("fail", "effective")]
    theirs = [("fail", "real"), ("exec", "true"), ("exit", "")]
    for users, expected in (((str(USER),), theirs), (("root",), own), (("0", f"nobody,{USER}"), own + theirs),
                            (("nobody",), [])):
        with lab.workdir() as work, Recording(work, *(f"--uid={user}" for user in users)) as recording:
            pid, _ = child(steps)
            events = recording.stop()
            lab.equal(told(events, pid), expected, f"events with --uid {users}")
            allowed = {0, USER, pwd.getpwnam("nobody").pw_uid}
            allowed &= {int(user) if user.isdigit() else pwd.getpwnam(user).pw_uid
                        for user in ",".join(users).split(",")}
            lab.equal({event["uid"] for event in events if event["kind"] != "proc"} - allowed, set(), "other users")


def comm_is_exact_then():
    def steps():
        fail_exec("before")
        rename(b"a-name-of-15-by")
        fail_exec("long")
        child_pid = os.fork()
        if child_pid == 0:
            os._exit(0)
        os.waitpid(child_pid, 0)
        rename(b"x")	# behind its NUL is what is left of the other
        fail_exec("short")
        os.execv("/bin/true", ["true"])
    with open("/proc/self/comm", encoding="ascii") as file:
        python = file.read().strip()
    for options, expected in (
            (("--comm", "a-name-of-15-by"), [("fail", "long")]),
            (("--comm", "x"), [("fail", "short")]),
            (("--comm", "true"), [("exec", "true"), ("exit", "")]),
            (("--comm", python), [("fork", ""), ("fail", "before")]),
            (("--comm", "a-name-of-15-b"), []),
            (("--comm", f"x,{python}", "--comm", "true"),
             [("fork", ""), ("fail", "before"), ("fail", "short"), ("exec", "true"), ("exit", "")])):
        with lab.workdir() as work, Recording(work, *options) as recording:
            pid, _ = child(steps)
            events = recording.stop()
        lab.equal(told(events, pid), expected, f"events with {options}")
        if expected == [("fail", "long")]:
            inner = {event["pid"] for event in events if event["kind"] == "fork" and event["ppid"] == pid}
            lab.equal([told(events, p) for p in inner], [[("fork", ""), ("exit", "")]], "the child of that name")


def cgroup_root():
    with open("/proc/self/mounts", encoding="utf-8") as file:
        for line in file:
            words = line.split()
            if words[2] == "cgroup2":
                return words[1]
    return lab.skip("there is no cgroup v2 hierarchy")


def enter(path):
    with open(os.path.join(path, "cgroup.procs"), "w", encoding="ascii") as file:
        file.write("0")


def cgroup_is_the_subtree_then():
    root = cgroup_root()
    top = os.path.join(root, f"exectrace-test-{os.getpid()}")
    made = [top, top + "/a", top + "/a/b", top + "/ab", *(top + "/a/b" + "/deep" * n for n in range(1, 9))]
    for path in made:
        os.mkdir(path)

    def steps():
        fail_exec("outside")
        for name in ("a", "ab", "a/b", "a/b" + "/deep" * 8):
            enter(f"{top}/{name}")
            fail_exec(name.replace("/", "-"))
        os.mkdir(top + "/a/later")
        enter(top + "/a/later")
        os.execv("/bin/true", ["true"])
    deep = "a-b" + "-deep" * 8
    relative = top[len(root):]
    fork, later = [("fork", "")], [("exec", "true"), ("exit", "")]
    try:
        for options, expected in (
                (("--cgroup", top), [("fail", name) for name in ("a", "ab", "a-b", deep)] + later),
                (("--cgroup", relative + "/a"), [("fail", "a"), ("fail", "a-b"), ("fail", deep)] + later),
                (("--cgroup", relative + "/a/b"), [("fail", "a-b"), ("fail", deep)]),
                (("--cgroup", relative + "/a/b/deep", "--cgroup", top + "/ab/"), [("fail", "ab"), ("fail", deep)]),
                (("--cgroup", "/"), fork + [("fail", name) for name in ("outside", "a", "ab", "a-b", deep)] + later)):
            with lab.workdir() as work, Recording(work, *options) as recording:
                pid, _ = child(steps)
                born, = lab.run([lab.helper("kin"), "into", top + "/a", "/bin/true", "clone"]).stdout.split()
                events = recording.stop()
            os.rmdir(top + "/a/later")
            lab.equal(told(events, pid), expected, f"events with {options}")
            whole = options[1] in (top, relative + "/a", "/")
            lab.equal(told(events, int(born)), fork + later if whole else [], f"of a clone into it, with {options}")
        with subprocess.Popen(["/bin/sleep", "60"], preexec_fn=lambda: enter(top + "/a/b")) as inside, \
             subprocess.Popen(["/bin/sleep", "60"], preexec_fn=lambda: enter(top + "/ab")) as outside, \
             lab.workdir() as work:
            with Recording(work, "--cgroup", top + "/a") as recording:
                rows = snapshot(recording.stop())
            inside.kill()
            outside.kill()
            lab.equal({pid for pid, row in rows.items() if "argv" in row}, {inside.pid}, "the snapshot has in full")
            lab.equal(set(rows), {inside.pid} | ancestors(os.getpid()), "the snapshot")
    finally:
        for path in reversed(made):
            lab.wait_until(lambda: not open(path + "/cgroup.procs", encoding="ascii").read(), "the cgroup to be empty")
            os.rmdir(path)


def they_combine():
    """A command, a user and a name: all of them have to hold, and the tree is followed all the same."""
    script = "/bin/true early; exec setpriv --reuid %d --clear-groups sh -c '/bin/true late; /bin/false; :'" % USER
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        with lab.started(["/bin/sh", "-c", "while :; do setpriv --reuid %d --clear-groups true noise; done" % USER]):
            lab.record(capture, "--uid", str(USER), "--comm", "true", "--", "/bin/sh", "-c", script)
        events = [event for event in lab.replay(capture) if event["kind"] != "proc"]
        lab.equal([(event["kind"], event.get("argv")) for event in events],
                  [("exec", ["/bin/true", "late"]), ("exit", None)], "events")
        rows = snapshot(lab.replay(capture))
        lab.equal([row for row in rows.values() if "argv" in row or "cwd" in row], [], "the snapshot has in full")


def info_tells():
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        lab.record(capture, "--uid", "root", "--comm", "true,a b", "--", "/bin/true")
        info = lab.exectrace("info", capture).stdout.decode()
        lab.demand("Filter          --uid 0 --comm true --comm 'a b'\n" in info, f"info says {info}")
        cut = os.path.join(work, "slice.etz")
        lab.exectrace("slice", "-o", cut, "--uid", "1", capture)
        info = lab.exectrace("info", cut).stdout.decode()
        lab.demand("'a b'" not in info, f"a slice tells what was asked for: {info}")


def live_passes_them_on():
    process = shell('while read line; do /bin/true "$line"; /bin/false "$line"; done; exit 0', bufsize=0)
    process.stdin.write(b"begin\n")
    argv = [lab.EXECTRACE, "live", "--json", "--pid", str(process.pid), "--comm", "true", "--uid", "root"]
    with lab.started(argv) as live:
        def begun():
            lab.demand(live.poll() is None, "live ended at once")
            process.stdin.write(b"warm\n")
            return select.select([live.stdout], [], [], 0.1)[0]
        lab.wait_until(begun, "the first line of live")
        process.stdin.write(b"wanted\n")
        process.communicate(timeout=lab.TIMEOUT)
        out, err = live.communicate(timeout=lab.TIMEOUT)
    found = [(event["kind"], event["comm"], event.get("argv")) for event in lab.lines(out)]
    lab.equal(found[-2:], [("exec", "true", ["/bin/true", "wanted"]), ("exit", "true", None)], f"last events, {err!r}")
    lab.equal({(kind, comm) for kind, comm, _ in found}, {("exec", "true"), ("exit", "true")}, "events")
    lab.equal(live.returncode, 0, "exit code when the process has ended")


def never_records_itself():
    with lab.workdir() as work:
        with Recording(work, "--all", "--", "/bin/true", "the-command") as recording:
            pid = recording.process.pid
            events = [event for event in recording.ended() if event["kind"] not in ("proc", "lost")]
        lab.equal([event for event in events if event["pid"] == pid], [], "events of the recorder")
        lab.equal([(event["kind"], event.get("argv")) for event in events if event["ppid"] == pid],
                  [("exec", ["/bin/true", "the-command"]), ("exit", None)], "events of its children")


# ---- What cannot be meant -----------------------------------------------------------


def mistakes_are_told():
    with lab.started(["/bin/true"]) as zombie:
        lab.wait_until(lambda: open(f"/proc/{zombie.pid}/stat", encoding="ascii").read().split()[2] == "Z", "a zombie")
        for args, code, text in (
                (("--pid", "0"), 2, "--pid: '0' is not the number of a process"),
                (("--pid", "12,x"), 2, "--pid: 'x' is not the number of a process"),
                (("--pid", ""), 2, "--pid: '' is not the number of a process"),
                (("--pid", "-1"), 2, "--pid: '-1' is not the number of a process"),
                (("--pid", "2147483647"), 1, "--pid: there is no process 2147483647"),
                (("--pid", str(zombie.pid)), 1, f"--pid: process {zombie.pid} has ended"),
                (("--all", "--pid", "1", "--", "true"), 2, "--all and --pid exclude each other"),
                (("--uid", "4294967295"), 2, "--uid: '4294967295' is not a user's number or name"),
                (("--uid", "root,"), 2, "--uid: '' is not a user's number or name"),
                (("--uid", "no-such-user"), 1, "--uid: there is no user 'no-such-user'"),
                (("--comm", "sixteen-bytes-xx"), 2, "--comm: 'sixteen-bytes-xx' is not a name of 1 to 15 bytes: the "
                                                     "kernel keeps no more of one"),
                (("--comm", "a,,b"), 2, "--comm: '' is not a name of 1 to 15 bytes: the kernel keeps no more of one"),
                (("--cgroup", ""), 2, "--cgroup: '' is not the path of a cgroup"),
                (("--cgroup", "/no/such"), 1, f"--cgroup: there is no cgroup '/no/such' below {cgroup_root()}: "
                                              "No such file or directory"),
                (("--cgroup", "/cgroup.procs"), 1, f"--cgroup: '/cgroup.procs' below {cgroup_root()} is not a cgroup"),
                (("--cgroup", "/../.."), 1, f"--cgroup: '/../..' below {cgroup_root()} is not a cgroup")):
            said = lab.exectrace("record", "-o", "/dev/null", *args, code=code).stderr.decode()
            lab.equal(said, f"exectrace record: {text}\n", f"said to {args}")


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(mistakes_are_told, pid_has_every_hostile_exec, pid_has_what_is_there, command_and_pid,
             pid_finds_children_with_lower_pids, pid_misses_nothing_of_a_storm, uid_is_the_real_one_then, comm_is_exact_then, cgroup_is_the_subtree_then,
             they_combine, info_tells, live_passes_them_on, never_records_itself)

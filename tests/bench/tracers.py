"""exectrace and its peers: how each is run, ended and read.

All trace the whole machine and see the same kinds of events, as far as they can: execs,
failed execs, forks and exits. events() says what a tracer kept, as (kind, pid, whole);
whole tells whether all arguments of the workload's loops are there.
"""
import contextlib
import ctypes
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from workloads import LAST, TRACEFS

BPFTRACE = """
tracepoint:syscalls:sys_enter_execve, tracepoint:syscalls:sys_enter_execveat
{ printf("%-10u %-6d %s ", elapsed / 1000, pid, comm); join(args->argv); }
"""
TRACEPOINTS = ("sched:sched_process_exec", "syscalls:sys_exit_execve", "sched:sched_process_fork",
               "sched:sched_process_exit")
KINDS = {b"sched_process_exec": "exec", b"sys_exit_execve": "fail", b"sched_process_fork": "fork",
         b"sched_process_exit": "exit"}
CHILD = re.compile(rb"child_pid=(\d+)")


class Unusable(Exception):
    """A tracer that is installed, but does not run on this machine, or did not this time."""


def out(argv, **kwargs):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          stdin=subprocess.DEVNULL, **kwargs).stdout


def read_lines(argv):
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          stdin=subprocess.DEVNULL) as process:
        yield from process.stdout


def say(text):
    print(text, file=sys.stderr, flush=True)


class Tracer:
    """One way of tracing; file is what it writes."""
    name, tool = "untraced", None
    to_stdout = False	# what it has to say comes there
    arguments = "whole"	# that it keeps, at best
    ending = signal.SIGINT
    usual = True
    sees = ()	# kinds
    in_kernel = False	# what is started only turns it on and off

    def __init__(self, args):
        self.args = args

    def does(self, workload):
        """Whether there is anything in it for this one to see, or to pass over."""
        return not self.sees or "call" in self.sees or bool(set(self.sees) & set(workload.kinds))

    def command(self, file):
        raise NotImplementedError

    def prepare(self, file):
        """Before command is run."""

    def ready(self, file):
        """Whether it has begun, as far as that can be seen."""
        return True

    def started(self):
        """When it has begun."""

    def finish(self):
        """After it has ended, or failed to begin; not where prepare() failed."""

    def ring(self):
        """Bytes of buffer in the kernel that the process has no mapping of."""
        return 0

    def events(self, file):
        raise NotImplementedError

    def reader(self, file):
        """The command that reads a recording back, and how many events it reads."""
        raise NotImplementedError

    def own_word(self, file):
        """What it says itself of its losses: counts by cause, or None when it does not say."""
        return None


class Exectrace(Tracer):
    name, tool = "exectrace", "exectrace"
    sees = ("exec", "fail", "fork", "exit")

    def program(self):
        return os.path.join(self.args.build, "bin", "exectrace")

    def command(self, file):
        return [self.program(), "record", "--quiet", "--force", "-o", file]

    def ready(self, file):
        return os.path.exists(file) and os.path.getsize(file) > 0

    def info(self, file):
        return json.loads(out([self.program(), "info", "--json", file]))

    def events(self, file):
        for line in read_lines([self.program(), "replay", "--no-header", "--columns", "kind,pid,command",
                                "--kind", ",".join(self.sees), file]):
            kind, pid, command = line.split(None, 2)
            yield kind.decode(), int(pid), LAST in command

    def reader(self, file):
        return [self.program(), "replay", "--json", file], self.info(file)["events"]

    def own_word(self, file):
        info = self.info(file)
        if info["complete"] != (info["lost"] == 0) or info["lost"] != sum(info["lost_by_cause"].values()):
            raise SystemExit(f"bench: {file} contradicts itself: complete {info['complete']}, lost {info['lost']},"
                             f" by cause {info['lost_by_cause']}")
        return info["lost_by_cause"]


class Elsewhere(Exectrace):
    """A recording of something else: what events cost that are filtered out."""
    usual = False
    sees = ()
    options = ()

    def command(self, file):
        return [*super().command(file), *self.options]


class OtherUser(Elsewhere):
    name, options = "exectrace --uid", ("--uid", "54321")


class OtherName(Elsewhere):
    name, options = "exectrace --comm", ("--comm", "nobody-is-so")


class OtherTree(Elsewhere):
    name, options = "exectrace --pid", ("--pid", "2")	# kthreadd


class OtherCgroup(Elsewhere):
    name = "exectrace --cgroup"

    def prepare(self, file):
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            mount = next(line.split()[1] for line in mounts if line.split()[2] == "cgroup2")
        self.cgroup = os.path.join(mount, "exectrace-bench")
        os.makedirs(self.cgroup, exist_ok=True)
        self.options = ("--cgroup", self.cgroup)

    def finish(self):
        os.rmdir(self.cgroup)


class Text(Tracer):
    """Prints a line for each event."""
    to_stdout = True
    pattern = None	# of a line; takes pid and what the arguments are in

    def kind(self, match):
        raise NotImplementedError

    def events(self, file):
        with open(file, "rb") as lines:
            for line in lines:
                match = self.pattern.match(line)
                if match:
                    # A line of two events in one is a torn one.
                    yield self.kind(match), int(match["pid"]), match["rest"].count(LAST) == 1

    def reader(self, file):
        # The file is that table which others are first made into. grep itself, were it to write to /dev/null, would
        # end at the first line that matches.
        return ["sh", "-c", 'grep -c "$1" "$2" | cat', "grep", LAST.decode(), file], sum(1 for _ in open(file, "rb"))


class Execsnoop(Text):
    name, tool, arguments = "execsnoop", "execsnoop", "20 arguments of 127 bytes"
    sees = ("exec", "fail")
    pattern = re.compile(rb"^.{16} (?P<pid>\d+) +\d+ +(?P<ret>-?\d+)(?P<rest>.*)")

    def command(self, file):
        return ["execsnoop", "-x"]

    def kind(self, match):
        return "exec" if match["ret"] == b"0" else "fail"


class Bpftrace(Text):
    name, tool, arguments = "bpftrace", "bpftrace", "16 arguments"
    sees = ("call",)	# of execve, whatever becomes of it
    pattern = re.compile(rb"^\d+ +(?P<pid>\d+) +(?P<rest>.*)")

    def command(self, file):
        return ["bpftrace", "-q", "-e", BPFTRACE]

    def kind(self, match):
        return "call"


class Forkstat(Text):
    name, tool, arguments = "forkstat", "forkstat", "as /proc still has them"
    sees = ("exec", "fork", "exit")
    pattern = re.compile(rb"^[\d:]+ (?P<kind>exec|fork|exit) +(?P<pid>\d+) (?P<rest>.*)")

    def command(self, file):
        return ["forkstat", "-e", "exec,fork,exit"]

    def kind(self, match):
        # Of a fork it has a line for the parent, too.
        return "parent" if b" parent " in match["rest"] else match["kind"].decode()


class Extrace(Text):
    name, tool, arguments = "extrace", "extrace", "as /proc still has them"
    sees = ("exec",)
    pattern = re.compile(rb"^ *(?P<pid>\d+) (?P<rest>.*)")

    def command(self, file):
        return ["extrace", "-f"]

    def kind(self, match):
        return "exec"


class Tracepoints(Tracer):
    """Takes the kernel's tracepoints, without arguments."""
    arguments = "none"
    sees = ("exec", "fail", "fork", "exit")
    filters = {"syscalls:sys_exit_execve": "ret < 0"}
    report, filter_option, pattern = (), "", None

    def selection(self):
        for event in TRACEPOINTS:
            yield from ("-e", event)
            if event in self.filters:
                yield from (self.filter_option, self.filters[event])

    def events(self, file):
        for line in read_lines([*self.report, file]):
            match = self.pattern.match(line)
            if not match or match["event"] not in KINDS:
                continue
            kind = KINDS[match["event"]]
            child = CHILD.search(match["rest"]) if kind == "fork" else None
            yield kind, int(child[1] if child else match["pid"]), False

    def reader(self, file):
        return [*self.report, file], sum(1 for _ in self.events(file))


class Perf(Tracepoints):
    name, tool = "perf", "perf"
    report, filter_option = ("perf", "script", "-i"), "--filter"
    pattern = re.compile(rb"^ *.+? (?P<pid>\d+) \[\d+\] +[\d.]+: +\w+:(?P<event>\w+):(?P<rest>.*)")

    def command(self, file):
        return ["perf", "record", "-q", "-a", "-z", "-o", file, *self.selection()]


class TraceCmd(Tracepoints):
    """
    It resets the function tracer's filters when it begins, although nothing here traces
    functions, and dies where the kernel refuses: on opening set_ftrace_filter, or in a strcmp()
    of what it could not read from set_ftrace_pid. There empty files lie over them.
    """
    name, tool = "trace-cmd", "trace-cmd"
    report, filter_option = ("trace-cmd", "report", "-i"), "-f"
    pattern = re.compile(rb"^ *.+-(?P<pid>\d+) +\[\d+\] .*?[\d.]+: +(?P<event>\w+):(?P<rest>.*)")
    functions = {"set_ftrace_filter": "", "set_ftrace_notrace": "", "set_ftrace_pid": "no pid\n",
                 "set_ftrace_notrace_pid": "no pid\n"}
    covered = False

    def prepare(self, file):
        if TraceCmd.covered:
            return
        for name, text in self.functions.items():
            path = os.path.join(TRACEFS, name)
            try:
                with open(path, "rb"):
                    continue
            except FileNotFoundError:
                continue
            except PermissionError:
                TraceCmd.covered = True
            cover = f"{file}.{name}"
            with open(cover, "w", encoding="ascii") as made:
                made.write(text)
            subprocess.run(["mount", "--bind", cover, path], check=True)
        if TraceCmd.covered:
            say("trace-cmd: the kernel refuses what the function tracer needs (set_ftrace_filter, set_ftrace_pid);"
                " files that do nothing stand in for them, for trace-cmd resets them and would end there")

    def command(self, file):
        # -d: without the function tracer, which not every kernel lets one turn on.
        return ["trace-cmd", "record", "-d", "-q", "--compression", "zstd", "-o", file, *self.selection()]

    def ready(self, file):
        with open(os.path.join(TRACEFS, "events/sched/sched_process_exit/enable"), encoding="ascii") as enabled:
            return enabled.read().strip() == "1"

    def ring(self):
        with open(os.path.join(TRACEFS, "buffer_total_size_kb"), encoding="ascii") as file:
            return int(file.read().split()[0]) * 1024


class Accounting(Tracer):
    """Process accounting: the kernel itself writes."""
    name, tool, arguments = "accounting", "accton", "none"
    sees, in_kernel = ("exit",), True
    report = ("dump-acct",)
    usual_file = "/var/log/account/pacct"

    def prepare(self, file):
        with contextlib.suppress(FileNotFoundError):
            before = os.path.getsize(self.usual_file)
            out(["true"])
            if os.path.getsize(self.usual_file) != before:
                raise Unusable(f"process accounting is in use, into {self.usual_file}")
        with open(file, "wb"):
            pass

    def command(self, file):
        # Something to be started and ended, as others are.
        return ["sh", "-c", 'trap "accton off; exit" INT; accton "$1"; while :; do sleep 1000 & wait; done',
                "sh", file]

    def events(self, file):
        for line in read_lines([*self.report, file]):
            fields = line.split(b"|")
            yield "exit", int(fields[9]), False

    def reader(self, file):
        return [*self.report, file], sum(1 for _ in self.events(file))

    def finish(self):
        out(["accton", "off"])


class Audit(Tracer):
    """
    auditd, in a configuration of its own. A kernel that has audited once looks at each system
    call of each process that begins later, until it is booted anew; a rule that lets it make an
    exception of all keeps that from the other tracers' rounds, and stays.
    """
    name, tool, arguments = "auditd", "auditd", "whole, of execs that succeed"
    sees = ("exec", "fail")
    ending = signal.SIGTERM
    exception = ("task,never",)
    CONFIGURATION = """local_events = yes
write_logs = yes
log_file = {file}
log_group = root
log_format = RAW
flush = INCREMENTAL_ASYNC
freq = 50
num_logs = 0
max_log_file_action = IGNORE
space_left = 75
space_left_action = IGNORE
admin_space_left = 50
admin_space_left_action = IGNORE
disk_full_action = IGNORE
disk_error_action = IGNORE
name_format = NONE
plugin_dir = {directory}
"""
    sample = 100_000	# lines; of more, ausearch would not see the end

    def status(self):
        return dict(line.split()[:2] for line in out(["auditctl", "-s"]).decode().splitlines())

    def prepare(self, file):
        self.before = self.status()
        if self.before["enabled"] != "0" or self.before["pid"] != "0":
            raise Unusable("auditing is in use on this machine")
        self.rules = []
        self.directory = file + ".d"
        os.makedirs(self.directory, exist_ok=True)
        with open(os.path.join(self.directory, "auditd.conf"), "w", encoding="ascii") as config:
            config.write(self.CONFIGURATION.format(file=file, directory=self.directory))

    def command(self, file):
        return ["auditd", "-n", "-s", "nochange", "-c", self.directory]

    def started(self):
        subprocess.run(["auditctl", "-d", *self.exception], check=False, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        for bits in ("b64", "b32"):
            rule = ["always,exit", "-F", f"arch={bits}", "-S", "execve", "-S", "execveat"]
            out(["auditctl", "-a", *rule])
            self.rules.append(rule)
        out(["auditctl", "-b", "8192"])	# as Debian has it
        out(["auditctl", "-e", "1"])

    def finish(self):
        for rule in self.rules:
            out(["auditctl", "-d", *rule])
        if self.rules:
            out(["auditctl", "-e", "0"])
            out(["auditctl", "-b", self.before["backlog_limit"]])
            out(["auditctl", "-a", *self.exception])
        self.rules = []

    def events(self, file):
        whole, calls = set(), []
        pattern = re.compile(rb"type=SYSCALL msg=audit\(([\d.:]+)\).* success=(\w+) .* pid=(\d+) ")
        with open(file, "rb") as lines:
            for line in lines:
                if line.startswith(b"type=EXECVE") and b'"' + LAST + b'"' in line:
                    whole.add(line.split(b"(", 1)[1].split(b")", 1)[0])
                match = pattern.match(line)
                if match:
                    calls.append((match[1], match[2], match[3]))
        for serial, success, pid in calls:
            yield "exec" if success == b"yes" else "fail", int(pid), serial in whole

    def reader(self, file):
        part = file + ".part"
        with open(file, "rb") as lines, open(part, "wb") as some:
            for _, line in zip(range(self.sample), lines):
                some.write(line)
        return ["ausearch", "-i", "-if", part], sum(1 for _ in self.events(part))


TRACERS = (Tracer, Exectrace, OtherUser, OtherName, OtherTree, OtherCgroup, Execsnoop, Bpftrace, Perf, TraceCmd,
           Forkstat, Extrace, Accounting, Audit)


def own_mounts():
    """A mount namespace for this process and what it starts, with tracefs: nothing to be taken back afterwards."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x00020000) != 0:	# CLONE_NEWNS
        raise SystemExit(f"bench: unshare: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    if not os.path.isdir(os.path.join(TRACEFS, "events")):
        subprocess.run(["mount", "-t", "tracefs", "tracefs", TRACEFS], check=True)


def available(args):
    """The tracers that were asked for and are there; says which are not, and why."""
    for kind in TRACERS:
        if kind.name not in args.tracers:
            continue
        if kind.tool in (None, "exectrace") or shutil.which(kind.tool):
            yield kind(args)
        else:
            say(f"{kind.name} is left out: {kind.tool} is not installed")
    if "sysdig" in args.tracers and shutil.which("sysdig"):
        # Debian 12 has one that needs a kernel module of its own.
        tried = subprocess.run(["sysdig", "-n", "1"], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        say(f"sysdig is left out: {' '.join(tried.stderr.decode(errors='replace').split())[:300]}")


def memory(pid):
    """Peak of a process and its descendants, bytes, beside the rings they have mapped; and these."""
    private = rings = 0
    with contextlib.suppress(OSError):
        mapped = 0
        with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="replace") as file:
            ring = False
            for line in file:
                if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                    perf = "[perf_event]" in line
                    ring = perf or "anon_inode:bpf-map" in line
                elif ring and line.startswith("Rss:"):
                    mapped += int(line.split()[1]) * 1024
                elif ring and perf and line.startswith("Size:"):
                    rings += int(line.split()[1]) * 1024
        for info in glob.glob(f"/proc/{pid}/fdinfo/*"):
            with open(info, encoding="ascii", errors="replace") as file:
                fields = dict(line.split(None, 1) for line in file if ":" in line)
            if fields.get("map_type:", "").strip() == "27":	# BPF_MAP_TYPE_RINGBUF
                rings += int(fields["max_entries:"])
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            private = sum(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM")) - mapped
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            for child in file.read().split():
                below = memory(int(child))
                private, rings = private + below[0], rings + below[1]
    return private, rings


def last_words(file):
    with open(file + ".err", encoding="utf-8", errors="replace") as errors:
        return " ".join(errors.read().split())[-300:]


@contextlib.contextmanager
def tracing(tracer, file, settle):
    """Runs the tracer; yields a dictionary that is filled when it has ended."""
    spent = {}
    if tracer.tool is None:
        yield spent
        return
    tracer.prepare(file)
    process = None
    try:
        with open(file if tracer.to_stdout else os.devnull, "wb") as stdout, open(file + ".err", "wb") as stderr:
            process = subprocess.Popen(tracer.command(file), stdin=subprocess.DEVNULL, stdout=stdout,
                                       stderr=stderr, cwd=os.path.dirname(file), start_new_session=True)
        end = time.monotonic() + 30
        time.sleep(settle)
        while process.poll() is None and not tracer.ready(file) and time.monotonic() < end:
            time.sleep(0.1)
        if process.poll() is not None:
            raise Unusable(f"it ended at once, with {process.returncode}: {last_words(file)}")
        tracer.started()
        yield spent
        time.sleep(min(settle, 1))
        spent["memory"], mapped = memory(process.pid)
        spent["ring"] = mapped + tracer.ring()
        process.send_signal(tracer.ending)
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        spent["cpu"] = usage.ru_utime + usage.ru_stime
        if tracer.in_kernel:
            spent["memory"] = spent["cpu"] = 0
        if not os.path.exists(file):
            raise Unusable(f"it left no file: {last_words(file)}")
        spent["bytes"] = os.path.getsize(file)
    finally:
        # What a tracer that failed has left running.
        if process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        tracer.finish()

"""What the tests share: where the programs are, running them, reading captures.

Every test is a plain program: exit 0 passes, 77 is skipped with the reason on
stdout, anything else fails. CI=true turns a skip into a failure, so that a gap
in the test machine cannot pass for a success.
"""
import base64
import contextlib
import ctypes
import json
import os
import platform
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("ET_BUILD", "build")
SOURCE = os.environ.get("ET_SOURCE", ".")
BIN = os.path.join(BUILD, "bin")
HELPERS = os.path.join(BUILD, "tests", "bin")
# The one that reads captures here, which a build for another machine cannot.
EXECTRACE = os.path.join(os.environ.get("ET_HOST_BUILD") or BUILD, "bin", "exectrace")
RECORDER = os.path.join(BIN, "exectrace-record")
SANITIZED = os.environ.get("ET_SANITIZE", "") != ""

# No figure is judged by the clock; this only keeps a hung program from
# hanging the run.
TIMEOUT = 120


class Failure(Exception):
    """What was demanded and what was found, for the reader of the log."""


def helper(name):
    return os.path.join(HELPERS, name)


def skip(reason):
    if os.environ.get("CI") == "true":
        print(f"FAIL: would be skipped, but CI=true: {reason}")
        sys.exit(1)
    print(f"SKIP: {reason}")
    sys.exit(77)


def cache(name, build=None):
    """A variable that a build was configured with."""
    with open(os.path.join(build or BUILD, "CMakeCache.txt"), encoding="utf-8") as file:
        for line in file:
            if line.startswith(name + ":"):
                return line.split("=", 1)[1].strip()
    raise Failure(f"CMakeCache.txt has no {name}")


def demand(truth, message):
    if not truth:
        raise Failure(message)


def equal(found, expected, what):
    def short(value):
        text = repr(value)
        return text if len(text) <= 2000 else f"{text[:2000]}... ({len(text)} characters)"
    demand(found == expected, f"{what}: found {short(found)}, expected {short(expected)}")


def need_tool(name):
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        skip(f"{name} is not installed")
    return path


def need_root():
    if os.geteuid() != 0:
        skip("needs root")


def need_bpf():
    """Skips unless this process may load BPF programs and the kernel has BTF."""
    if not os.path.exists(RECORDER):
        skip("the recorder was not built")
    need_root()
    if not os.path.exists("/sys/kernel/btf/vmlinux"):
        skip("the kernel has no BTF (/sys/kernel/btf/vmlinux)")
    if platform.machine() not in ("x86_64", "aarch64", "riscv64", "s390x"):
        skip("the number of the bpf system call is not known here")
    number = {"x86_64": 321, "s390x": 351}.get(platform.machine(), 280)
    # r0 = 0; exit
    code = ctypes.create_string_buffer(struct.pack("<QQ", 0xB7, 0x95), 16)
    name = ctypes.create_string_buffer(b"GPL")
    # BPF_PROG_LOAD of a BPF_PROG_TYPE_TRACEPOINT
    attr = struct.pack("=IIQQIIQI", 5, 2, ctypes.addressof(code), ctypes.addressof(name),
                       0, 0, 0, 0).ljust(128, b"\0")
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.syscall(number, 5, ctypes.create_string_buffer(attr, len(attr)), len(attr))
    if fd < 0:
        skip(f"the kernel forbids BPF here: {os.strerror(ctypes.get_errno())}")
    os.close(fd)


@contextlib.contextmanager
def workdir():
    """A directory of its own, for everybody to enter, gone afterwards."""
    path = tempfile.mkdtemp(prefix="exectrace-test-")
    os.chmod(path, 0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def small_disk(work, size):
    """A file system of so many bytes, below work."""
    place = os.path.join(work, "disk")
    os.mkdir(place)
    run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place])
    try:
        yield place
    finally:
        run(["umount", "-l", place])


def run(argv, code=0, **kwargs):
    """Runs a program to its end and demands its exit code; None takes any."""
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    kwargs.setdefault("stdout", subprocess.PIPE)
    kwargs.setdefault("stderr", subprocess.PIPE)
    kwargs.setdefault("timeout", TIMEOUT)
    if "input" in kwargs:
        kwargs.pop("stdin")
    done = subprocess.run([os.fspath(a) if not isinstance(a, bytes) else a for a in argv],
                          check=False, **kwargs)
    if code is not None and done.returncode != code:
        raise Failure(f"{show(argv)}: exit code {done.returncode}, expected {code}\n"
                      f"stdout: {tail(done.stdout)}\nstderr: {tail(done.stderr)}")
    return done


def show(argv):
    return " ".join(a.decode(errors="replace") if isinstance(a, bytes) else str(a)
                    for a in argv)


def tail(data, size=2000):
    return (data or b"")[-size:].decode(errors="replace")


def exectrace(*args, code=0, **kwargs):
    return run([EXECTRACE, *args], code=code, **kwargs)


def record(path, *args, code=0, **kwargs):
    return exectrace("record", "-o", path, *args, code=code, **kwargs)


def replay(*args, **kwargs):
    """Events of replay --json, as dictionaries."""
    return lines(exectrace("replay", "--json", *args, **kwargs).stdout)


def lines(data):
    return [json.loads(line) for line in data.splitlines()]


def info(path, **kwargs):
    return json.loads(exectrace("info", "--json", path, **kwargs).stdout)


def raw(event, name):
    """The exact bytes of a text field of replay --json, None when absent."""
    if name + "_b64" in event:
        return base64.b64decode(event[name + "_b64"])
    return event[name].encode() if name in event else None


def raw_argv(event):
    """The exact bytes of each argument, None when absent."""
    if "argv" not in event:
        return None
    exact = event.get("argv_b64") or [None] * len(event["argv"])
    equal(len(exact), len(event["argv"]), "length of argv_b64")
    return [base64.b64decode(b) if b is not None else a.encode()
            for a, b in zip(event["argv"], exact)]


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def written(work, name, data):
    """The path of a file with these bytes."""
    path = os.path.join(work, name)
    with open(path, "wb") as file:
        file.write(data)
    return path


def generated(*args):
    """A capture of made-up events; cli/make_capture.c says what it may be told."""
    return run([helper("make_capture"), *map(str, args)]).stdout


def made(work, *args):
    """The path of one."""
    return written(work, "-".join(map(str, args)) + ".etz", generated(*args))


def children(pid):
    """Of all its threads."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
            found += [int(word) for word in file.read().split()]
    return found


def boottime():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


@contextlib.contextmanager
def tiers(name):
    """Recorders use what another kernel would have them use."""
    os.environ["EXECTRACE_TIERS"] = name
    try:
        yield
    finally:
        del os.environ["EXECTRACE_TIERS"]


def wait_until(ready, what, seconds=30, pause=0.02):
    """Polls until ready() returns something true, and returns it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = ready()
        if value:
            return value
        time.sleep(pause)
    raise Failure(f"waited {seconds} s in vain for {what}")


@contextlib.contextmanager
def started(argv, **kwargs):
    """A program running in the background; stopped, at the latest, at the end."""
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    kwargs.setdefault("stdout", subprocess.PIPE)
    kwargs.setdefault("stderr", subprocess.PIPE)
    with subprocess.Popen(argv, **kwargs) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@contextlib.contextmanager
def recording(path, *args, **kwargs):
    """A recorder in the background, without a command, attached for certain."""
    with started([EXECTRACE, "record", "-o", path, *args], **kwargs) as process:
        until_attached(process, path)
        yield process


def until_attached(process, path):
    """Executes markers until one of them is in the file that process writes."""
    def seen():
        demand(process.poll() is None,
               f"the recorder ended at once: {tail(process.stderr.read()) if process.poll() is not None and process.stderr else ''}")
        run(["/bin/true", "exectrace-test-marker"])
        if not os.path.exists(path) or os.path.getsize(path) == 0:
            return False
        found = exectrace("replay", "--json", "--kind", "exec", path, code=None).stdout
        return b"exectrace-test-marker" in found
    wait_until(seen, "the recorder to see an exec")


def until_held(process, signo):
    """Until a recorder that begins holds a signal back: it comes to it when it has begun."""
    def held():
        with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
            return any(line.startswith("SigBlk:") and int(line.split()[1], 16) >> signo - 1 & 1 for line in file)
    wait_until(held, "the recorder to hold signals back", pause=0.001)


def stop(process, sig=signal.SIGINT):
    """Sends a signal; returns exit code, stdout, stderr."""
    process.send_signal(sig)
    out, err = process.communicate(timeout=TIMEOUT)
    return process.returncode, out, err


def main(*tests):
    """Runs test functions in order; each is named in the log."""
    failed = 0
    for test in tests:
        name = test.__name__
        start = time.monotonic()
        try:
            test()
            print(f"ok   {name} ({time.monotonic() - start:.1f} s)", flush=True)
        except (Failure, subprocess.TimeoutExpired, json.JSONDecodeError) as error:
            failed += 1
            print(f"FAIL {name}: {error}", flush=True)
    sys.exit(1 if failed else 0)

#!/usr/bin/env python3
"""--env: environments byte for byte, of execs and of failed ones, and nothing that was not asked for."""
import base64
import os
import resource
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
import world  # noqa: E402

TRUE = "/bin/true"
NOWHERE = "/nonexistent/program"
SECRET = b"hush-hush-4711"

# A child for each case calls execve itself: Python alone would not pass any environment on. The
# cases come on standard input: [(path, environment, or None for NULL), ...].
CALLER = """
import ctypes, os, sys
execve = ctypes.CDLL(None, use_errno=True).execve
for path, env in eval(sys.stdin.read()):
    argv = (ctypes.c_char_p * 2)(b"case")
    envp = None if env is None else (ctypes.c_char_p * (len(env) + 1))(*env)
    pid = os.fork()
    if not pid:
        execve(path.encode(), argv, envp)
        os._exit(0)
    os.waitpid(pid, 0)
"""

HOSTILE = [b"A=1", b"", b"no name", b"=C:=x", b"A=2", b"NL=a\nb", b"BAD=\xff\xfe", b"LAST="]
MANY = [b"V%05d=%05d" % (i, i) for i in range(9000)]
# No string may be longer than 128 KiB; with their NULs these are 2 MiB.
HUGE = [b"H%02d=" % i + b"x" * ((1 << 17) - 5) for i in range(16)]


def recorded(work, cases, *options):
    """The execs and the failed ones of the cases, in order."""
    capture = os.path.join(work, "env.etz")
    lab.record(capture, "--ring-size", "32M", *options, "--", sys.executable, "-c", CALLER,
               input=repr(cases).encode(), env={"PATH": "/usr/bin:/bin", "OUTSIDE": SECRET.decode()},
               preexec_fn=more_stack)
    lab.equal(lab.info(capture)["complete"], True, "complete")
    events = [event for event in lab.replay(capture)
              if event["kind"] in ("exec", "fail") and event["argv"] == ["case"]]
    lab.equal([event["kind"] for event in events],
              ["fail" if path == NOWHERE else "exec" for path, _ in cases], "kinds")
    return capture, events


def more_stack():
    """The kernel allows a quarter of it for arguments and environment."""
    resource.setrlimit(resource.RLIMIT_STACK, (16 << 20, resource.getrlimit(resource.RLIMIT_STACK)[1]))


def env_of(event):
    """The exact bytes of each string."""
    exact = event.get("env_b64") or [None] * len(event["env"])
    return [base64.b64decode(coded) if coded is not None else item.encode()
            for item, coded in zip(event["env"], exact)]


def both(*environments):
    return [(path, env) for env in environments for path in (TRUE, NOWHERE)]


def every_byte():
    with lab.workdir() as work:
        cases = both(HOSTILE, [], None, [b"ONE=1"], MANY)
        _, events = recorded(work, cases, "--env", "all", "--max-env", "2M")
        for event, (path, env) in zip(events, cases):
            what = f"{path}, {len(env or [])} strings"
            lab.equal(env_of(event), env or [], f"env of {what}")
            lab.equal({name for name in event if name.startswith("env_")} - {"env_b64"}, set(),
                      f"marks of {what}")


def two_megabytes():
    with lab.workdir() as work:
        cases = both(HUGE)
        _, events = recorded(work, cases, "--env", "all", "--max-env", "2M")
        for event in events:
            lab.equal(env_of(event) == HUGE, True, "the environment is whole")


def cut_with_its_true_size():
    with lab.workdir() as work:
        cases = both(MANY)
        _, events = recorded(work, cases, "--env", "all", "--max-env", "1K")
        for event in events:
            data = b"".join(item + b"\0" for item in env_of(event))
            whole = b"".join(item + b"\0" for item in MANY)
            lab.demand(whole.startswith(data.rstrip(b"\0")) and 1023 <= len(data) <= 1025,
                       f"{event['kind']}: {len(data)} bytes are not the beginning")
            lab.equal((event["env_truncated"], event["env_count"]), (True, len(MANY)), event["kind"])
            # The size of a failed call's is not known without reading all of it.
            lab.equal(event.get("env_bytes"), len(whole) if event["kind"] == "exec" else None, event["kind"])


def names_alone():
    """Of other variables not a byte is in the capture, however it is packed."""
    with lab.workdir() as work:
        env = [b"PATH=/right", b"TOKEN=" + SECRET, b"LD_A=1", b"PATHS=" + SECRET, b"LD_PRELOAD=", b"X" + SECRET]
        capture, events = recorded(work, both(env), "--env", "PATH,LD_*", "--max-env", "2M")
        for event in events:
            lab.equal(env_of(event), [b"PATH=/right", b"LD_A=1", b"LD_PRELOAD="], event["kind"])
        lab.demand(SECRET not in plain(capture), "the capture has another variable's value")
        # The same search finds it where it was asked for.
        os.unlink(capture)
        capture, _ = recorded(work, both(env), "--env", "TOKEN")
        lab.demand(SECRET in plain(capture), "the search finds nothing")


def off_unless_asked_for():
    with lab.workdir() as work:
        capture, events = recorded(work, both([b"TOKEN=" + SECRET]))
        lab.demand(not any("env" in event for event in events), "has env")
        lab.demand(SECRET not in plain(capture), "the capture has the environment")


def cut_in_a_further_part():
    with lab.workdir() as work:
        _, events = recorded(work, both(HUGE[:3]), "--env", "all", "--max-env", "200K")
        for event in events:
            lab.demand(200 << 10 <= sum(len(item) + 1 for item in env_of(event)) <= (200 << 10) + 1,
                       f"{event['kind']}: cut elsewhere")


def plain(capture):
    with open(capture, "rb") as file:
        return world.unpacked(file.read())


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(every_byte, two_megabytes, cut_with_its_true_size, names_alone, off_unless_asked_for,
             cut_in_a_further_part)

#!/usr/bin/env python3
"""On a terminal: nothing of a capture reaches it but text, lines fit, a pager shows what is long, and --speed waits."""
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hostile  # noqa: E402
import lab  # noqa: E402
import world  # noqa: E402

OURS = re.compile(rb"\x1b\[(?:2|31|33|36|1;31)?m")
ENV = {name: value for name, value in os.environ.items()
       if name not in ("LESS", "PAGER", "EXECTRACE_PAGER", "NO_COLOR", "EXECTRACE_SANDBOX")}
ENV |= {"TERM": "xterm", "LC_ALL": "C.UTF-8"}


@contextlib.contextmanager
def terminal(*args, columns=80, **env):
    """A command that has a terminal, and the other end of that."""
    master, slave = pty.openpty()
    modes = termios.tcgetattr(slave)
    modes[1] &= ~termios.OPOST	# newlines as they are written
    termios.tcsetattr(slave, termios.TCSANOW, modes)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
    with lab.started([lab.EXECTRACE, *args], stdout=slave, stderr=slave,
                     env={name: value for name, value in {**ENV, **env}.items() if value is not None}) as process:
        os.close(slave)
        yield process, master
    os.close(master)


def rest(master):
    """What comes until nobody has the terminal open any more."""
    data = b""
    while select.select([master], [], [], lab.TIMEOUT)[0]:
        try:
            piece = os.read(master, 65536)
        except OSError:	# EIO is how a terminal ends
            return data
        if not piece:
            return data
        data += piece
    raise lab.Failure(f"the terminal is silent for {lab.TIMEOUT} s")


def seen(*args, code=0, columns=80, **env):
    with terminal(*args, columns=columns, **env) as (process, master):
        data = rest(master)
        found = process.wait(lab.TIMEOUT)
        lab.demand(code is None or found == code, f"{args}: exit code {found}, expected {code}: {data[-500:]}")
        return data


def is_text(data, what):
    text = OURS.sub(b"", data)
    bad = re.findall(rb"[\x00-\x09\x0b-\x1f\x7f]", text)
    lab.demand(not bad, f"{what}: {len(bad)} control bytes, the first {bad[:1]} in {text[max(text.find(bad[0]) - 50, 0):][:100] if bad else b''}")
    bad = [char for char in text.decode() if char != "\n" and hostile.unsafe(char)]
    lab.demand(not bad, f"{what}: characters {bad[:5]}")
    return text.decode()


def commands():
    """Each that only reads captures, with all that changes how it prints."""
    every = ",".join(re.findall(r"^  ([a-z_]+) ", lab.exectrace("replay", "--columns", "help").stdout.decode(), re.M)[:64])
    template = "{" + "}{".join(every.split(",")[:60]) + "}"
    kinds = ("--kind", "exec,fail,fork,exit,proc,lost")
    for options in ((), kinds, ("--wide",), ("--date",), ("--columns", every), ("--columns", every, "--wide"), ("--format", template),
                    ("--format", "{argv:.30} {cwd:>20.9}"), ("--json",), ("--csv", "--columns", every), ("--csv",), ("--format", "sh"), ("--count",),
                    ("--sort", "-argv,user,container"), ("--reverse",), ("--tail", "50"), ("--time", "iso"), ("--color", "never", *kinds)):
        yield ("replay", *options)
    told = set(re.findall(r"^  ([a-z-]+)  +\S", lab.exectrace("--help").stdout.decode(), re.M))
    others = [command for command in ("summary", "info", "verify", "tree", "timeline") if command in told]
    lab.demand(len(others) >= 3, f"commands: {told}")
    for command in others:
        yield (command,)
        if "--json" in lab.exectrace("help", command).stdout.decode():
            yield (command, "--json")
    yield ("info", "--exes", "--losses")


def no_byte_of_a_capture():
    with lab.workdir() as work:
        good = hostile.capture(os.path.join(work, "h.etz"), 5, 600)
        data = lab.contents(good)
        evil = lab.written(work, "\x1b]0;x\x07\u202e.etz", data[:len(data) * 2 // 3])
        text = os.path.join(work, "n\n\x9b.etz")
        with open(text, "wb") as file:
            file.write(b"no capture \x1b[2J\n")
        looked = 0
        for args in commands():
            for path in (good, evil):
                out = is_text(seen(*args, path, code=None, EXECTRACE_PAGER="cat"), f"{args} of {path!r}")
                lab.demand(out.count("\n") > 0, f"{args} says nothing")
                looked += len(out)
            is_text(seen(*args, text, code=1, EXECTRACE_PAGER="cat"), f"{args} of no capture")
        lab.demand(looked > 1000000, f"only {looked} characters")
        for args in (("replay", "--comm", "\x1b[2J"), ("replay", "--where", "comm == \x1b[2J"), ("replay", "--format", "{\x1b[2J}"),
                     ("replay", "--sort", "\x1b[2J"), ("replay", "--format", "\x1b[2J"), ("replay", "--speed", "\x1b[2J")):
            is_text(seen(*args, good, code=None, EXECTRACE_PAGER="cat"), f"{args}")


def colour_is_for_terminals():
    with lab.workdir() as work:
        path = lab.made(work, "30")
        plain = lab.exectrace("replay", "--wide", path, env=ENV).stdout
        for options, env, colored in (((), {}, True), ((), {"NO_COLOR": "1"}, False), ((), {"NO_COLOR": ""}, True), ((), {"TERM": "dumb"}, False),
                                      ((), {"TERM": None}, False), (("--color", "never"), {}, False),
                                      (("--color", "always"), {"NO_COLOR": "1", "TERM": "dumb"}, True), (("--color", "auto"), {}, True)):
            out = seen("replay", "--wide", "-q", *options, path, EXECTRACE_PAGER="cat", **env)
            lab.equal(OURS.sub(b"", out), plain, f"text of {options} {env}")
            lab.equal(b"\x1b" in out, colored, f"colour of {options} {env}")
        lab.demand(b"\x1b" not in plain, "colour in a pipe")


def lines_fit():
    with lab.workdir() as work:
        path = hostile.capture(os.path.join(work, "h.etz"), 6, 300)
        for columns in (20, 47, 80, 200):
            for options in ((), ("--columns", "time,argv,cwd,pid"), ("--columns", "cwd,user,comm")):
                out = is_text(seen("replay", "-q", *options, path, columns=columns, EXECTRACE_PAGER="cat"), "lines")
                wide = [line for line in out.split("\n") if hostile.width(line) > columns and not line.startswith("exectrace")]
                lab.equal(wide, [], f"lines wider than {columns}")
                cut = [line for line in out.split("\n") if line.endswith("\u2026")]
                lab.demand(cut and all(hostile.width(line) in (columns, columns - 1) for line in cut), f"lines cut at {columns}")


def pager_has_it_all():
    """Output and messages, cut and coloured as for the terminal; the exit code is that of the command."""
    with lab.workdir() as work:
        path = lab.made(work, "400")
        direct = seen("replay", path, EXECTRACE_PAGER="")
        took = os.path.join(work, "took")
        for env in ({"EXECTRACE_PAGER": f"cat > {took}"}, {"PAGER": f"cat > {took}"},
                    {"EXECTRACE_PAGER": f"cat > {took}", "PAGER": "false", "EXECTRACE_SANDBOX": None if lab.SANITIZED else "require"}):
            lab.equal(seen("replay", path, **env), b"", "the terminal")
            lab.equal(lab.contents(took), direct, f"what the pager of {env} got")
        lab.demand(b"\x1b" in direct and b"complete" in direct, f"colour and message: {direct[-200:]}")
        # Without a shell, found along PATH.
        lab.equal(seen("replay", path, PAGER="head"), b"\n".join(direct.split(b"\n")[:10]) + b"\n", "what head shows")
        cut = lab.written(work, "cut.etz", lab.contents(path)[:-300])
        direct = seen("replay", cut, code=3, PAGER="cat")
        seen("replay", cut, code=3, PAGER=f"cat > {took}")
        lab.equal(lab.contents(took), direct, "lines and messages of one that is cut off")
        lab.demand(b"exectrace replay: " in direct, "a message")
        seen("replay", os.path.join(work, "none"), code=1, PAGER=f"cat > {took}")


def pager_only_where_it_helps():
    with lab.workdir() as work:
        path = lab.made(work, "30")
        direct = seen("replay", path, PAGER="cat")
        loud = "echo paged; cat > /dev/null"
        for options, env, paged in (((), {}, True), (("--json",), {}, True), (("--no-pager",), {}, False), (("--count",), {}, False),
                                    (("--speed", "1000000x"), {}, False), ((), {"TERM": "dumb"}, False), ((), {"EXECTRACE_PAGER": ""}, False),
                                    ((), {"EXECTRACE_PAGER": "cat"}, False)):
            lab.equal(b"paged" in seen("replay", *options, path, **{"PAGER": loud, **env}), paged, f"{options} {env}")
        lab.demand(b"paged" not in lab.exectrace("replay", path, env={**ENV, "PAGER": loud}).stdout, "a pager in a pipe")
        # One that is not there is told of, and less, which nobody has named, is not missed.
        lab.equal(seen("replay", path, PAGER="no-such-pager"),
                  b"exectrace replay: cannot run the pager no-such-pager: No such file or directory\n" + direct, "without that pager")
        lab.equal(seen("replay", path, PATH=work), direct, "without less")
        # What less is told.
        os.symlink("/usr/bin/env", os.path.join(work, "less"))
        for less, expected in ((None, b"LESS=FRX\n"), ("S", b"LESS=S\n")):
            lab.demand(expected in seen("replay", path, PATH=work, LESS=less), f"LESS of {less}")


def ignores(pid, sig):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        masks = dict(line.split(":\t") for line in file if line.startswith("Sig"))
    return int(masks["SigIgn"], 16) >> (sig - 1) & 1


def leaving_the_pager():
    with lab.workdir() as work:
        path = lab.made(work, "3000")
        out = seen("replay", path, PAGER="head -n 1")
        lab.demand(out.startswith(b"TIME") and out.count(b"\n") == 1, f"what is left on the terminal: {out[:200]}")
        # Also while nothing comes that could find the pipe closed.
        fifo = os.path.join(work, "fifo")
        os.mkfifo(fifo)
        with terminal("replay", fifo, PAGER="sleep 0.2") as (process, master):
            end = os.open(fifo, os.O_WRONLY)
            lab.equal((rest(master), process.wait(lab.TIMEOUT)), (b"", 0), "when the pager ends before the first event")
            os.close(end)
        # A key that interrupts is the pager's.
        with terminal("replay", path, PAGER="read x; cat; exit 5") as (process, master):
            lab.wait_until(lambda: ignores(process.pid, signal.SIGQUIT), "the pager")
            for sig in (signal.SIGINT, signal.SIGQUIT):
                process.send_signal(sig)
            lab.demand(b"\x1b" in rest(master), "the output")
            lab.equal(process.wait(lab.TIMEOUT), 0, "exit code")


def after(*seconds):
    at = [1 + int(second * 10**9) for second in seconds]
    return "segment ts=1 realtime=1790000000000000000\n" + "".join(f"fork ts={ts} pid={ts}\n" for ts in at) + f"end ts={at[-1] + 1} done\n"


def speed_waits():
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "s.etz"), after(0, 0.3, 0.9))
        for options, factor in ((("--speed", "1x"), 1), (("--speed", "2", "--json"), .5), (("--speed=0.5x", "--csv", "--no-header"), 2)):
            with lab.started([lab.EXECTRACE, "replay", "--columns", "pid", "--no-header", *options, path] if "--json" not in options else
                             [lab.EXECTRACE, "replay", *options, path]) as process:
                times = [(process.stdout.readline(), time.monotonic())[1] for _ in range(3)]
                lab.equal((process.stdout.read(), process.wait(lab.TIMEOUT)), (b"", 0), "what is left")
            waited = [times[1] - times[0], times[2] - times[0]]
            lab.demand(waited[0] > 0.25 * factor and waited[1] > 0.85 * factor, f"{options}: waited {waited}")
        hours = world.write(os.path.join(work, "h.etz"), after(0, 0.01, 7200))
        lab.equal(len(lab.replay("--speed", "1x", "--limit", "2", hours)), 2, "with --limit, without the last wait")
        lab.equal(len(lab.replay("--speed", "1000000x", hours)), 3, "two hours in a trice")


def speed_ends():
    """Nobody reads any more, or it is interrupted: it does not wait on; what was due was shown."""
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "h.etz"), after(0, 0.01, 7200))
        with lab.started([lab.EXECTRACE, "replay", "--json", "--speed", "1x", path]) as process:
            lab.demand(process.stdout.readline() and process.stdout.readline(), "two lines")
            process.stdout.close()
            lab.equal(process.wait(lab.TIMEOUT), 0, "exit code when nobody reads")
        with lab.started([lab.EXECTRACE, "replay", "--json", "--speed", "1x", path]) as process:
            lab.demand(process.stdout.readline() and process.stdout.readline(), "two lines")
            process.send_signal(signal.SIGINT)
            lab.equal(process.wait(lab.TIMEOUT), -signal.SIGINT, "exit code when interrupted")


if __name__ == "__main__":
    lab.main(no_byte_of_a_capture, colour_is_for_terminals, lines_fit, pager_has_it_all, pager_only_where_it_helps, leaving_the_pager,
             speed_waits, speed_ends)

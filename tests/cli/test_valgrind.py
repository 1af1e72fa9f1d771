#!/usr/bin/env python3
"""
The offline commands under valgrind: no error, nothing left behind. They run outside
the sandbox, since valgrind lives in their process and makes calls of its own in it.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402

ERROR = 99
VALGRIND = ["valgrind", "--quiet", "--error-exitcode=%d" % ERROR, "--leak-check=full",
            "--errors-for-leak-kinds=definite,indirect,possible", "--track-fds=yes"]


def under_valgrind(*args, codes=(0,), **kwargs):
    done = lab.run([*VALGRIND, lab.EXECTRACE, *args], code=None, timeout=500,
                   env={**os.environ, "EXECTRACE_SANDBOX": "off"}, **kwargs)
    lab.demand(done.returncode in codes, f"{args}: exit code {done.returncode}\n{lab.tail(done.stderr)}")


def a_capture(work):
    """A real one where that can be had, else a made-up one."""
    path = os.path.join(work, "c.etz")
    if os.geteuid() == 0 and os.path.exists(lab.RECORDER):
        done = lab.record(path, "--all", "--", lab.helper("storm"), "2", "300", "100", "10", code=None)
        if done.returncode == 0:
            print("   on a real capture")
            return path
    with open(path, "wb") as file:
        subprocess.run([lab.helper("make_capture"), "1000"], stdout=file, check=True)
    return path


def offline_commands():
    with lab.workdir() as work:
        capture = a_capture(work)
        for args in (("replay",), ("replay", "--json"), ("replay", "--count", "--uid", "0"),
                     ("replay", "--comm", "s*", "--arg", "--*", "--limit", "3"), ("summary",), ("summary", "--json"),
                     ("summary", "--by", "comm,user"), ("summary", "--by", "parent,argv", "--json"),
                     ("summary", "--by", "hour,result", "--csv"),
                     ("info",), ("info", "--json"), ("replay", "--since", "+1ms"), ("tree",), ("tree", "--json"),
                     ("tree", "--no-fold", "--depth", "2", "--pid", "901,902"), ("replay", "--descendants-of", "1,901"), ("replay", "--csv"), ("replay", "--format", "sh"),
                     ("replay", "--format", "{time:>20} {argv:.9}"), ("replay", "--sort", "-duration,argv", "--limit", "5"),
                     ("replay", "--reverse", "--color", "always"), ("replay", "--tail", "9", "--time", "delta")):
            under_valgrind(*args, capture)
        under_valgrind("replay", capture, capture)
        out = ("-f", "-o", os.path.join(work, "o.etz"))
        for args in (("slice", "--comm", "s*"), ("slice", "--descendants-of", "901"), ("slice", "--no-ancestors", "--since", "+1ms"), ("merge", capture),
                     ("compact", "--level", "3"), ("compact", "--chunk-rows", "5", "--level", "1")):
            under_valgrind(*args, *out, capture)
        with open(capture, "rb") as file:
            under_valgrind("replay", "-", stdin=file)
        for args in ((), ("help",), ("help", "replay"), ("replay", "--uid", "x,"), ("replay", "/nonexistent"), ("rewind",)):
            under_valgrind(*args, codes=(0, 1, 2))


def damaged_captures():
    with lab.workdir() as work:
        with open(a_capture(work), "rb") as file:
            good = file.read()
        bad = os.path.join(work, "bad.etz")
        for at in range(0, len(good), max(len(good) // 12, 1)):
            with open(bad, "wb") as file:
                file.write(good[:at] + bytes(b ^ 0x5A for b in good[at:at + 40]) + good[at + 40:])
            for args in (("replay", "--json"), ("info",), ("merge", "-q", "-f", "-o", os.path.join(work, "o.etz")),
                         ("slice", "--failed", "-f", "-o", os.path.join(work, "o.etz"))):
                under_valgrind(*args, bad, codes=(0, 1, 3))


if __name__ == "__main__":
    lab.need_tool("valgrind")
    lab.main(offline_commands, damaged_captures)

#!/usr/bin/env python3
"""What the recorder says about wrong use, and that it keeps its word with --force."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402


def complaint(*args, code=2):
    """The one line on standard error, without the recorder's name."""
    err = lab.exectrace("record", *args, code=code).stderr
    lab.demand(err.startswith(b"exectrace record: ") and err.count(b"\n") == 1, f"said {err!r}")
    return err[len(b"exectrace record: "):-1]


def options_are_told_apart():
    for args, text in (
            (("--force=yes",), b"option '--force' takes no value (see --help)"),
            (("--all=",), b"option '--all' takes no value (see --help)"),
            (("--no-f",), b"option '--no-f' is ambiguous (see --help)"),
            (("--f=1",), b"option '--f=1' is ambiguous (see --help)"),
            (("--nothing",), b"unknown option '--nothing' (see --help)"),
            (("-fx",), b"unknown option '-x' (see --help)"),
            (("--output",), b"option '--output' needs a value (see --help)")):
        lab.equal(complaint(*args), text, f"said to {args}")


def numbers_do_not_wrap():
    for value in ("3153600000000000000.999999999d", "4611686018427387904.123456789G", "1.5.5", "36501d"):
        lab.demand(b"is not a time" in complaint("--duration", value), f"takes {value}")
    lab.demand(b"is not a size" in complaint("--ring-size", "4611686018427387904.999999999G"), "takes the size")


def terminal_gets_no_control():
    for name, text in (
            (b"x\xc2\x9b31m/y", rb"x\302\23331m"), (b"x\x1b[31m/y", rb"x\033[31m"),
            (b"x\x7f/y", rb"x\177"), (b"x\xff/y", rb"x\377"), (b"x\xe2\x80/y", rb"x\342\200"),
            (b"\xe2\x80\xae/y", rb"\342\200\256"), (b"\xe2\x81\xa6/y", rb"\342\201\246"),
            (b"\xe2\x80\x8b/y", rb"\342\200\213"), (b"\xef\xbb\xbf/y", rb"\357\273\277"),
            (b"\xed\xa0\x80/y", rb"\355\240\200"), (b"\xc0\xaf/y", rb"\300\257"),
            ("gr\u00fc\u00df \u65e5\U0001f600/y".encode(), "gr\u00fc\u00df \u65e5\U0001f600".encode())):
        said = complaint("-o", b"/nonexistent/" + name, code=1)
        lab.equal(said, b"cannot write to '/nonexistent/" + text + b"/y': directory '/nonexistent/" + text +
                  b"': No such file or directory", "said")
    with lab.workdir() as work:
        said = lab.record(os.path.join(os.fsencode(work), b"\xc2\x9b2J"), "--", "/bin/true").stderr
        lab.demand(rb"\302\2332J" in said and b"\x9b" not in said, f"summary {said!r}")


def failed_beginning_leaves_the_old_file():
    """The first write fails: a file larger than the limit may not be written."""
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        script = f"ulimit -f 0; exec {lab.EXECTRACE} record -f -o {capture} -- /bin/touch {work}/ran"
        for old in (b"precious", None):
            if old:
                with open(capture, "wb") as file:
                    file.write(old)
            else:
                os.unlink(capture)
            done = lab.run(["/bin/bash", "-c", script], code=1)
            lab.demand(b"nothing was recorded" in done.stderr, f"said {done.stderr!r}")
            lab.equal(sorted(os.listdir(work)), ["c.etz"] if old else [], "files")
            if old:
                with open(capture, "rb") as file:
                    lab.equal(file.read(), old, "the old file")


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(options_are_told_apart, numbers_do_not_wrap, terminal_gets_no_control,
             failed_beginning_leaves_the_old_file)

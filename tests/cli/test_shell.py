#!/usr/bin/env python3
"""replay --format sh: shells run the lines, and the program that they run says which arguments came, and where it is."""
import os
import random
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hostile  # noqa: E402
import lab  # noqa: E402
import world  # noqa: E402

# Those that have exec -a; dash is the one that has not.
SHELLS = [shell for shell in ("bash", "zsh", "ksh93", "mksh") if shutil.which(shell)]
PRINT_ARGS = os.path.abspath(lab.helper("print_args"))
BEGIN = "segment ts=1 realtime=1790000000000000000\n"


def exec_row(ts, file, argv, cwd, **more):
    words = [f"exec ts={ts} pid={ts} filename={hostile.quote(file)} exe={hostile.quote(more.pop('exe', file))}",
             f"argv={hostile.words(argv)}"]
    words += [f"cwd={hostile.quote(cwd)}"] if cwd else []
    return " ".join(words + [f"{name}={hostile.quote(v) if isinstance(v, bytes) else v}" for name, v in more.items()]) + "\n"


def lines_of(work, rows, *options):
    path = world.write(os.path.join(work, "c.etz"), BEGIN + "".join(rows) + f"end ts={len(rows) + 10} done\n")
    out = lab.exectrace("replay", "--format", "sh", *options, path).stdout
    lab.demand(not re.search(b"[\x00-\x09\x0b-\x1f\x7f]", out), f"a control byte in {out!r}")
    return out.splitlines()


def said(shell, line, locale="C.UTF-8"):
    """Arguments and directory, as the program says them."""
    return lab.run([shell, "-c", line], env={"PATH": "/usr/bin:/bin", "LC_ALL": locale}).stdout.split(b"\0")[:-1]


def every_byte_survives():
    """Random arguments, files and directories full of them, in both shells."""
    rng = random.Random(11)
    with lab.workdir() as work:
        rows, truth, root = [], [], os.fsencode(work)
        for i in range(150):
            name = rng.choice([s for s in hostile.STRINGS if s and b"/" not in s and len(s) < 200 and s not in (b".", b"..")])
            folder = os.path.join(root, b"%d" % i, name)
            os.makedirs(folder)
            file = os.path.join(folder, b"prog" + rng.choice(hostile.STRINGS)[:99])
            os.symlink(os.fsencode(PRINT_ARGS), file)
            arguments = hostile.random_strings(rng, 9)
            # Called by its path, and by a name that a search along PATH has found.
            argv0 = rng.choice((file, os.path.basename(file)))
            rows.append(exec_row(i + 1, file, [argv0, *arguments], folder))
            truth.append([file, *arguments, folder])
        lines = lines_of(work, rows)
        lab.equal(len(lines), len(rows), "lines")
        lab.demand(not any(line.startswith(b"#") for line in lines), "a comment")
        for line, expected in zip(lines, truth):
            for shell in ("dash", *SHELLS):
                lab.equal(said(shell, line), expected, f"{shell}: {line!r}")
            lab.equal(said("bash", line, "C"), expected, f"bash, in the locale C: {line!r}")
        script = lab.written(work, "all.sh", b"\n".join(lines) + b"\n")
        for shell in ("dash", "bash"):
            out = lab.run([shell, script]).stdout.split(b"\0")[:-1]
            lab.equal(out, [word for each in truth for word in each], f"all lines as a script of {shell}")


def another_argument_0():
    """It needs exec -a; dash, which has none, runs nothing and not the wrong thing."""
    with lab.workdir() as work:
        file = os.fsencode(PRINT_ARGS)
        for argv0 in (b"-bash", b"", b"a b", b"other/print_args", b"n\n", b"\x1b[m", b"x" * 300):
            line, = lines_of(work, [exec_row(1, file, [argv0, b"-x", b"\n"], os.fsencode(work))])
            for shell in SHELLS:
                lab.equal(said(shell, line), [argv0, b"-x", b"\n", os.fsencode(work)], f"{shell}: {line!r}")
            done = lab.run(["dash", "-c", line], code=None)
            lab.demand(done.returncode != 0 and done.stdout == b"", f"dash: {done}")


def relative_files_and_scripts():
    with lab.workdir() as work:
        root = os.fsencode(work)
        os.mkdir(os.path.join(work, "sub"))
        for name in ("tool", "sub/tool"):
            os.symlink(PRINT_ARGS, os.path.join(work, name))
        cases = (
            # file, argv, what is added, argument 0 that comes
            (b"tool", [b"tool", b"1"], {}, b"./tool"),
            (b"./tool", [b"./tool"], {}, b"./tool"),
            (b"./tool", [b"tool"], {}, b"./tool"),
            (b"sub/tool", [b"sub/tool"], {}, b"sub/tool"),
            # A script: what the kernel made of it is executed.
            (b"sub/script", [root + b"/tool", b"-e", b"sub/script", b"a"], {"interpreter": root + b"/tool", "exe": root + b"/tool"},
             root + b"/tool"),
            # Through a descriptor: what that was open on.
            (b"/dev/fd/7", [b"/dev/fd/7"], {"exe": root + b"/tool"}, b"/dev/fd/7"),
        )
        rows = [exec_row(i + 1, file, argv, root, **more) for i, (file, argv, more, _) in enumerate(cases)]
        for line, (_, argv, _, first) in zip(lines_of(work, rows), cases):
            lab.equal(said("bash", line), [first, *argv[1:], root], f"{line!r}")


def what_cannot_be_done_again():
    """A comment that says why and what it was; it runs nothing, whatever is in it."""
    file, cwd = os.fsencode(PRINT_ARGS), b"/"
    evil = [file, b"\nprint_args\n", b"\n", b"x\r\ny"]
    cases = (
        (exec_row(1, file, evil, cwd, argv_truncated=1, argc=99), b"# the arguments are cut: (_n="),
        (exec_row(1, file, evil, cwd, argv_unreadable=1), b"# some arguments could not be read: "),
        (exec_row(1, file, evil, None), b"# the directory is not known: "),
        (exec_row(1, file, evil, b"(unreachable)/x"), b"# the directory is not known: "),
        (exec_row(1, file, evil, cwd, exe_memfd=1), b"# the file had no name any more: "),
        (exec_row(1, file, evil, cwd, exe_deleted=1), b"# the file had no name any more: "),
        (exec_row(1, file, [], cwd), b"# there was not even an argument 0: "),
        (exec_row(1, b"/dev/fd/5", evil, cwd, interpreter=file), b"# a script from a descriptor: "),
        (f"fail ts=1 pid=1 errno=2 filename={hostile.quote(file)} argv={hostile.words(evil)}\n", b"# ENOENT: "),
        (f"fail ts=1 pid=1 errno=999 argv={hostile.words(evil)}\n", b"# it failed: "),
        ("exec ts=1 pid=1\n", b"# the arguments are not known: "),
        ("lost_row ts=1 until=2 count=3 cause=1 cpu=0\n", b"# <3 events lost: ring_full"),
    )
    with lab.workdir() as work:
        for row, expected in cases:
            lines = lines_of(work, [row])
            lab.equal(len(lines), 1, f"lines of {row!r}")
            lab.demand(lines[0].startswith(expected), f"{lines[0]!r} does not begin with {expected!r}")
            for shell in ("dash", *SHELLS):
                done = lab.run([shell, "-c", lines[0]])
                lab.equal((done.stdout, done.stderr), (b"", b""), f"what {shell} does with {lines[0]!r}")
        # What is in the comment is the same line as else.
        line, = lines_of(work, [cases[0][0]])
        lab.equal(said("dash", line.split(b": ", 1)[1]), [*evil, b"/"], "behind the reason")


def execs_alone():
    with lab.workdir() as work:
        path = hostile.capture(os.path.join(work, "h.etz"))
        events = lab.replay(path)
        kinds = [event["kind"] for event in events if event["kind"] in ("exec", "fail", "lost")]
        lab.demand(100 < len(kinds) < len(events), "a capture of execs alone")
        lines = lab.exectrace("replay", "--format", "sh", path).stdout.splitlines()
        lab.equal(len(lines), len(kinds), "lines")
        lab.equal(lab.exectrace("replay", "--format", "sh", "--limit", "9", path).stdout.splitlines(), lines[:9], "--limit counts lines")
        lab.equal(lab.exectrace("replay", "--format", "sh", "--kind", "exit,fork", path).stdout, b"", "lines of exits")
        for line, kind in zip(lines, kinds):
            lab.demand(kind == "exec" or line.startswith(b"# "), f"{kind}: {line!r}")
        # None of it is wrong to a shell; none of the files is there.
        script = lab.written(work, "all.sh", b"set -n\n" + b"\n".join(lines) + b"\n")
        for shell in ("dash", "bash"):
            lab.equal(lab.run([shell, script]).stderr, b"", f"what {shell} says")


if __name__ == "__main__":
    lab.need_tool("dash")
    lab.need_tool("bash")
    lab.main(every_byte_survives, another_argument_0, relative_files_and_scripts, what_cannot_be_done_again, execs_alone)

#!/usr/bin/env python3
"""compile-commands: what a database holds, what is left out and told, and where it goes."""
import json
import os
import re
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
import world  # noqa: E402

TOLD = re.compile(r"exectrace compile-commands: (\d+) (.*)")


def quote(data):
    data = data if isinstance(data, bytes) else data.encode()
    return "".join(chr(b) if chr(b).isalnum() and b < 128 else f"%{b:02X}" for b in data)


def execs(*events):
    """A capture of execs: (directory, arguments, other fields)."""
    lines = ["segment ts=1000000000 realtime=1790000000000000000"]
    for i, (cwd, argv, fields) in enumerate(events):
        words = ["exec", f"ts={1000000000 + i * 1000}", f"pid={100 + i}", "ppid=1", "uid=0"]
        words += [] if cwd is None else ["cwd=" + quote(cwd)]
        words.append("argv=" + "".join(quote(item) + "," for item in argv))
        lines.append(" ".join(words + [f"{name}={quote(value)}" for name, value in fields.items()]))
    return "\n".join(lines + [f"end ts={1000000000 + len(events) * 1000} done"]) + "\n"


def database(path, *options):
    """The entries, and {what is told: number}."""
    done = lab.exectrace("compile-commands", *options, path)
    told = {}
    for line in done.stderr.decode().splitlines():
        match = TOLD.match(line)
        if match:
            told[match[2]] = int(match[1])
    return json.loads(done.stdout), told


def left_out(told):
    """Numbers by the word that tells one reason from the others."""
    words = ("cut", "read", "directory", "response", "UTF-8", "probes")
    return {word: n for text, n in told.items() for word in words if "left out" in text and word in text}


def entries_are_as_executed():
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "x.etz"), execs(
            ("/b", ["make"], {}),
            ("/b", ["cc", "-c", "-DX=\"a b\"", "a.c", "-o", "o/a.o"], {"filename": "/usr/bin/cc"}),
            ("/b/sub", ["/usr/bin/g++-12", "-c", "../b.cc"], {}),
            ("/b", ["ccache", "clang", "one.c", "two.c", "x.o", "-lm", "-o", "/p"], {}),
            ("/b", ["/bin/sh", "libtool", "--mode=compile", "cc", "-c", "l.c"], {"interpreter": "/bin/sh", "filename": "libtool"}),
            ("/b", ["as", "a.s"], {}),
            ("/b", ["cc", "-E", "e.c"], {}),
            ("/b", ["cc", "-c", "", "é.c", "-DNL=\n\t\x1b[31m\u202e"], {}),
            ("/b", ["cc", "@all", "r.c"], {}),
        ))
        entries, told = database(path)
        lab.equal(entries, [
            {"directory": "/b", "file": "/b/a.c", "output": "/b/o/a.o",
             "arguments": ["/usr/bin/cc", "-c", "-DX=\"a b\"", "a.c", "-o", "o/a.o"]},
            {"directory": "/b/sub", "file": "/b/b.cc", "arguments": ["/usr/bin/g++-12", "-c", "../b.cc"]},
            {"directory": "/b", "file": "/b/one.c", "output": "/p", "arguments": ["clang", "one.c", "x.o", "-lm", "-o", "/p"]},
            {"directory": "/b", "file": "/b/two.c", "output": "/p", "arguments": ["clang", "two.c", "x.o", "-lm", "-o", "/p"]},
            {"directory": "/b", "file": "/b/é.c", "arguments": ["cc", "-c", "", "é.c", "-DNL=\n\t\x1b[31m\u202e"]},
            {"directory": "/b", "file": "/b/r.c", "arguments": ["cc", "@all", "r.c"]},
        ], "entries")
        lab.equal(told, {"files": 6}, "what is told")
        text = lab.exectrace("compile-commands", path).stdout
        lab.demand(not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", text) and "\u202e".encode() not in text, "unsafe bytes in JSON")


def none_is_an_empty_list():
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "x.etz"), execs(("/b", ["make"], {})))
        lab.equal(database(path), ([], {"files": 0}), "entries of no compiler")


def what_is_left_out_is_told():
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "x.etz"), execs(
            ("/b", ["cc", "-c", "1.c"], {"argv_truncated": "1"}),
            ("/b", ["cc", "-c", "2.c"], {"argv_truncated": "1"}),
            ("/b", ["cc", "-c", "3.c"], {"argv_unreadable": "1"}),
            (None, ["cc", "-c", "4.c"], {}),
            ("/b", ["cc", "-c", "@five"], {}),
            ("/b", ["cc", "-c", b"6\xff.c"], {}),
            (b"/\xc0", ["cc", "-c", "7.c"], {}),
            ("/b", ["cc", "-c", "8.c", b"-D\xed\xa0\x80"], {}),
            ("/b", ["cc", "-c", "conftest.c"], {}),
            ("/b/CMakeFiles/CMakeScratch/TryCompile-1", ["cc", "-c", "/usr/share/cmake/CMakeCCompilerABI.c"], {}),
            ("/b", ["cc", "-c", "/b/CMakeFiles/CMakeTmp/src.c"], {}),
            ("/b/CMakeFiles/3.25.1/CompilerIdC", ["cc", "CMakeCCompilerId.c"], {}),
            ("/b", ["cc", "-c", "/b/meson-private/tmpx/testfile.c"], {}),
            ("/b", ["cc", "-c", "good.c"], {}),
            ("/b", ["make", "x.c"], {"argv_truncated": "1"}),
        ))
        entries, told = database(path)
        lab.equal([entry["file"] for entry in entries], ["/b/good.c"], "files")
        lab.equal(left_out(told), {"cut": 2, "read": 1, "directory": 1, "response": 1, "UTF-8": 3, "probes": 5}, "left out")
        lab.equal(told["file"], 1, "files told")
        entries, told = database(path, "--probes")
        lab.equal(len(entries), 6, "entries with --probes")
        lab.demand("probes" not in left_out(told), f"with --probes {told}")


def later_ones_take_the_place():
    """Of the same file and output; where nothing changes an entry stays where it was."""
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "x.etz"), execs(
            ("/b", ["cc", "-c", "a.c", "-o", "a.o"], {}),
            ("/b", ["cc", "-c", "b.c", "-o", "b.o"], {}),
            ("/b", ["cc", "-c", "c.c", "-o", "c.o"], {}),
            ("/b/x", ["cc", "-c", "../a.c", "-O2", "-o", "../a.o"], {}),
            ("/b", ["cc", "-c", "b.c", "-o", "b.o"], {}),
            ("/b", ["cc", "-c", "c.c", "-fPIC", "-o", "c.lo"], {}),
            ("/b", ["cc", "-c", "d.c"], {}),
            ("/x", ["cc", "-c", "/b/d.c"], {}),
            ("/b", ["cc", "-c", "d.c", "-g"], {}),
        ))
        entries, told = database(path)
        lab.equal([(entry["directory"], entry["file"], entry["arguments"][-2:]) for entry in entries], [
            ("/b", "/b/b.c", ["-o", "b.o"]),
            ("/b", "/b/c.c", ["-o", "c.o"]),
            ("/b/x", "/b/a.c", ["-o", "../a.o"]),
            ("/b", "/b/c.c", ["-o", "c.lo"]),
            ("/x", "/b/d.c", ["-c", "/b/d.c"]),
            ("/b", "/b/d.c", ["d.c", "-g"]),
        ], "entries")
        lab.demand(any("last time" in text for text in told), f"told: {told}")


def options_choose():
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "x.etz"), execs(
            ("/a", ["cc", "-c", "a.c"], {}), ("/b", ["cc", "-c", "a.c"], {}), ("/a", ["nvcc", "-c", "a.cu"], {}),
            ("/a", ["icx", "-c", "i.c"], {})))
        def files(*options):
            return [entry["file"] for entry in database(path, *options)[0]]
        lab.equal(files(), ["/a/a.c", "/b/a.c"], "files")
        lab.equal(files("--match", "cwd=/b"), ["/b/a.c"], "files of a directory")
        lab.equal(files("--pid", "100,102"), ["/a/a.c"], "files of processes")
        lab.equal(files("--compiler", "nvcc", "--compiler", "ic[cx]"), ["/a/a.c", "/b/a.c", "/a/a.cu", "/a/i.c"], "files")
        lab.equal(files("--kind", "fork"), [], "files of forks")
        lab.equal(files("--since", "+2us", "--compiler", "nvcc"), ["/a/a.cu"], "files since")


def what_ran_already_counts():
    with lab.workdir() as work:
        text = execs(("/a", ["cc", "-c", "a.c"], {}), ("/a", ["cc", "-c", "b.c"], {})).replace("exec ts", "proc ts", 1)
        path = world.write(os.path.join(work, "x.etz"), text)
        lab.equal([entry["file"] for entry in database(path)[0]], ["/a/a.c", "/a/b.c"], "files")


def a_file_is_whole_or_not_there():
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "x.etz"), execs(("/a", ["cc", "-c", "a.c"], {})))
        out = os.path.join(work, "compile_commands.json")
        expected = lab.exectrace("compile-commands", path).stdout
        done = lab.exectrace("compile-commands", "-o", out, path)
        lab.equal((done.stdout, lab.contents(out)), (b"", expected), "output")
        lab.equal(stat.S_IMODE(os.stat(out).st_mode), 0o600, "mode")
        done = lab.exectrace("compile-commands", "-o", out, path, code=1)
        lab.demand(b"--force" in done.stderr, f"says {done.stderr}")
        with open(out, "w", encoding="ascii") as file:
            file.write("old")
        lab.exectrace("compile-commands", "-f", "-o", out, path)
        lab.equal(lab.contents(out), expected, "replaced")
        lab.equal(lab.exectrace("compile-commands", "-o", "-", path).stdout, expected, "standard output")
        bad = lab.written(work, "bad.etz", b"no capture")
        done = lab.exectrace("compile-commands", "-f", "-o", out, bad, code=1)
        lab.equal(lab.contents(out), expected, "after a failure")
        done = lab.exectrace("compile-commands", "-o", os.path.join(work, "new"), path, code=1,
                             env={**os.environ, "TMPDIR": "/nonexistent"})
        lab.demand(b"TMPDIR" in done.stderr, f"without a place for a file it says {done.stderr}")
        lab.equal(sorted(os.listdir(work)), ["bad.etz", "compile_commands.json", "x.etz"], "files")
        # Of a damaged capture what there is, and the exit code says so.
        whole = lab.contents(path)
        cut = lab.written(work, "cut.etz", whole[:-40] + b"x" * 40)
        done = lab.exectrace("compile-commands", "-f", "-o", out, cut, code=3)
        lab.equal(lab.contents(out), expected, "of a damaged capture")


def many_take_little_memory():
    """The text of entries does not lie in memory: 25,000 of 8 KiB."""
    if lab.SANITIZED:
        print("   memory is not measured in a build with sanitizers")
        return
    with lab.workdir() as work:
        flags = ",".join(["-I%2Fsome%2Fwhere%2Felse%2F" + "x" * 80] * 80)
        lines = ["segment ts=1000000000 realtime=1790000000000000000"]
        for i in range(25000):
            lines.append(f"exec ts={1000000000 + i} pid=5 ppid=1 cwd=%2Fb argv=cc,-c,f{i}.c,{flags},")
            lines += ["chunk"] if i % 2000 == 1999 else []
        path = world.write(os.path.join(work, "x.etz"), "\n".join(lines + ["end ts=2000000000 done"]) + "\n")
        out = os.path.join(work, "o.json")
        lab.run(["sh", "-c", 'ulimit -v 150000; exec "$@"', "sh", lab.EXECTRACE, "compile-commands", "-o", out, path])
        lab.demand(os.path.getsize(out) > 180 << 20, f"only {os.path.getsize(out)} bytes")
        with open(out, "rb") as file:
            n = sum(line.startswith(b'  "file": "/b/f') for line in file)
        lab.equal(n, 25000, "entries")


if __name__ == "__main__":
    lab.main(entries_are_as_executed, none_is_an_empty_list, what_is_left_out_is_told, later_ones_take_the_place, options_choose,
             what_ran_already_counts, a_file_is_whole_or_not_there, many_take_little_memory)

#!/usr/bin/env python3
"""A real `./configure && make -j2`, recorded and traced by strace at once: both must tell the same.

    test_strace.py [--package NAME]

What each process executed, with its arguments, working directory and result, and
how it ended. strace reads the arguments of each call from the caller's memory and,
with -y, the working directory from the kernel. Without --package it is a small
project that the test makes up; with it a Debian source package, `hello` for example.
"""
import argparse
import collections
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
import sources  # noqa: E402

CALLS = "execve,execveat,exit_group,openat,clone,clone3"
FILES = 12

# Like a generated one: many small programs, tools that are not there, subshells, scripts by `#!`.
CONFIGURE = r"""#! /bin/sh
# Finds out what the compiler can do.
test -f Makefile.in || { echo "no Makefile.in" >&2; exit 1; }
as_tool() {
	for tool in "$@"; do
		if ("$tool" --version) >/dev/null 2>&1; then echo "$tool"; return; fi
	done
}
CC=`as_tool no-such-compiler gcc-of-another-world gcc cc`
AWK=`as_tool gawk-9 mawk-9 awk mawk gawk`
test -n "$CC" || exit 77
mkdir "confdir $$" && cd "confdir $$" || exit 1
: >confdefs.h
for header in stdio.h stdlib.h unistd.h sys/wait.h no_such_header.h; do
	name=`echo "HAVE_$header" | sed 'y%abcdefghijklmnopqrstuvwxyz./%ABCDEFGHIJKLMNOPQRSTUVWXYZ__%'`
	printf '#include <%s>\nint main(void) { return 0; }\n' "$header" >conftest.c
	if $CC -c conftest.c >/dev/null 2>&1; then echo "#define $name 1" >>confdefs.h; fi
done
for code in 0 3 42; do
	printf 'int main(void) { return %s; }\n' $code >conftest.c
	$CC -o conftest conftest.c && ./conftest; echo "exit $?" >>results
done
printf '#include <signal.h>\n#include <unistd.h>\nint main(void) { return kill(getpid(), SIGTERM); }\n' >conftest.c
$CC -o conftest conftest.c && (./conftest); echo "exit $?" >>results
printf '#!/bin/sh -e\nexec /bin/sh -c "exit 5" "a
line" "" "\303\251\377"\n' >script; chmod +x script
./script one '' "two words"; echo "exit $?" >>results
printf 'neither a program nor a script\n' >text; chmod +x text
(./text); (./missing); (./confdefs.h)
cd ..
mv "confdir $$"/confdefs.h config.h
rm -rf "confdir $$"
sed "s%@CC@%$CC%g" Makefile.in >Makefile
"""

MAKEFILE = """all: program check
FILES = {files}
%.o: %.c config.h
\t@CC@ -O1 -DNAME='"$*"' -c -o $@ $<
program: $(FILES) main.o
\t@CC@ -o $@ $(FILES) main.o
check: program
\t./program | sort | (cd / && cat) >/dev/null; -./missing-tool --help 2>/dev/null; test -f program
""".replace("-./missing", "./missing")


def make_project(work):
    where = os.path.join(work, "project")
    os.mkdir(where)

    def write(name, text, mode=0o644):
        with open(os.path.join(where, name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(os.path.join(where, name), mode)
    write("configure", CONFIGURE, 0o755)
    write("Makefile.in", MAKEFILE.format(files=" ".join(f"file{i}.o" for i in range(FILES))))
    for i in range(FILES):
        write(f"file{i}.c", f"#include \"config.h\"\n#include <stdio.h>\nvoid f{i}(void) {{ puts(NAME); }}\n")
    calls = "".join(f"void f{i}(void);\n" for i in range(FILES))
    calls += "int main(void) {" + "".join(f" f{i}();" for i in range(FILES)) + " return 0; }\n"
    write("main.c", calls)
    return where


# ---- What strace tells ------------------------------------------------------

STRING = r'"((?:\\x[0-9a-f]{2})*)"'
CALL = re.compile(rf"execve\({STRING}, (.*), 0x[0-9a-f]+ /\* \d+ vars \*/\) += (\S+)(?: (\w+))?")
CWD = re.compile(r"openat\(AT_FDCWD<((?:\\x[0-9a-f]{2})*)>")
THREAD = re.compile(r"clone3?\(.*\bCLONE_THREAD\b.* = (\d+)$")
EXITED = re.compile(r"\+\+\+ exited with (\d+) \+\+\+")
KILLED = re.compile(r"\+\+\+ killed by (\w+)( \(core dumped\))? \+\+\+")


def octets(text):
    return bytes.fromhex(text.replace("\\x", ""))


def first_line(path, cwd):
    """Interpreter and argument of a script, [] when it is none; None when it is not there any more."""
    try:
        with open(os.path.join(cwd, path), "rb") as file:
            line = file.read(255).split(b"\n")[0]
    except OSError:
        return None
    return line[2:].strip(b" \t").split(None, 1) if line.startswith(b"#!") else []


class Traced:
    """What one process did: tuples that both sides can make."""

    def __init__(self):
        self.calls = []		# [filename, argv, error or None, cwd or None]
        self.end = None
        self.thread = False

    def take(self, line):
        call = CALL.match(line)
        if call:
            argv = [octets(string) for string in re.findall(STRING, call[2])]
            self.calls.append([octets(call[1]), argv, call[4] if call[3] == "-1" else None, None])
        elif line.startswith(("execve(", "execveat(")):
            raise lab.Failure(f"strace says what is not understood here: {line}")
        # The loader of the new program opens something before the program can move.
        if CWD.match(line) and self.calls and self.calls[-1][2] is None and self.calls[-1][3] is None:
            self.calls[-1][3] = octets(CWD.match(line)[1])
        for pattern, kind in ((EXITED, "exit"), (KILLED, "signal")):
            end = pattern.match(line)
            if end:
                self.end = (kind, int(end[1]) if kind == "exit" else end[1])


UNFINISHED = " <unfinished ...>"
RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)")


def traced(path):
    """By pid, all processes that had it one after the other."""
    found, begun = collections.defaultdict(list), {}
    with open(path, encoding="ascii") as file:
        for line in file:
            pid, line = line.rstrip("\n").split(None, 1)
            if line.endswith(UNFINISHED):
                begun[pid] = line[:-len(UNFINISHED)]
                continue
            resumed = RESUMED.match(line)
            if resumed:
                line = begun.pop(pid) + resumed[1]
            lives = found[int(pid)]
            if not lives or lives[-1].end:
                lives.append(Traced())
            lives[-1].take(line)
            if THREAD.match(line):
                mark_thread(found[int(THREAD.match(line)[1])])
    return {pid: [life for life in lives if not life.thread] for pid, lives in found.items()}


def mark_thread(lives):
    """Of who has the id now: a thread, which may have ended before its creator's call has."""
    if not lives or lives[-1].end and (lives[-1].thread or lives[-1].calls):
        lives.append(Traced())
    if lives[-1].calls:
        raise lab.Failure("a thread executed something: that is not understood here")
    lives[-1].thread = True


# ---- What the capture tells ----------------------------------------------------

def recorded(events):
    """The like, without strace itself and the children by which it finds out what the kernel can do."""
    lives = {}
    for event in events:
        if event["kind"] != "proc":
            lives.setdefault((event["pid"], event["start"]), []).append(event)
    strace = next(pid for (pid, _), life in lives.items() if life[0]["kind"] == "exec" or life[1]["kind"] == "exec")
    found = collections.defaultdict(list)
    for (pid, _), life in lives.items():
        kinds = {event["kind"] for event in life}
        if pid != strace and not (life[0]["ppid"] == strace and kinds <= {"fork", "exit"}):
            found[pid].append(life)
    return found


def passed(event):
    """argv as the caller passed it but for argv[0], which the kernel drops for a script."""
    argv = lab.raw_argv(event)
    if "interpreter" not in event or lab.raw(event, "filename") not in argv:
        return argv
    return [None, *argv[argv.index(lab.raw(event, "filename")) + 1:]]


def compare(pid, told, events):
    """Differences of one process, and how many values were compared."""
    calls = [event for event in events if event["kind"] in ("exec", "fail")]
    end = [event for event in events if event["kind"] == "exit"]
    faults = []

    def same(what, found, expected):
        if found != expected:
            faults.append(f"pid {pid}: {what} is {found!r}, strace says {expected!r}")
    same("number of calls", len(calls), len(told.calls))
    for event, (filename, argv, error, cwd) in zip(calls, told.calls):
        same("filename", lab.raw(event, "filename"), filename)
        same("error", event.get("error") if event["kind"] == "fail" else None, error)
        if event["kind"] == "fail":
            same("argv", lab.raw_argv(event), argv)
            continue
        if cwd is not None:
            same("cwd", lab.raw(event, "cwd"), cwd)
        line = first_line(filename, lab.raw(event, "cwd"))
        if line is not None:
            same("interpreter", lab.raw(event, "interpreter"), line[0] if line else None)
            expected = [*line, filename, *argv[1:]] if line else argv
            same("argv", lab.raw_argv(event), expected)
        else:
            same("argv", passed(event), [None, *argv[1:]] if "interpreter" in event else argv)
    same("number of exits", len(end), 1)
    for event in end:
        same("end", ("signal", event["signal_name"]) if "signal" in event else ("exit", event["exit_code"]),
             told.end)
    return faults


def judge(told, events):
    """The differences between strace and the capture; told and events by pid."""
    faults = []
    for pid in sorted(set(told) | set(events)):
        mine, strace = events.get(pid, []), told.get(pid, [])
        if len(mine) != len(strace):
            faults.append(f"pid {pid}: had {len(mine)} processes, strace says {len(strace)}: "
                          f"{[(process.calls, process.end) for process in strace]}, {mine}")
            continue
        for process, life in zip(strace, mine):
            faults += compare(pid, process, life)
    return faults


def calls_of(told):
    return [call for lives in told.values() for process in lives for call in process.calls]


def summary(told):
    calls = calls_of(told)
    return (f"{sum(map(len, told.values()))} processes, {len(calls)} calls of which "
            f"{sum(call[2] is not None for call in calls)} failed, "
            f"{sum(call[3] is not None for call in calls)} working directories")


def build(where, work):
    """Both over the same build; (by strace, by exectrace) with pids."""
    log, capture = os.path.join(work, "strace"), os.path.join(work, "capture.etz")
    script = "export FORCE_UNSAFE_CONFIGURE=1; ./configure && make -j2"
    lab.record(capture, "--max-args", "2M", "--", "strace", "-f", "--seccomp-bpf", "-y", "-xx",
               "-s", str(2 << 20), "-e", "trace=" + CALLS,
               "-o", log, "sh", "-c", script, cwd=where, timeout=1500)
    lab.equal(lab.info(capture)["complete"], True, "complete")
    return traced(log), recorded(lab.replay(capture, timeout=600))


def a_small_project():
    with lab.workdir() as work:
        told, events = build(make_project(work), work)
        faults = judge(told, events)
        lab.demand(not faults, "%d differences\n%s" % (len(faults), "\n".join(faults[:40])))
        calls = calls_of(told)
        lab.demand(len(calls) > 100 and sum(call[2] is not None for call in calls) > 5, summary(told))
        print(summary(told))
        the_judge_can_fail(told, events)


def the_judge_can_fail(told, events):
    """Each thing that is compared, wrong once."""
    pid, life = next((pid, lives[0]) for pid, lives in events.items() if len(lives) == 1 and
                     sum(event["kind"] in ("exec", "fail") for event in lives[0]) > 1)
    one = {pid: told[pid]}
    lab.equal(judge(one, {pid: [life]}), [], "faults of one process")
    for i, event in enumerate(life):
        changes = {"exec": ("argv", "cwd", "filename"), "fail": ("argv", "error", "filename"),
                   "exit": ("exit_code",), "fork": ()}[event["kind"]]
        for key in changes:
            wrong = dict(event)
            wrong.pop(key + "_b64", None)
            wrong[key] = ["x"] if key == "argv" else 77 if key == "exit_code" else "/x"
            lab.demand(judge(one, {pid: [life[:i] + [wrong] + life[i + 1:]]}), f"not noticed: {key} of {event}")
        if changes:
            lab.demand(judge(one, {pid: [life[:i] + life[i + 1:]]}), f"not noticed: missing {event}")
    lab.demand(judge(one, {}), "not noticed: a missing process")
    lab.demand(judge({}, {pid: [life]}), "not noticed: a process that strace has not seen")


def a_package(name):
    def run():
        with lab.workdir() as work:
            told, events = build(sources.unpack(name, work), work)
            faults = judge(told, events)
            lab.demand(not faults, "%d differences\n%s" % (len(faults), "\n".join(faults[:40])))
            print(summary(told))
    run.__name__ = f"package {name}"
    return run


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--package", metavar="NAME")
    package = parser.parse_args().package
    lab.need_bpf()
    for tool in ("strace", "make", "gcc"):
        lab.need_tool(tool)
    lab.main(a_package(package) if package else a_small_project)

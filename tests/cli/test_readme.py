#!/usr/bin/env python3
"""The commands of README.md's ten questions, as they stand there, answer them of a small build."""
import os
import shlex
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import lab  # noqa: E402
import world  # noqa: E402

SECOND = 10**9
TEXT = f"""segment ts={SECOND} realtime=1790000000000000000
user 0 root
proc ts={SECOND} pid=21659 ppid=1 uid=0 comm=make start=5
exec ts={SECOND + 1} pid=21659 ppid=1 uid=0 euid=0 comm=make filename=%2Fusr%2Fbin%2Fmake cwd=%2Fsrc argv=make,
fork ts={SECOND + 2} pid=21660 ppid=21659 uid=0 comm=make start={SECOND + 2}
exec ts={SECOND + 3} pid=21660 ppid=21659 uid=0 euid=0 comm=gcc filename=%2Fusr%2Fbin%2Fgcc exe=%2Fusr%2Fbin%2Fgcc cwd=%2Fsrc \
start={SECOND + 2} argv=gcc,-c,src%2Fhello.c,
fork ts={SECOND + 4} pid=21661 ppid=21660 uid=0 comm=gcc start={SECOND + 4}
fail ts={SECOND + 5} pid=21661 ppid=21660 uid=0 comm=gcc filename=%2Fusr%2Flocal%2Fbin%2Fas errno=2 argv=as,
exec ts={SECOND + 6} pid=21661 ppid=21660 uid=0 euid=0 comm=as filename=%2Fusr%2Fbin%2Fas start={SECOND + 4} argv=as,
exit ts={SECOND + 7} pid=21661 ppid=21660 uid=0 comm=as start={SECOND + 4} exec_ts={SECOND + 6} exit_code=0 utime=900 stime=0
exit ts={3 * SECOND} pid=21660 ppid=21659 uid=0 comm=gcc start={SECOND + 2} exec_ts={SECOND + 3} exit_code=1 utime=700 stime=0
exec ts={11 * SECOND + 5} pid=21659 ppid=1 uid=0 euid=0 comm=late filename=%2Fbin%2Flate start=5 argv=late,
end ts={12 * SECOND} done
"""
# By question, from the second on: what the answer must have, and must not.
ANSWERS = [
    (("900ns  as\n", "700ns  gcc\n"), ("exit 1",)),
    (("/usr/local/bin/as",), ("/usr/bin/gcc",)),
    (("gcc", "exit 1"), ("exit 0",)),
    (("(gcc) after 1.999s",), ("(as)",)),
    (("cd /src && /usr/bin/gcc -c src/hello.c\n",), ("make",)),
    (("gcc -c src/hello.c", "(+1 ENOENT)", "2 processes, 2 execs, 1 failed"), ("late",)),
    (("1  late", "1  gcc", "1  as", "3 processes"), ()),
    (("late",), ("gcc",)),
    (("0\n",), ()),
]


def questions():
    """The commands, by question."""
    with open(os.path.join(HERE, "..", "..", "README.md"), encoding="utf-8") as file:
        text = file.read().split("\n## Ten questions\n")[1].split("\n## ")[0]
    return [line.strip()[2:] for line in text.splitlines() if line.strip().startswith("$ exectrace ")]


def ten_questions():
    commands = questions()
    lab.equal(len(commands), len(ANSWERS), "commands in the section")
    with lab.workdir() as work:
        world.write(os.path.join(work, "build.etz"), TEXT)
        for command, (there, absent) in zip(commands, ANSWERS):
            done = lab.exectrace(*shlex.split(command)[1:], cwd=work)
            out = done.stdout.decode()
            for word in there:
                lab.demand(word in out, f"{command}: {word!r} is not in {out!r}")
            for word in absent:
                lab.demand(word not in out, f"{command}: {word!r} is in {out!r}")


if __name__ == "__main__":
    lab.main(ten_questions)

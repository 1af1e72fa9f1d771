#!/usr/bin/env python3
"""replay --format TEMPLATE, --time and --color: lines as they have to be, and mistakes pointed at."""
import os
import random
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hostile  # noqa: E402
import lab  # noqa: E402
import world  # noqa: E402

TEXT = """segment ts=1000000000 realtime=1790000000000000000
host utc_offset 7200
user 0 root
exec ts=1000000000 pid=7 ppid=1 uid=0 comm=sh filename=%2Fbin%2Fsh exe=%2Fbin%2Fsh argv=sh,a%20b,
fail ts=1250000000 pid=8 ppid=7 uid=0 comm=sh filename=no argv=no, errno=2
fork ts=1250000100 pid=9 ppid=7 uid=0 comm=sh
exit ts=1250002500 pid=9 ppid=7 uid=0 comm=sh start=1250000100 exit_code=3
exit ts=3250002500 pid=7 ppid=1 uid=0 comm=sh start=1 exec_ts=1000000000 signal=9
lost_row ts=3250002600 until=3250002700 count=3 cause=1
end ts=4000000000 done
"""


def capture(work):
    return world.write(os.path.join(work, "l.etz"), TEXT)


def lines(path, *options):
    return lab.exectrace("replay", "-q", *options, path).stdout.decode().split("\n")[:-1]


def templates():
    cases = (
        # template, the first line, the fifth
        ("{pid} {comm}", "7 sh", "7 sh"),
        ("{pid} {comm}\\n", "7 sh", "7 sh"),
        ("{pid:5}|{pid:<5}|{pid:^5}|{pid:>5}|", "    7|7    |  7  |    7|", "    7|7    |  7  |    7|"),
        ("{comm:5}|{comm:<5}|{comm:^5}|{comm:>5}|", "sh   |sh   | sh  |   sh|", "sh   |sh   | sh  |   sh|"),
        ("{command:.4}|{command:6.4}|{command:>6.4}|", "sh …|sh …  |  sh …|", "(sh)|(sh)  |  (sh)|"),
        ("{{{pid}}}\\t\\\\{result}", "{7}\t\\exec", "{7}\t\\SIGKILL"),
        ("{time}={time}", "16:13:21.000000=16:13:21.000000", "16:13:23.250002=16:13:23.250002"),
        ("{errno}{exit_code}{duration}", "---", "--2.250s"),
        ("{user}:{kind}:{argv}:{error}:{signal_name}", "root:exec:sh 'a b':-:-", "root:exit:-:-:SIGKILL"),
        ("a{pid}\\nb{pid}", "a7", "a9"),
    )
    with lab.workdir() as work:
        path = capture(work)
        for template, first, fifth in cases:
            found = lines(path, "--format", template)
            lab.equal((found[0], found[4]), (first, fifth), f"lines of {template}")
            lab.equal(len(found), 12 if "b{pid}" in template else 6, f"number of lines of {template}")
        # The cell of a template is that of a table.
        for name in ("argv", "exe", "env", "container", "exec_duration", "group", "cause", "count"):
            lab.equal([line.strip() for line in lines(path, "--columns", name, "--no-header")], lines(path, "--format", f"{{{name}}}"), name)


def mistakes_in_templates():
    cases = (
        # template, what is said of it, where the caret is
        ("{pidd}", "no such column", 1), ("{pid", "not closed", 0), ("a {pid} }", "closes nothing", 8), ("{}", "name is missing", 1),
        ("{pid}\\x", "behind \\", 5), ("{pid}\\", "behind \\", 5), ("{pid:}{comm:x}", "not understood", 12), ("{pid:5x}", "not understood", 6),
        ("{pid:1001}", "too wide", 5), ("{pid:>99999999999999}", "too wide", 6), ("{pid:5.}", "behind the dot", 7), ("{pid:.0}", "behind the dot", 6),
        ("{{", "no column in it", 0), ("{pid" + "{comm}", "not understood", 4), ("{pid}" * 65, "more than 64", None),
    )
    with lab.workdir() as work:
        path = capture(work)
        for template, words, at in cases:
            told = lab.exectrace("replay", "--format", template, path, code=2).stderr.decode().splitlines()
            lab.demand(words in told[0], f"{template} says {told[0]!r}")
            if at is not None:
                lab.equal((told[1].split(": ", 1)[1], told[2].split(": ", 1)[1]), ("  " + template, "  " + " " * at + "^"), f"caret of {template}")
        for options, words in ((("--format", "xml"), "no format 'xml'"), (("--format", ""), "no format ''"),
                               (("--format", "{pid}", "--columns", "pid"), "--columns"), (("--format", "sh", "--columns", "pid"), "--columns"),
                               (("--format", "{pid}", "--csv"), "one of them"), (("--format", "sh", "--json"), "one of them"),
                               (("--time", "iso", "--json"), "--time"), (("--time", "iso", "--format", "sh"), "--time"),
                               (("--time", "noon"), "'noon'"), (("--color", "red"), "'red'"),
                               *((("--speed", speed), f"'{speed}'") for speed in ("", "x", "1xx", "0", "0x", "-1", "1e3", "1.2.3", "9999999x", "nan"))):
            told = lab.exectrace("replay", *options, path, code=2).stderr.decode()
            lab.demand(words in told, f"{options} says {told!r}")


def names_of_formats():
    with lab.workdir() as work:
        path = capture(work)
        for name, same in (("text", ()), ("json", ("--json",)), ("csv", ("--csv",))):
            lab.equal(lines(path, "--format", name), lines(path, *same), name)


def ways_to_tell_the_time():
    cases = (
        ((), "TIME             ", ["2026-09-21 UTC+02:00", "16:13:21.000000  ", "16:13:21.250000  "]),
        (("--time", "absolute"), "TIME             ", ["2026-09-21 UTC+02:00", "16:13:21.000000  ", "16:13:21.250000  "]),
        (("--utc", "--date"), "TIME                        ", ["2026-09-21 UTC", "2026-09-21T14:13:21.000000  ", "2026-09-21T14:13:21.250000  "]),
        (("--time", "relative"), "        TIME  ", ["    0.000000  ", "    0.250000  ", "    0.250000  ", "    0.250002  ", "    2.250002  "]),
        (("--time", "delta"), "        TIME  ", ["    0.000000  ", "    0.250000  ", "    0.000000  ", "    0.000002  ", "    2.000000  "]),
        (("--time", "iso"), "TIME                                 ", ["2026-09-21T16:13:21.000000000+02:00  ", "2026-09-21T16:13:21.250000000+02:00  "]),
        (("--time", "iso", "--utc"), "TIME                            ", ["2026-09-21T14:13:21.000000000Z  ", "2026-09-21T14:13:21.250000000Z  "]),
        (("--time", "unix"), "                TIME  ", ["1790000001.000000000  ", "1790000001.250000000  "]),
        # Of what is shown, not of what is there.
        (("--time", "relative", "--kind", "exit"), "        TIME  ", ["    0.000000  ", "    2.000000  "]),
        (("--time", "delta", "--tail", "2"), "        TIME  ", ["    0.000000  ", "    0.000000  "]),
    )
    with lab.workdir() as work:
        path = capture(work)
        for options, title, begins in cases:
            for columns, behind in (((), "    PID"), (("--columns", "time,pid"), "    PID")):
                found = lines(path, *options, *columns)
                lab.equal(found[0][:len(title) + 7], title + behind, f"title of {options} {columns}")
                for line, begin in zip(found[1:], begins):
                    lab.equal(line[:len(begin)], begin, f"line of {options} {columns}")
        lab.equal(lines(path, "--time", "relative", "--format", "{time:>9}|")[1:3], [" 0.250000|", " 0.250000|"], "in a template")
        # Before 1970, and further apart than 64 bits tell with a sign.
        far = world.write(os.path.join(work, "f.etz"), "segment ts=1 realtime=0\nfork ts=5 pid=1\nfork ts=18446744073709551614 pid=2 realtime=0\n")
        lab.equal([line.split(".")[0] for line in lines(far, "--time", "relative", "--format", "{time}")], ["0", "9223372036"], "far apart")


def plain(text):
    return re.sub("\x1b\\[[0-9;]*m", "", text)


def colour_is_ours():
    with lab.workdir() as work:
        path = capture(work)
        text = lines(path)
        colored = lines(path, "--color", "always")
        lab.equal([plain(line) for line in colored], text, "without the colours")
        for i, wanted in ((2, "\x1b[2m16:13:21.000000\x1b[m"), (3, "\x1b[31mENOENT\x1b[m"), (4, "\x1b[2mfork\x1b[m"), (5, "\x1b[33mexit 3\x1b[m"),
                          (6, "\x1b[1;31mSIGKILL\x1b[m"), (6, "\x1b[36m(sh) after 2.250s\x1b[m"), (7, "\x1b[1;31mLOST\x1b[m")):
            lab.demand(wanted in colored[i], f"{wanted!r} is not in {colored[i]!r}")
        lab.demand("\x1b" not in colored[0] and colored[2].count("\x1b") == 2, "colours in a line where nothing is to stand out")
        for options in (("--json",), ("--csv",), ("--format", "sh"), ("--format", "{time} {result} {command}"), ("--count",)):
            out = lines(path, *options)
            lab.equal(lines(path, "--color", "always", *options), out, f"{options} has no colour")
        lab.equal(lines(path, "--color", "never"), text, "--color never")
        # Every escape sequence of a hostile capture's table is one of ours, and all that is begun is ended.
        bad = hostile.capture(os.path.join(work, "h.etz"), 8, 900)
        out = "\n".join(lines(bad, "--color", "always", "--columns", "time,kind,comm,result,command,errno,signal,exit_code,cwd,env"))
        found = re.findall("\x1b[^m]*m?", out)
        lab.equal(set(found), {"\x1b[m", "\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[36m", "\x1b[1;31m"}, "sequences")
        lab.equal(found[1::2], ["\x1b[m"] * (len(found) // 2), "ends of colours")
        lab.equal(plain(out).split("\n"), lines(bad, "--columns", "time,kind,comm,result,command,errno,signal,exit_code,cwd,env"), "text")


def wide_characters():
    """Columns stay in line whatever is in them, and what is cut to a width has it."""
    rng = random.Random(2)
    signs = "ab \u00e9\u0301\u0e31\u65e5\u672c\uff21\uac00\u1100\u231a\u23f0\u2614\u2b50\u2705\u26a1\U0001f427\U0001f680\U0001f9e0\U0001f7e2\U00020000\U0001f004\u3042\u2764"
    names = ["".join(rng.choice(signs) for _ in range(rng.randrange(1, 30))) for _ in range(300)]
    rows = "".join(f"exec ts={i + 1} pid=1 cwd={hostile.quote(('/' + name).encode())} argv={hostile.quote(name.encode())},\n"
                   for i, name in enumerate(names))
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "w.etz"), "segment ts=1 realtime=0\n" + rows + "end ts=999 done\n")
        for line in lines(path, "--format", "{cwd:70}|"):
            lab.equal((hostile.width(line), line[-1]), (71, "|"), f"width of {line!r}")
        for line in lines(path, "--format", "{cwd:>20.20}|{cwd:.5}"):
            cut, rest = line.split("|")
            lab.equal(hostile.width(cut), 20, f"width of {cut!r}")
            lab.demand(hostile.width(rest) <= 5, f"width of {rest!r}")
        table = lines(path, "--columns", "cwd,pid")
        for line in table[50:]:
            if hostile.width(line.rsplit("  ", 1)[0].rstrip()) <= 32:
                lab.equal(hostile.width(line), hostile.width(table[-1]) if hostile.width(table[-1]) == 41 else 41, f"width of {line!r}")


def threads_change_nothing():
    """Lines are made by several threads and put in order by one, whatever they depend on."""
    with lab.workdir() as work:
        path = lab.made(work, "4000", "lost", "clock")
        for options in ((), ("--columns", "time,cwd,argv,pid"), ("--csv",), ("--csv", "--time", "delta"), ("--format", "sh"), ("--time", "relative"),
                        ("--format", "{time:>30}|{pid}|{argv:.20}"), ("--tail", "900"), ("--reverse",), ("--sort", "comm,-duration"),
                        ("--format", "sh", "--tail", "900"), ("--csv", "--reverse", "--limit", "900"), ("--color", "always")):
            one, *others = [lab.exectrace("replay", "-j", jobs, *options, path) for jobs in ("1", "2", "5")]
            lab.demand(one.stdout.count(b"\n") >= 900, f"lines of {options}")
            for other in others:
                lab.equal((other.stdout == one.stdout, other.stderr), (True, one.stderr), f"{options} by several threads")


if __name__ == "__main__":
    lab.main(threads_change_nothing, templates, mistakes_in_templates, names_of_formats, ways_to_tell_the_time, colour_is_ours, wide_characters)

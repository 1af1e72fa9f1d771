#!/usr/bin/env python3
"""replay --columns and --match: every field by its name, what they print and choose held to JSON."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
import world  # noqa: E402

ID = "3f4e2d1c0b9a8877665544332211ffeeddccbbaa99887766554433221100abcd"
TEXT = f"""segment ts=1000000000 realtime=1790000000000000000
user 0 root
user 1000 a%20b
group 100 staff
cgroup 5 %2Fsystem.slice%2Fdocker-{ID}.scope
cgroup 6 %2Fuser.slice
exec ts=1000000000 pid=7 ppid=1 uid=1000 gid=100 login_uid=0 comm=sh cgroup=5 tty=pts%2F0 exe=%2Fbin%2Fsh \
argv=sh,a%20b,,%1B%5B31m, env=A%3D1,B%3D%0A, exe_dev=8388609 exe_inode=42 exe_memfd=1 exec_duration=1500 ns_pid=3
fail ts=1000000100 pid=8 ppid=7 uid=0 comm=sh cgroup=6 filename=no argv=no, errno=2
exit ts=1000002500 pid=7 ppid=1 uid=1000 comm=sh cgroup=5 exec_ts=1000000000 signal=9 max_rss=4096 major_faults=2
lost_row ts=1000003000 count=3 cause=1
end ts=1000004000 done
"""


def capture(work):
    return world.write(os.path.join(work, "x.etz"), TEXT)


def table(path, columns, *options):
    done = lab.exectrace("replay", "-q", "--utc", "--columns", columns, *options, path)
    return done.stdout.decode().splitlines()


def lines_are_as_written():
    with lab.workdir() as work:
        path = capture(work)
        lab.equal(table(path, "time,pid,user,tty,container,exec_duration,result,command"), [
            "TIME                 PID  USER      TTY      CONTAINER     EXEC_DURATION  RESULT    COMMAND",
            "2026-09-21 UTC",
            "14:13:21.000000        7  'a b'     pts/0    3f4e2d1c0b9a        1.500us  exec      sh 'a b' '' $'\\033[31m'",
            "14:13:21.000000        8  root      -        -                         -  ENOENT    no",
            "14:13:21.000002        7  'a b'     -        3f4e2d1c0b9a              -  SIGKILL   (sh)",
            "14:13:21.000003        -  -         -        -                         -  LOST      <3 events lost: ring_full>",
        ], "lines")


def every_field_has_a_column():
    """Each name of --columns help is taken by itself, all of them together, and each shows what JSON has."""
    with lab.workdir() as work:
        path = capture(work)
        names = re.findall(r"^  ([a-z_]+) ", lab.exectrace("replay", "--columns", "help").stdout.decode(), re.M)
        lab.demand(len(names) == len(set(names)) and len(names) > 60, f"names: {names}")
        events = lab.replay(path)
        shown = 0
        for name in names:
            lines = table(path, name)
            cells = [line.strip() for line in lines if line.strip() not in (name.upper(), "2026-09-21 UTC")]
            lab.equal(len(cells), len(events), f"lines of {name}")
            for cell, event in zip(cells, events):
                value = event.get(name, "")[:12] if name == "container" else event.get(name)
                if isinstance(value, (int, str)) and not isinstance(value, bool) and re.fullmatch(r"[\w/:.-]+", str(value)) \
                        and not name.endswith("duration") and name not in ("errno", "signal", "time"):
                    lab.equal(cell, str(value), f"{name} of {event}")
                    shown += 1
                elif name in event and value is True:
                    lab.equal(cell, "yes", f"{name} of {event}")
        lab.demand(shown > 40, f"only {shown} values compared")
        lines = table(path, "exe,exe,pid,kind")
        lab.equal(lines[0].split(), ["EXE", "EXE", "PID", "KIND"], "a column twice")
        for event in events:
            lab.demand(set(event) - set(names) <= {"error", "signal_name", "argv_b64", "env_b64"}, f"no column of {set(event) - set(names)}")


def options_go_with_it():
    with lab.workdir() as work:
        path = capture(work)
        lab.equal(table(path, "pid,comm", "--no-header"), ["      7  sh", "      8  sh", "      7  sh", "      -  -"], "no header")
        lab.equal(table(path, "pid", "--limit", "1"), ["    PID", "      7"], "no day where there is no time")
        lab.equal(table(path, "time", "--date", "--limit", "1")[-1], "2026-09-21T14:13:21.000000", "date")
        lab.equal(table(path, "argv,pid", "--no-header", "--limit", "1"), ["sh 'a b' '' $'\\033[31m'        7"], "escaped")
        lab.equal(table(path, "env", "--no-header", "--limit", "1"), ["A=1 $'B=\\n'"], "environment")
        for options, word in ((("--columns", "pid,", path), "no column ''"), (("--columns", "Pid", path), "no column 'Pid'"),
                              (("--columns", "pid", "--json", path), "leave one out"), (("--match", "x=1", path), "no field"),
                              (("--columns", ",".join(["pid"] * 65), path), "more than 64")):
            done = lab.exectrace("replay", *options, code=2)
            lab.demand(word in done.stderr.decode(), f"{options} says {done.stderr}")


def match_is_what_json_says():
    """A condition on the JSON of an event, and the option that asks the same."""
    with lab.workdir() as work:
        path = capture(work)
        events = lab.replay(path)
        for text, wanted in ((("container=3f4e2d1c0b9a",), lambda e: e.get("container") == ID),
                             (("tty=pts/*",), lambda e: e.get("tty", "").startswith("pts/")),
                             (("login_uid=root",), lambda e: e.get("login_user") == "root"),
                             (("env=B",), lambda e: any(s.startswith("B=") for s in e.get("env", []))),
                             (("pid=7", "uid=1000"), lambda e: e.get("pid") == 7 and e.get("uid") == 1000),
                             (("major_faults=1..",), lambda e: e.get("major_faults", 0) > 0),
                             (("duration=1us..1s",), lambda e: e.get("duration", 0) > 1000),
                             (("cgroup=/user*,/init*",), lambda e: e.get("cgroup", "").startswith("/user"))):
            options = [word for one in text for word in ("--match", one)]
            got = lab.lines(lab.exectrace("replay", "--json", *options, path).stdout)
            expected = [event for event in events if wanted(event) or event["kind"] == "lost"]
            lab.equal(got, expected, f"what {text} chooses")
            lab.demand(0 < len(expected) - 1 < 3, f"{text} is no test")
            counted = lab.exectrace("replay", "--count", *options, path).stdout
            lab.equal(int(counted), len(expected) - 1, f"count of {text}")


def slice_keeps_the_gaps():
    """Also a match of what only lost events have does not leave one out of a capture that is made."""
    with lab.workdir() as work:
        path, out = capture(work), os.path.join(work, "o.etz")
        lab.equal([event["kind"] for event in lab.lines(lab.exectrace("replay", "--json", "--match", "cause=busy", path).stdout)],
                  [], "events of another cause")
        lab.exectrace("slice", "--no-ancestors", "--match", "cause=busy", "-o", out, path)
        lab.equal([event["kind"] for event in lab.replay(out)], ["lost"], "events of the slice")
        lab.equal(json.loads(lab.exectrace("info", "--json", out).stdout)["lost"], 3, "lost")


if __name__ == "__main__":
    lab.main(lines_are_as_written, every_field_has_a_column, options_go_with_it, match_is_what_json_says, slice_keeps_the_gaps)

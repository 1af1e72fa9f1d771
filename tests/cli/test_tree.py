#!/usr/bin/env python3
"""tree and --descendants-of: who is whose child, what is folded, and what filters leave."""
import collections
import json
import os
import re
import resource
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import family  # noqa: E402
import lab  # noqa: E402
import world  # noqa: E402
from test_slice import filters  # noqa: E402
from world import World  # noqa: E402

UTF8, ASCII = {**os.environ, "LC_ALL": "C.UTF-8"}, {**os.environ, "LC_ALL": "C"}
MEMORY = 200 << 20


def tree(*args, env=UTF8, **kwargs):
    return lab.exectrace("tree", *args, env=env, **kwargs).stdout.decode()


def tree_json(*args, **kwargs):
    return lab.lines(lab.exectrace("tree", "--json", *args, **kwargs).stdout)


# ---- A world whose truth is known -----------------------------------------------------


def told_parent(process, capture, until=None):
    """The parent of a process as rows up to a number tell it: its creator, where its fork is there."""
    rows = [i for i, row in enumerate(capture.rows) if row.get("process") is process and (until is None or i <= until)]
    if not rows:
        return None
    first = capture.rows[rows[0]]
    return process.creator if first["kind"] == "fork" else first["parent"]


def key(process, capture):
    """What tree says of who it is: pid, and start as exactly as rows have it."""
    rows = [row for row in capture.rows if row.get("process") is process]
    starts = sorted({row["start"] for row in rows if row["kind"] != "proc"} or {row["start"] for row in rows})
    return process.pid, starts[0] if starts else None


def expected(capture, matches):
    """By key: (parent's key, what it is, whether a row of it matches), of those shown."""
    matched = {id(row["process"]): row["process"] for row in capture.rows if "process" in row and matches(row)}
    shown, out = {}, {}
    for process in matched.values():
        while process is not None and id(process) not in shown:
            shown[id(process)] = process
            process = told_parent(process, capture)
    for process in shown.values():
        parent = told_parent(process, capture)
        out[key(process, capture)] = (key(parent, capture) if parent else None, id(process) in matched, process)
    return out


def check_process(found, process, capture):
    rows = [row for row in capture.rows if row.get("process") is process]
    kinds = {row["kind"]: row for row in rows}
    first = rows[0]["kind"] if rows else None
    lab.equal(found["known_by"], {None: "parent", "fork": "fork"}.get(first, "proc" if "proc" in kinds else "event"),
              f"known_by of {found}")
    lab.equal(found["execs"], sum(row["kind"] == "exec" for row in rows), f"execs of {found}")
    fails = sum(row["kind"] == "fail" for row in rows)
    lab.equal((found["failed"], found.get("errors", {})), (fails, {"ENOENT": fails} if fails else {}), f"failed of {found}")
    if not rows:
        lab.equal(found["state"], "unknown", f"state of {found}")
        return
    if "exit" in kinds:
        row = kinds["exit"]
        lab.equal((found["state"], found.get("exit_code"), found.get("signal")),
                  ("exited", row.get("exit_code"), row.get("signal")), f"end of {found}")
        lab.equal(found["duration"], row["ts"] - found["start"], f"duration of {found}")
    else:
        lab.equal(found["state"], "running", f"state of {found}")
    ran = [row for row in rows if row["kind"] in ("exec", "proc")]
    if ran:
        for name in ("comm", "exe", "argv", "cwd", "uid"):
            lab.equal(found.get(name), ran[-1].get(name), f"{name} of {found}")
    else:
        lab.equal(found["comm"], rows[0]["comm"], f"comm of {found}")
    if len(ran) > 1:
        for name in ("comm", "exe", "argv", "cwd", "uid"):
            lab.equal(found["first"].get(name), ran[0].get(name), f"first {name} of {found}")
    lab.equal("first" in found, len(ran) > 1, f"first of {found}")


def identify(found):
    """By key, and every parent before in the list is there."""
    by_id = {process["id"]: process for process in found}
    lab.equal(len(by_id), len(found), "ids")
    at = {process["id"]: i for i, process in enumerate(found)}
    for process in found:
        if "parent" in process:
            lab.demand(at[process["parent"]] > at[process["id"]], f"{process} comes behind its parent")
    return by_id, {(process["pid"], process.get("start")): process for process in found}


def unasked(options, matches):
    """tree leaves out processes of which only the snapshot tells, unless it is asked for them."""
    return matches if "--kind" in options else lambda row: row["kind"] != "proc" and matches(row)


def json_is_the_world():
    with lab.workdir() as work:
        depth = 0
        for seed in range(30, 36):
            capture = World(seed, 600, pids=40)
            path = world.write(os.path.join(work, "w.etz"), capture.text())
            for options, matches in filters(capture):
                if options[:1] == ["--pid"]:	# that is where it begins
                    continue
                found = tree_json(*options, path)
                wanted = expected(capture, lambda row, m=unasked(options, matches): row["kind"] != "lost" and m(row))
                by_id, by_key = identify(found)
                lab.equal(set(by_key), set(wanted), f"processes of {options}, seed {seed}")
                for who, (parent, matched, process) in wanted.items():
                    one = by_key[who]
                    above = by_id[one["parent"]] if "parent" in one else None
                    lab.equal((above["pid"], above.get("start")) if above else None, parent, f"parent of {one}, seed {seed}")
                    lab.equal(one["matches"], matched, f"matches of {one}, {options}")
                    check_process(one, process, capture)
                for process in found:
                    level = 0
                    while "parent" in process:
                        process, level = by_id[process["parent"]], level + 1
                    depth = max(depth, level)
        lab.demand(depth > 5, f"the trees are too flat to judge: {depth}")


def within(capture, roots):
    """Numbers of the rows about processes with one of these pids, and all that descend from them."""
    found = []
    for i, row in enumerate(capture.rows):
        process = row.get("process")
        while process is not None and process.pid not in roots:
            process = told_parent(process, capture, i)
        if row["kind"] == "lost" or process is not None:
            found.append(i)
    return found


def descendants_everywhere():
    """replay, its count, summary and slice take the same rows; with other filters, too; from a pipe, too."""
    with lab.workdir() as work:
        some = 0
        for seed in range(40, 44):
            whole = seed % 3 == 0
            capture = World(seed, 600, pids=40, lost=0 if whole else 0.03, lose_forks=0 if whole else 0.1)
            path, out = world.write(os.path.join(work, "w.etz"), capture.text()), os.path.join(work, "s.etz")
            pids = [row["pid"] for row in capture.rows if row["kind"] == "fork"]
            for roots in ({pids[0]}, {pids[1], pids[2]}, set(pids[::9]), {1}, {77777}):
                option = ["--descendants-of", ",".join(map(str, sorted(roots)))]
                wanted = [capture.rows[i]["ts"] for i in within(capture, roots)]
                some += 20 < len(wanted) < len(capture.rows) - 20
                lab.equal([e["ts"] for e in lab.replay(*option, path)], wanted, f"replay {option}, seed {seed}")
                with open(path, "rb") as file:
                    lab.equal([e["ts"] for e in lab.replay(*option, "-", stdin=file)], wanted, f"replay {option} -")
                kept = [capture.rows[i] for i in within(capture, roots)]
                counted = sum(row["kind"] != "lost" for row in kept)
                lab.equal(int(lab.exectrace("replay", "--kind", "exec,fail,fork,exit,proc", "--count", *option, path).stdout), counted,
                          f"count of {option}")
                lab.equal(int(lab.exectrace("replay", "--kind", "exec,fail,fork,exit,proc", "--count", "--limit", "3", *option, path).stdout),
                          min(3, counted), f"count of {option} with a limit")
                lab.equal(json.loads(lab.exectrace("summary", "--json", *option, path).stdout)["events"], counted, f"summary of {option}")
                lab.exectrace("slice", "-q", "-f", "--no-ancestors", "-o", out, *option, path)
                lab.equal([e["ts"] for e in lab.replay(out)], wanted, f"slice {option}, seed {seed}")
                execs = [row["ts"] for row in kept if row["kind"] == "exec"]
                done = lab.exectrace("replay", "--json", "--kind", "exec", *option, path)
                lab.equal([e["ts"] for e in lab.lines(done.stdout)], execs, f"execs of {option}")
                lab.demand(b"complete, %d of %d" % (len(execs), len(capture.rows)) in done.stderr or not whole or not execs,
                           f"what is told: {done.stderr}")
                limited = lab.replay("--limit", "5", *option, path)
                lab.equal([e["ts"] for e in limited], wanted[:5], f"{option} with a limit")
                inside, rows = {}, set(within(capture, roots))
                for who, value in expected(capture, lambda row: row["kind"] not in ("lost", "proc")
                                           and any(row is capture.rows[i] for i in rows)).items():
                    above = value[2]
                    while above is not None and above.pid not in roots:
                        above = told_parent(above, capture)
                    if above is not None:
                        inside[who] = value
                # What is learned when a process has gone comes too late for it.
                if not whole:
                    continue
                by_id, by_key = identify(tree_json("--pid", option[1], path))
                lab.equal(set(by_key), set(inside), f"tree --pid {option[1]}, seed {seed}")
                for who, (parent, matched, _) in inside.items():
                    above = by_id[by_key[who]["parent"]] if "parent" in by_key[who] else None
                    lab.equal((above["pid"], above.get("start")) if above else None, parent if parent in inside else None,
                              f"parent of {who} in tree --pid {option[1]}, seed {seed}")
        lab.demand(some > 3, "nearly all or nothing descends, always")


def unknown_boots_are_others():
    """Nothing says that two segments are of one boot where that is not known."""
    text = "segment ts=1000 realtime=1790000000000000000\nfork ts=2000 pid=20 ppid=10 start=2000 uid=0 comm=a\n" \
           "end ts=2500 done\n"
    with lab.workdir() as work:
        twice = world.write(os.path.join(work, "t.etz"), text, text.replace("000", "100"))
        lab.equal([p["pid"] for p in tree_json(twice)], [20, 10] * 2, "processes of two boots")


def descendants_over_segments():
    """A process lives on in the next segment of the same boot, in another it is another."""
    first = """segment boot=00112233445566778899aabbccddeeff ts=1000 realtime=1790000000000000000
proc ts=1000 pid=10 ppid=1 start=0 uid=0 comm=root
proc ts=1001 pid=11 ppid=1 start=0 uid=0 comm=other
fork ts=2000 pid=20 ppid=10 start=2000 uid=0 comm=root
end ts=2500 rotated
"""
    second = """segment boot=00112233445566778899aabbccddeeff ts=2600 realtime=1790000000000000000
fork ts=3000 pid=30 ppid=20 start=3000 uid=0 comm=root
fork ts=3100 pid=31 ppid=11 start=3100 uid=0 comm=other
end ts=4000 rotated
"""
    third = """segment boot=ffeeddccbbaa99887766554433221100 ts=5000 realtime=1790000000000000000
fork ts=6000 pid=40 ppid=20 start=6000 uid=0 comm=stranger
end ts=7000 done
"""
    with lab.workdir() as work:
        one = world.write(os.path.join(work, "one.etz"), first, second, third)
        parts = [world.write(os.path.join(work, f"{i}.etz"), text) for i, text in enumerate((first, second, third))]
        out = os.path.join(work, "out.etz")
        for files in ([one], parts):
            lab.equal([e["ts"] for e in lab.replay("--descendants-of", "10", *files)], [1000, 2000, 3000], f"{files}")
            lab.exectrace("slice", "-f", "-q", "--no-ancestors", "-o", out, "--descendants-of", "10", *files)
            lab.equal([e["ts"] for e in lab.replay(out)], [1000, 2000, 3000], f"slice of {files}")
            found = tree_json("--pid", "10", *files)
            lab.equal([p["pid"] for p in found], [30, 20, 10], "tree of these")
            lab.equal(len(tree_json(*files)), 8, "tree of all: 1 and 20 of both boots, 10, 11, 30, 31, 40 less 1 of the third")


# ---- What is folded -------------------------------------------------------------------


def parse(text):
    """(level, count, matched, result, command) of each line of a tree."""
    out = []
    for line in text.splitlines():
        head, what = line[:49], line[49:]
        mark = re.match(r" *(\()?(×)?(\d+)[) ]", head)
        lab.demand(mark, f"no pid in {line!r}")
        bars = re.match(r"(?:│  |   )*", what).group()
        arm = re.match(r"[├└][─?] ", what[len(bars):])
        command = re.sub(r"^\? ", "", what[len(bars) + (3 if arm else 0):])
        out.append((len(bars) // 3 + (1 if arm else 0), int(mark.group(3)) if mark.group(2) else 1, not mark.group(1),
                    head[20:30].strip(), command))
    return out


def folded(events, fold=True):
    """The same lines from events, folded naively; of the command only the names."""
    found, named = family.lives(events)
    order = {id(life): life.rows[0].get("at", -1) for life in found}
    for life in named:
        order[id(life)] = min(order[id(child)] for child in life.children) - .5

    def label(life):
        if life.rows[0]["kind"] == "named":
            return "(not in the capture)"
        names, executed = family.chain(life)
        names = names[:3] + (["…"] if len(names) > 4 else []) + names[-1:] if len(names) > 3 else names
        return " → ".join(names) if executed else f"({names[0]})"

    def summary(life):
        fails = collections.Counter((row["errno"], row["error"]) for row in life.rows if row["kind"] == "fail")
        named_life = life.rows[0]["kind"] == "named"
        matched = any(row["kind"] not in ("proc", "named") for row in life.rows)
        children = [c for c in map(summary, sorted(life.children, key=lambda c: order[id(c)])) if c]
        if not matched and not children:
            return None
        if fold:
            merged = {}
            for child in children:
                if child["shape"] in merged:
                    merge(merged[child["shape"]], child)
                else:
                    merged[child["shape"]] = child
            children = list(merged.values())
        users = [row["uid"] for row in life.rows if "uid" in row]
        origin = "named" if named_life else "fork" if life.fork else "proc" if life.proc else "seen"
        return {"label": label(life), "result": "?" if named_life else family.result(life), "matched": matched, "count": 1,
                "fails": fails, "core": bool((life.exit or {}).get("core")), "children": children,
                "shape": (label(life), family.result(life), (life.exit or {}).get("core"), matched, users[-1:], origin,
                          frozenset(map(lambda c: c["shape"], children))).__repr__()}

    def merge(a, b):
        a["count"] += b["count"]
        a["fails"] = a["fails"] + b["fails"]
        for child in b["children"]:
            like = [c for c in a["children"] if c["shape"] == child["shape"]]
            if like:
                merge(like[0], child)
            else:
                a["children"].append(child)

    def emit(nodes, level):
        for node in nodes:
            fails = node["fails"]
            lowest = min(fails, default=None)
            others = sum(fails.values()) - fails[lowest]
            tail = "  (core)" if node["core"] else ""
            tail += f"  (+{fails[lowest]} {lowest[1]}" + (f", {others} other" if others else "") + ")" if fails else ""
            yield level, node["count"], node["matched"], node["result"], node["label"] + tail
            yield from emit(node["children"], level + 1)

    class Top(family.Life):
        def __init__(self, children):
            self.rows, self.children, self.parent = [{"kind": "named", "pid": 0}], children, None
            self.fork = self.proc = self.exit = None
    top = Top([life for life in [*found, *named] if life.parent is None])
    return list(emit((summary(top) or {"children": []})["children"], 0))


def names_only(lines):
    """Command lines cut down to what folded() says: the last word of a chain by its first word."""
    out = []
    for level, count, matched, result, command in lines:
        command, tail = re.match(r"(.*?)((?:  \((?:\+.*|core)\))*)$", command).groups()
        *chain, last = command.split(" → ")
        if not last.startswith("("):
            file, words = re.match(r"(?:\[(\S+)\] )?(.*)", last).groups()
            word = words.split(" ")[0]
            last = (file if word == "hostile" else word).rsplit("/", 1)[-1]
        # What ran before is called otherwise by its arguments than by the kernel.
        name = " → ".join([*chain, last]) if matched else "*"
        out.append((level, count, matched, result, name + (tail or "")))
    return out


def folding_is_what_a_naive_one_gives():
    with lab.workdir() as work:
        path = lab.made(work, 3000)
        events = lab.replay(path)
        for fold in (True, False):
            found = parse(tree("--no-header", "-q", *([] if fold else ["--no-fold"]), path))
            lab.equal(names_only(found), names_only(folded(events, fold)), f"lines, fold {fold}")
            lab.demand((len(found) < 1500) == fold, f"{len(found)} lines, fold {fold}")
            lab.equal(sum(count for _, count, _, result, _ in found if result != "?"), 3000, "processes in all lines")


# ---- What is printed ------------------------------------------------------------------


BEGINNING = """segment boot=00112233445566778899aabbccddeeff ts=1000 realtime=1790000000000000000
user 0 root
user 1 ann
proc ts=1000 pid=1 ppid=0 start=0 uid=0 comm=init argv=%2Fsbin%2Finit,
proc ts=1001 pid=10 ppid=1 start=0 uid=1 comm=bash argv=bash,
proc ts=1002 pid=11 ppid=1 start=0 uid=1 comm=idle argv=idle,
"""


def capture_of(work, *lines, name="t.etz", begin=BEGINNING, end="end ts=99000000000 done\n"):
    return world.write(os.path.join(work, name), begin, *(line + "\n" for line in lines), end)


def gcc(n):
    """So many gcc side by side, with two children each."""
    out = []

    def row(ts, kind, pid, ppid, start, comm, more=""):
        out.append((ts, f"{kind} ts={ts} pid={pid} ppid={ppid} start={start} uid=1 comm={comm} {more}"))
    for i in range(n):
        pid, at = 100 + 3 * i, 3000 + i
        row(at, "fork", pid, 20, at, "make")
        row(at + 1000, "exec", pid, 20, at, "gcc", f"filename=%2Fusr%2Fbin%2Fgcc argv=gcc,-c,{i}.c,")
        for k, name in enumerate(("cc1", "as")):
            own, start = pid + k + 1, at + 2000 + 500 * k
            row(start, "fork", own, pid, start, "gcc")
            row(start + 100, "exec", own, pid, start, name, f"filename=%2Fusr%2Fbin%2F{name} argv={name},-O2,")
            row(start + 200, "exit", own, pid, start, name, "exit_code=0 utime=1500000000 stime=500000000")
        row(at + 7000, "exit", pid, 20, at, "gcc", f"exit_code={1 if i == 1 else 0} utime=1000000 stime=0")
    return [line for _, line in sorted(out)]


MAKE = ["fork ts=2000 pid=20 ppid=10 start=2000 uid=1 comm=bash",
        "fail ts=2100 pid=20 ppid=10 start=2000 uid=1 comm=bash filename=%2Fx%2Fmake argv=make, errno=2",
        "fail ts=2150 pid=20 ppid=10 start=2000 uid=1 comm=bash filename=%2Fy%2Fmake argv=make, errno=2",
        "fail ts=2160 pid=20 ppid=10 start=2000 uid=1 comm=bash filename=%2Fz%2Fmake argv=make, errno=13",
        "exec ts=2200 pid=20 ppid=10 start=2000 uid=1 comm=make filename=%2Fusr%2Fbin%2Fmake argv=make,-j2,"]
REST = ["fork ts=50000 pid=30 ppid=20 start=50000 uid=1 comm=make",
        "exec ts=50100 pid=30 ppid=20 start=50000 uid=1 comm=sh filename=%2Fbin%2Fsh argv=sh,-c,exec%20su,",
        "exec ts=50200 pid=30 ppid=20 start=50000 uid=0 comm=su filename=%2Fbin%2Fsu argv=su,a%0Ab,",
        "fork ts=50300 pid=31 ppid=30 start=50300 uid=0 comm=su",
        "exit ts=50400 pid=31 ppid=30 start=50300 uid=0 comm=su signal=11 core=1 utime=0 stime=0",
        "exit ts=2050200 pid=30 ppid=20 start=50000 uid=0 comm=su exit_code=0 utime=7000 stime=0",
        "fork ts=2060000 pid=32 ppid=20 start=2060000 uid=1 comm=make",
        "fork ts=3000000 pid=32 ppid=20 start=3000000 uid=1 comm=make",
        "exec ts=3000100 pid=40 ppid=20 start=100 uid=1 comm=lost filename=%2Fbin%2Flost argv=lost,",
        "exec ts=3000200 pid=41 ppid=777 start=2500000 uid=1 comm=orphan filename=%2Fbin%2Forphan argv=orphan,"]

EXPECTED = {
    "text": """\
     PID  USER      RESULT        TIME      CPU  COMMAND
      (1) root      running                      /sbin/init
     (10) ann       running                      └─ bash
      20            running                         └─ make -j2  (+2 ENOENT, 1 other)
      ×3            exit 0     21.00us  3.000ms        ├─ gcc
      ×3            exit 0       600ns   6.000s        │  ├─ cc1 -O2
      ×3            exit 0       600ns   6.000s        │  └─ as -O2
     103            exit 1     7.000us  1.000ms        ├─ gcc -c 1.c
     104            exit 0       200ns   2.000s        │  ├─ cc1 -O2
     105            exit 0       200ns   2.000s        │  └─ as -O2
      30  root      exit 0     2.000ms  7.000us        ├─ sh → su $'a\\nb'
      31            SIGSEGV      100ns      0ns        │  └─ (su)  (core)
      32            ?                                  ├─ (make)
      32            running                            └─ (make)
      40  ann       running                      ? lost
    (777)           ?                            (not in the capture)
      41  ann       running                      └? orphan

19 processes (4 running at the end), 17 execs, 3 failed, 16.00s CPU; 2.998ms from 2026-09-21 14:13:20.000002 UTC
? before a command: the parent is a guess, or not known, for the fork is not in the capture
""",
    "ascii": """\
     PID  USER      RESULT        TIME      CPU  COMMAND
      (1) root      running                      /sbin/init
     (10) ann       running                      `- bash
      20            running                         `- make -j2  (+2 ENOENT, 1 other)
      x3            exit 0     21.00us  3.000ms        |- gcc
      x3            exit 0       600ns   6.000s        |  |- cc1 -O2
      x3            exit 0       600ns   6.000s        |  `- as -O2
     103            exit 1     7.000us  1.000ms        |- gcc -c 1.c
     104            exit 0       200ns   2.000s        |  |- cc1 -O2
     105            exit 0       200ns   2.000s        |  `- as -O2
      30  root      exit 0     2.000ms  7.000us        |- sh -> su $'a\\nb'
      31            SIGSEGV      100ns      0ns        |  `- (su)  (core)
      32            ?                                  |- (make)
      32            running                            `- (make)
      40  ann       running                      ? lost
    (777)           ?                            (not in the capture)
      41  ann       running                      `? orphan

19 processes (4 running at the end), 17 execs, 3 failed, 16.00s CPU; 2.998ms from 2026-09-21 14:13:20.000002 UTC
? before a command: the parent is a guess, or not known, for the fork is not in the capture
""",
    "all": """\
     PID  USER      RESULT        TIME      CPU  COMMAND
      20  ann       running                      make -j2  (+2 ENOENT, 1 other)
     100            exit 0     7.000us  1.000ms  ├─ gcc -c 0.c
     101            exit 0       200ns   2.000s  │  ├─ cc1 -O2
     102            exit 0       200ns   2.000s  │  └─ as -O2
     103            exit 1     7.000us  1.000ms  ├─ gcc -c 1.c
     104            exit 0       200ns   2.000s  │  ├─ cc1 -O2
     105            exit 0       200ns   2.000s  │  └─ as -O2
     106            exit 0     7.000us  1.000ms  ├─ gcc -c 2.c
     107            exit 0       200ns   2.000s  │  ├─ cc1 -O2
     108            exit 0       200ns   2.000s  │  └─ as -O2
     109            exit 0     7.000us  1.000ms  ├─ gcc -c 3.c
     110            exit 0       200ns   2.000s  │  ├─ cc1 -O2
     111            exit 0       200ns   2.000s  │  └─ as -O2
      30  root      exit 0     2.000ms  7.000us  ├─ sh → su $'a\\nb'
      31            SIGSEGV      100ns      0ns  │  └─ (su)  (core)
      32            ?                            ├─ (make)
      32            running                      └─ (make)

17 processes (2 running at the end), 15 execs, 3 failed, 16.00s CPU; 2.998ms from 2026-09-21 14:13:20.000002 UTC
""",
    "depth": """\
     PID  USER      RESULT        TIME      CPU  COMMAND
      (1) root      running                      /sbin/init
     (10) ann       running                      └─ bash
      20            running                         └─ make -j2  (+2 ENOENT, 1 other)  (+16 processes below)
      40  ann       running                      ? lost
    (777)           ?                            (not in the capture)
      41  ann       running                      └? orphan

19 processes (4 running at the end), 17 execs, 3 failed, 16.00s CPU; 2.998ms from 2026-09-21 14:13:20.000002 UTC
? before a command: the parent is a guess, or not known, for the fork is not in the capture
""",
    "filter": """\
      (1) root      running                      /sbin/init
     (10) ann       running                      └─ bash
     (20)           running                         └─ make -j2  (+2 ENOENT, 1 other)
     (×3)           exit 0     21.00us  3.000ms        ├─ gcc
      ×3            exit 0       600ns   6.000s        │  └─ as -O2
    (103)           exit 1     7.000us  1.000ms        └─ gcc -c 1.c
     105            exit 0       200ns   2.000s           └─ as -O2
""",
}


def lines_are_as_the_manual_says():
    with lab.workdir() as work:
        path = capture_of(work, *MAKE, *gcc(4), *REST)
        for args, env, name in (([], UTF8, "text"), ([], ASCII, "ascii"), (["--no-fold", "--pid", "20"], UTF8, "all"),
                                (["--depth", "3", "--utc"], UTF8, "depth"), (["--comm", "as", "--no-header"], UTF8, "filter")):
            lab.equal(tree("-q", *args, path, env=env), EXPECTED[name], f"tree {args}")


def a_terminal_cuts_the_command_alone():
    """No line is wider than the terminal, and what stands behind a command is there."""
    with lab.workdir() as work:
        path = capture_of(work, *MAKE, "exec ts=2300 pid=20 ppid=10 start=2000 uid=1 comm=make argv=make," + "all,%C3%A4%C3%B6," * 50)
        for columns in (60, 80, 133):
            for env in (UTF8, ASCII):
                done = lab.run(["script", "-qec", f"stty cols {columns}; '{lab.EXECTRACE}' tree -q --no-header '{path}'", "/dev/null"], env=env)
                line = done.stdout.decode().splitlines()[2]
                lab.equal(len(line), columns, f"columns of {line!r}")
                lab.demand(line.endswith(("…" if env is UTF8 else "...") + ("  (+2 ENOENT, 1 other)" if columns > 75 else "")), f"cut: {line!r}")
        wide = lab.run(["script", "-qec", f"stty cols 80; '{lab.EXECTRACE}' tree -q --wide '{path}'", "/dev/null"], env=UTF8)
        lab.demand("all äö " * 40 in wide.stdout.decode(), "cut in spite of --wide")


def nothing_to_show():
    with lab.workdir() as work:
        path = capture_of(work)
        lab.equal(tree("--no-header", path), "", "processes of which only the snapshot tells")
        lab.equal(tree("--no-header", "--json", path), "", "the same as JSON")
        lab.equal([line[4] for line in parse(tree("--no-header", "--kind", "proc", path))],
                  ["/sbin/init", "bash", "idle"], "with --kind proc")
        lab.equal(tree("--no-header", "--pid", "4444", path), "", "a pid that nobody has")
        for option in (["--pid", "x"], ["--pid", "0"], ["--descendants-of", "1,,2"], ["--depth", "0"], ["--depth", "2000"], ["--count"]):
            done = lab.exectrace("tree", *option, path, code=2)
            lab.demand(option[0].encode() in done.stderr, f"{option}: {done.stderr}")


# ---- Strangers' captures --------------------------------------------------------------


def no_control_byte_comes_out():
    hostile = "%1B[31m%0A%07%FF%E2%80%AEx"
    with lab.workdir() as work:
        path = capture_of(work, f"user 5 {hostile}",
                          f"fork ts=2000 pid=20 ppid=10 start=2000 uid=5 comm={hostile}",
                          f"exec ts=2100 pid=20 ppid=10 start=2000 uid=5 comm={hostile} filename={hostile} argv={hostile},{hostile},",
                          f"exec ts=2200 pid=20 ppid=10 start=2000 uid=5 comm={hostile} filename={hostile} argv={hostile},",
                          f"fork ts=2300 pid=21 ppid=20 start=2300 uid=5 comm={hostile}")
        for args in ([], ["--json"], ["--no-fold", "--wide"]):
            for env in (UTF8, ASCII):
                out = lab.exectrace("tree", *args, path, env=env).stdout
                lab.demand(not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]|\xe2\x80\xae|\xff", out), f"tree {args} prints {out!r}")
                lab.demand(b"31m" in out, f"tree {args} prints {out!r}")
                if env is ASCII and not args:
                    lab.demand(out.isascii(), f"in ASCII: {out!r}")


def limited():
    if not lab.SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def deep_and_wide():
    """Deeper, and with more kinds, than is shown: all are counted, in bounded memory."""
    def check(path, processes, told):
        for args in ([], ["--no-fold"]):
            done = lab.exectrace("tree", "-q", "-j", "1", *args, path, env=UTF8, preexec_fn=limited)
            lines = parse(done.stdout.decode().split("\n", 1)[1].split("\n\n")[0])
            below = sum(int(n) for n in re.findall(r"\(\+(\d+) process(?:es)? below\)", done.stdout.decode()))
            lab.equal(sum(count for _, count, *_ in lines) + below, processes, f"processes of tree {args}")
            lab.equal(told in done.stderr, bool(told), f"what tree {args} tells: {done.stderr[-500:]}")
        done = lab.exectrace("tree", "-q", "-j", "1", "--json", path, env=UTF8, preexec_fn=limited)
        lab.equal(done.stdout.count(b"\n"), processes, "processes of tree --json")
    with lab.workdir() as work:
        n = 5000
        rows = [f"fork ts={2000 + i} pid={i + 2} ppid={i + 1} start={2000 + i} uid=0 comm=deep" for i in range(n)]
        check(capture_of(work, *rows, begin="segment ts=1000\n"), n + 1, b"only counted")
        # The same, each gone before the next but one is there: only the last one lives.
        rows = [row for i in range(n)
                for row in (f"fork ts={2000 + 10 * i} pid={i + 2} ppid={i + 1} start={2000 + 10 * i} uid=0 comm=deep",
                            f"exit ts={2005 + 10 * i} pid={i + 1} ppid=0 start={2000 + 10 * (i - 1)} uid=0 comm=deep exit_code=0")]
        check(capture_of(work, *rows, begin="segment ts=1000\n"), n + 1, b"only counted")
        rows = [row for i in range(60000)
                for row in (f"fork ts={2000 + 10 * i} pid={i + 2} ppid=1 start={2000 + 10 * i} uid=0 comm=x",
                            f"exec ts={2001 + 10 * i} pid={i + 2} ppid=1 start={2000 + 10 * i} uid=0 comm=c{i} argv={'x' * 900},",
                            f"exit ts={2005 + 10 * i} pid={i + 2} ppid=1 start={2000 + 10 * i} uid=0 comm=c{i} exit_code=0")]
        check(capture_of(work, *rows, begin="segment ts=1000\n"), 60001, b"command lines are left out")


def a_closed_pipe_is_no_failure():
    with lab.workdir() as work:
        path = lab.made(work, 2000)
        for args in ([], ["--json"]):
            done = lab.run(["sh", "-c", '"$0" tree "$@" | head -n 1', lab.EXECTRACE, *args, "--no-fold", "-q", path])
            lab.equal((done.stdout.count(b"\n"), done.stderr), (1, b""), f"tree {args} into head")


def options_that_contradict():
    done = lab.exectrace("tree", "--pid", "1", "--descendants-of", "2", "x.etz", code=2)
    lab.demand(b"give one of them" in done.stderr, f"it says {done.stderr}")
    done = lab.exectrace("tree", "--depth", "1025", "x.etz", code=2)
    lab.demand(b"not a number from 1 to 1024" in done.stderr, f"it says {done.stderr}")


if __name__ == "__main__":
    lab.main(json_is_the_world, descendants_everywhere, descendants_over_segments, unknown_boots_are_others, folding_is_what_a_naive_one_gives,
             lines_are_as_the_manual_says, a_terminal_cuts_the_command_alone, nothing_to_show, no_control_byte_comes_out, deep_and_wide,
             a_closed_pipe_is_no_failure, options_that_contradict)

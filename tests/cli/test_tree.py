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
    processes = {id(row["process"]): row["process"] for row in capture.rows if "process" in row}
    matched = {id(row["process"]) for row in capture.rows if "process" in row and matches(row)}
    shown, out = {}, {}
    for process in processes.values():
        while id(process) in matched or id(process) in shown or not shown.get(id(process), True):
            break
        if id(process) not in matched:
            continue
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
        for seed in range(40, 46):
            capture = World(seed, 600, pids=40)
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
                lab.demand(b"complete, %d of %d" % (len(execs), len(capture.rows)) in done.stderr or not execs,
                           f"what is told: {done.stderr}")
                limited = lab.replay("--limit", "5", *option, path)
                lab.equal([e["ts"] for e in limited], wanted[:5], f"{option} with a limit")
        lab.demand(some > 5, "nearly all or nothing descends, always")


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


LINE = re.compile(r"^ *(?P<mark>\()?(?P<times>×)?(?P<number>\d+)[ )]  ?(?P<user>.{8})  (?P<result>\S*(?: \S+)*?) *"
                  r"(?P<time>(?<= )[\d.]+[a-z0-9]+)? *(?P<cpu>(?<= )[\d.]+[a-z0-9]+)?  (?P<bars>(?:│  |   )*)(?P<arm>[├└][─?] )?(?P<what>\S.*)$")


def parse(text):
    """(level, count, matched, result, command) of each line of a tree."""
    out = []
    for line in text.splitlines():
        head, what = line[:48], line[48:]
        mark = re.match(r" *(\()?(×)?(\d+)[) ]", head)
        lab.demand(mark, f"no pid in {line!r}")
        bars = re.match(r"(?:│  |   )*", what).group()
        arm = re.match(r"[├└][─?] ", what[len(bars):])
        command = what[len(bars) + (3 if arm else 0):]
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
        fails = collections.Counter(row["error"] for row in life.rows if row["kind"] == "fail")
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
                "fails": fails, "first": next(iter(fails), None), "children": children,
                "shape": (label(life), family.result(life), matched, users[-1:], origin,
                          frozenset(map(lambda c: c["shape"], children))).__repr__()}

    def merge(a, b):
        a["count"] += b["count"]
        a["fails"] = a["fails"] + b["fails"]
        a["first"] = a["first"] or b["first"]
        for child in b["children"]:
            like = [c for c in a["children"] if c["shape"] == child["shape"]]
            if like:
                merge(like[0], child)
            else:
                a["children"].append(child)

    def emit(nodes, level):
        for node in nodes:
            fails = node["fails"]
            others = sum(n for error, n in fails.items() if error != node["first"])
            tail = f"  (+{fails[node['first']]} {node['first']}" + (f", {others} other" if others else "") + ")" if fails else ""
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
        command, tail = re.match(r"(.*?)(  \(\+.*\))?$", command).groups()
        *chain, last = command.split(" → ")
        if not last.startswith("("):
            last = re.sub(r"^\[\S+\] ", "", last).split(" ")[0].rsplit("/", 1)[-1]
        out.append((level, count, matched, result, " → ".join([*chain, last]) + (tail or "")))
    return out


def folding_is_what_a_naive_one_gives():
    with lab.workdir() as work:
        path = lab.made(work, 3000)
        events = lab.replay(path)
        for fold in (True, False):
            found = parse(tree("--no-header", "-q", *([] if fold else ["--no-fold"]), path))
            lab.equal(names_only([line for line in found if "hostile" not in line[4]]),
                      [line for line in folded(events, fold)] if fold else
                      [line for line, full in zip(folded(events, False), found) if "hostile" not in full[4]], f"lines, fold {fold}")
            lab.demand((len(found) < 1500) == fold, f"{len(found)} lines, fold {fold}")
            lab.equal(sum(count for _, count, _, result, _ in found if result != "?"), 3000, "processes in all lines")


SHAPES = """segment ts=1000 realtime=1790000000000000000
user 0 root
user 1 ann
proc ts=1000 pid=1 ppid=0 start=0 uid=0 comm=init argv=/sbin/init,
proc ts=1001 pid=10 ppid=1 start=0 uid=1 comm=bash argv=bash,
proc ts=1002 pid=11 ppid=1 start=0 uid=1 comm=idle argv=idle,
fork ts=2000 pid=20 ppid=10 start=2000 uid=1 comm=bash
fail ts=2100 pid=20 ppid=10 start=2000 uid=1 comm=bash filename=/usr/local/bin/make argv=make, errno=2
exec ts=2200 pid=20 ppid=10 start=2000 uid=1 comm=make filename=/usr/bin/make argv=make,-j2,
"""


def build(n, start=3000, pid=100):
    """So many gcc with two children each, side by side."""
    out = []
    for i in range(n):
        out.append((start + i, f"fork ts={start + i} pid={pid + 3 * i} ppid=20 start={start + i} uid=1 comm=make"))
        at = start + 1000 + i
        out.append((at, f"exec ts={at} pid={pid + 3 * i} ppid=20 start={start + i} uid=1 comm=gcc filename=/usr/bin/gcc argv=gcc,-c,{i}.c,"))
        for k, name in enumerate(("cc1", "as")):
            at = start + 2000 + 100 * k + i
            who = f"pid={pid + 3 * i + k + 1} ppid={pid + 3 * i} start={at} uid=1"
            out += [(at, f"fork ts={at} {who} comm=gcc"), (at + 30, f"exec ts={at + 30} {who} comm={name} filename=/usr/lib/{name} argv={name},{i}.s,"),
                    (at + 60, f"exit ts={at + 60} {who} comm={name} exit_code=0 utime=1000000 stime=500000")]
        at = start + 4000 + i
        out.append((at, f"exit ts={at} pid={pid + 3 * i} ppid=20 start={start + i} uid=1 comm=gcc exit_code={0 if i else 1} utime=1000 stime=0"))
    return "\n".join(line for _, line in sorted(out)) + "\n"


if __name__ == "__main__":
    lab.main(json_is_the_world, descendants_everywhere, descendants_over_segments, folding_is_what_a_naive_one_gives)

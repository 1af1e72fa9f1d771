#!/usr/bin/env python3
"""tree of what really happened: against SQL over the events, and against who begot whom."""
import os
import sqlite3
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
import lab  # noqa: E402
from test_tree import folded, names_only, parse, tree, tree_json  # noqa: E402

FILES = 12
MAKEFILE = """
all: {objects} sub
	sh -c 'exit 3' || true
	test -f nothing; (cat /dev/null | cat >/dev/null) & wait
	sh -c 'exec env sh -c "exec true"'
sub:
	$(MAKE) -f Sub
%.o: %.c
	cc -O0 -c -o $@ $<
.PHONY: all sub
"""
SUB = "all:\n" + "".join(f"\t@echo {i} >/dev/null; /bin/true {i}\n" for i in range(5))


def build(work):
    """A capture of a make of some files; the pid of the make."""
    for i in range(FILES):
        lab.written(work, f"f{i}.c", b"int f%d(void) { return %d; }\n" % (i, i))
    lab.written(work, "Makefile", MAKEFILE.format(objects=" ".join(f"f{i}.o" for i in range(FILES))).encode())
    lab.written(work, "Sub", SUB.encode())
    path = os.path.join(work, "build.etz")
    lab.record(path, "--", "make", "-j2", cwd=work)
    root = next(e for e in lab.replay("--kind", "exec", path) if e["comm"] == "make")
    return path, root["pid"]


def database(events):
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE e (n INTEGER, kind, ts INTEGER, pid INTEGER, ppid INTEGER, start INTEGER, comm, error,"
               " exit_code INTEGER, utime INTEGER, stime INTEGER)")
    db.executemany("INSERT INTO e VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                   [(n, *(e.get(k) for k in ("kind", "ts", "pid", "ppid", "start", "comm", "error", "exit_code", "utime", "stime")))
                    for n, e in enumerate(events)])
    lab.equal(db.execute("SELECT count(*) FROM (SELECT pid FROM e WHERE kind='fork' GROUP BY pid HAVING count(*) > 1)").fetchone()[0], 0,
              "pids that came twice, by which SQL alone cannot tell")
    return db


DESCENDANTS = """
WITH RECURSIVE d(pid) AS (SELECT ? UNION SELECT f.pid FROM e f JOIN d ON f.ppid = d.pid WHERE f.kind = 'fork')
"""


def a_build_is_what_sql_says():
    with lab.workdir() as work:
        path, root = build(work)
        events = lab.replay(path)
        db = database(events)
        rows = [n for n, in db.execute(DESCENDANTS + "SELECT n FROM e WHERE pid IN d ORDER BY n", (root,))]
        lab.equal([e["ts"] for e in lab.replay("--descendants-of", str(root), path)], [events[n]["ts"] for n in rows], "rows of descendants")
        lab.demand(len(rows) > 100, f"only {len(rows)} rows")
        found = tree_json("--pid", str(root), path)
        by_id = {p["id"]: p for p in found}
        wanted = db.execute(DESCENDANTS + """
            SELECT pid, coalesce(max(ppid) FILTER (WHERE kind = 'fork'), max(ppid)), count(*) FILTER (WHERE kind = 'exec'),
                   count(*) FILTER (WHERE kind = 'fail'), max(exit_code), max(utime), max(stime),
                   max(ts) FILTER (WHERE kind = 'exit') - max(start) FILTER (WHERE kind = 'exit')
            FROM e WHERE pid IN d GROUP BY pid ORDER BY pid""", (root,)).fetchall()
        lab.equal(sorted((p["pid"], p["ppid"], p["execs"], p["failed"], p.get("exit_code"), p["utime"], p["stime"], p["duration"])
                         for p in found), wanted, "processes")
        for p in found:
            lab.equal(by_id[p["parent"]]["pid"] if "parent" in p else root, p["ppid"] if p["pid"] != root else root, f"parent of {p}")
        totals = db.execute(DESCENDANTS + """SELECT count(DISTINCT pid), sum(kind = 'exec'), sum(kind = 'fail'), sum(utime) + sum(stime)
                                             FROM e WHERE pid IN d""", (root,)).fetchone()
        text = tree("--pid", str(root), path)
        lab.demand(f"\n{totals[0]} processes, {totals[1]} execs, {totals[2]} failed, " in text, f"totals are not {totals}: {text}")
        compilers = [line for line in parse(tree("--no-header", "--pid", str(root), path)) if line[4].startswith("cc1")]
        lab.equal(sum(count for _, count, *_ in compilers), FILES, f"compilers in {text}")
        lab.demand(len(compilers) == 1, f"compilers are not folded: {text}")


def folding_is_what_a_naive_one_gives():
    with lab.workdir() as work:
        path, _ = build(work)
        events = lab.replay(path)
        for fold in (True, False):
            found = parse(tree("--no-header", *([] if fold else ["--no-fold"]), path))
            lab.equal(names_only(found), names_only(folded(events, fold)), f"lines, fold {fold}")


def a_storm_is_what_it_wrote_down():
    """Forks in every way, of parents that die at once, of siblings' making."""
    with lab.workdir() as work:
        path, log = os.path.join(work, "storm.etz"), os.path.join(work, "log")
        lab.record(path, "--ring-size", "64M", "--", lab.helper("kin"), "storm", log, "1", "4")
        # Who is left behind may beget after the command, and with it the recording, has ended.
        root = lab.replay("--kind", "exec", "--comm", "kin", path)[0]["pid"]
        end = lab.replay("--kind", "exit", "--pid", str(root), path)[0]["ts"]
        book = [entry for entry in struct.iter_unpack("<IIIIQQQ", lab.contents(log)) if entry[1] and entry[5] < end]
        found = tree_json(path)
        by_id = {p["id"]: p for p in found}
        forks = {}
        for p in found:
            forks.setdefault(p["pid"], []).append(p)
        orphans = 0
        for _, pid, parent, _, before, born, _ in book:
            own = [p for p in forks.get(pid, ()) if p["known_by"] == "fork" and before <= p["start"] <= born]
            lab.equal(len(own), 1, f"processes {pid} of that time")
            above = by_id[own[0]["parent"]]
            lab.equal(above["pid"], parent, f"parent of {own[0]}")
            lab.demand(above["start"] <= own[0]["start"] and above["start"] + above.get("duration", 1 << 62) >= own[0]["start"],
                       f"{above} did not live when {own[0]} began")
            orphans += above["start"] + above.get("duration", 1 << 62) < own[0]["start"] + own[0].get("duration", 0)
        lab.demand(len(book) > 1000 and orphans > 100, f"{len(book)} processes, {orphans} orphans: no storm")
        lines = parse(tree("--no-header", path))
        lab.equal(sum(count for _, count, _, _, command in lines if "kin" in command), sum(p["comm"] == "kin" for p in found),
                  "processes in all lines")
        lab.demand(len(lines) < len(book) / 4, f"{len(book)} processes are {len(lines)} lines")


if __name__ == "__main__":
    lab.need_bpf()
    for tool in ("make", "cc"):
        lab.need_tool(tool)
    lab.main(a_build_is_what_sql_says, folding_is_what_a_naive_one_gives, a_storm_is_what_it_wrote_down)

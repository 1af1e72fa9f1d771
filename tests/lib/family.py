"""Processes put together from the rows of a capture, naively: what tree has to show."""
import collections


class Life:
    """One life of a pid, as the rows at hand tell of it."""

    def __init__(self, rows):
        self.rows = rows
        self.pid = rows[0]["pid"]
        kinds = {row["kind"]: row for row in rows}
        self.fork, self.proc, self.exit = (kinds.get(kind) for kind in ("fork", "proc", "exit"))
        self.parent = None
        self.children = []
        self.matched = False


def same(row, life):
    """Whether a row is about that life: by start, where proc rows have it cut down to 10 ms."""
    start, other = row["start"], life[0]["start"]
    exact = [r for r in life if r["kind"] != "proc"]
    other = exact[0]["start"] if exact else other
    coarse = row["kind"] == "proc" or not exact
    return abs(start - other) <= (10**7 if coarse else 0)


def lives(events):
    """Of events with start in each, one boot, in the order of time. Those without a row of their own have none."""
    now, found = {}, []
    for i, row in enumerate(events):
        if row["kind"] == "lost":
            continue
        life = now.get(row["pid"])
        if life is None or not same(row, life):
            life = now[row["pid"]] = []
            found.append(life)
        life.append({**row, "at": i})
    found = [Life(rows) for rows in found]
    by_pid = collections.defaultdict(list)
    for life in found:
        by_pid[life.pid].append(life)
    named = {}
    for life in found:
        told = life.fork or life.proc or life.rows[0]
        ppid = told.get("ppid", 0)
        if not ppid or ppid == life.pid:
            continue
        at = told["at"]
        fits = [p for p in by_pid[ppid] if (p.rows[0]["at"] <= at or p.proc) and p.rows[0]["start"] <= told["start"]
                and not (p.exit and p.exit["at"] < at)]
        life.parent = fits[-1] if fits else named.setdefault(ppid, Life([{"pid": ppid, "kind": "named"}]))
        life.parent.children.append(life)
    return found, list(named.values())


def chain(life):
    """The names of what it executed, in order; whether anything; as tree has them."""
    names = [row["comm"] for row in life.rows if row["kind"] == "exec" or row is life.proc]
    return (names, True) if names else ([life.rows[0].get("comm", "?")], False)


def result(life):
    if not life.exit:
        return "running"
    if "signal_name" in life.exit:
        return life.exit["signal_name"]
    return f"exit {life.exit['exit_code']}" if "exit_code" in life.exit else "exit"

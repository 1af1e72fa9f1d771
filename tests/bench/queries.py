"""What is asked of the captures, and what the answers may take."""
import os
import statistics
import subprocess

from table import figures, spread

COLUMNS = ("query", "events found", "M events/s, one thread", "{} threads", "ratio", "CPU of one, ns/event",
           "peak memory, MB", "× trace-cmd report", "× zstd -dc of JSON lines")
MEMORY = 200 * 2**20
ALL_CORES = 0.9		# of as many times one core as there are
JUDGED = 0.2		# seconds on one thread, from which on that is asked
# Query, peer, times as fast by events per second.
MARKS = (("--uid, common: --count", "trace-cmd report", 500), ("text", "trace-cmd report", 6), ("text", "sysdig -r", 10))


class Query:
    """needs: what the help of its command has if it can do this."""

    def __init__(self, name, *argv, whole=True, needs=""):
        self.name, self.argv, self.whole, self.needs = name, argv, whole, needs


def queries(start, end):
    """start, end: of the capture, seconds since 1970. A range is a hundredth of that, in the middle."""
    middle, span = (start + end) / 2, (end - start) / 200
    times = ("--since", f"@{middle - span:.3f}", "--until", f"@{middle + span:.3f}")
    where = 'uid in (1001, 1002) && comm == "cc1" && cwd ~ "/home/*/src/harbour-*"'
    yield Query("--uid, common: --count", "replay", "--uid", "1000", "--count")
    yield Query("--uid, rare: --count", "replay", "--uid", "1003", "--count")
    yield Query("--uid, absent: --count", "replay", "--uid", "54321", "--count")
    yield Query("--comm cc1 --count", "replay", "--comm", "cc1", "--count")
    yield Query("--where, three columns, a glob: --count", "replay", "--where", where, "--count")
    yield Query("--since, --until: --count", "replay", *times, "--count")
    yield Query("summary --by comm", "summary", "--by", "comm", needs="--by")
    yield Query("summary", "summary", whole=False)
    yield Query("tree", "tree", whole=False)
    yield Query("text", "replay", whole=False)
    yield Query("--json", "replay", "--json", whole=False)
    yield Query("--csv", "replay", "--csv", whole=False, needs="--csv")
    yield Query("verify", "verify", whole=False)


class Reader:
    """exectrace as built, and what it can do: older versions cannot do all of this."""

    def __init__(self, args):
        self.program = os.path.join(args.build, "bin", "exectrace")
        self.helps = {}
        self.threads = os.cpu_count() if "--jobs" in self.help("replay") else None

    def help(self, command):
        if command not in self.helps:
            done = subprocess.run([self.program, command, "--help"], check=False, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            self.helps[command] = "" if done.returncode else done.stdout.decode()
        return self.helps[command]

    def can(self, query):
        text = self.help(query.argv[0])
        return text != "" and query.needs in text

    def modes(self, query):
        """What is measured: the options of each, by name."""
        if self.threads is None or "--jobs" not in self.help(query.argv[0]):
            return {"one": ()}
        return {"one": ("-j", "1"), "all": ("-j", str(self.threads))}

    def argv(self, query, captures, options=()):
        return [self.program, *query.argv, *options, "-q", captures.whole if query.whole else captures.part]

    def found(self, query, captures):
        if "--count" not in query.argv:
            return None
        return int(subprocess.run(self.argv(query, captures), check=True, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE).stdout)


def rates(row, mode):
    return [row["events"] / run["seconds"] for run in row["runs"].get(mode, [])]


def best(row):
    """As a user has it: by all threads, where there are any."""
    return rates(row, "all") or rates(row, "one")


def compared(row, other):
    """Events per second over those of another row, round by round."""
    return [mine / theirs for mine, theirs in zip(best(row), best(other))]


def speedup(row):
    return [all_of / one for one, all_of in zip(rates(row, "one"), rates(row, "all"))]


def memory(row):
    return max(run["memory"] for runs in row["runs"].values() for run in runs)


def millions(values):
    if not values:
        return ""
    form = ",.0f" if statistics.median(values) >= 50e6 else ".1f" if statistics.median(values) >= 5e6 else ".2f"
    return spread([value / 1e6 for value in values], form)


def cells(row, others):
    """others: rows by name."""
    ratios = speedup(row)
    yield row["name"]
    yield "" if row["found"] is None else f"{row['found']:,}"
    yield millions(rates(row, "one"))
    yield millions(rates(row, "all"))
    yield spread(ratios, ".2f") if ratios else ""
    yield figures(statistics.median(run["cpu"] for run in row["runs"]["one"]) / row["events"] * 1e9)
    yield f"{memory(row) / 2**20:.1f}"
    for name in ("trace-cmd report", "zstd -dc"):
        yield figures(statistics.median(compared(row, others[name]))) if name in others else ""


def verdict(measured, form, met):
    return f"{format(measured, form)} | {'met' if met else '**not met**'}"


def marks(rows, threads):
    """Lines of a second table: what is asked, what was measured, whether that will do."""
    by_name = {row["name"]: row for row in rows}
    for query, peer, times in MARKS:
        text = f"{query} is {times} × {peer} | "
        if query in by_name and peer in by_name:
            measured = statistics.median(compared(by_name[query], by_name[peer]))
            yield text + verdict(measured, ".3g", measured >= times)
        else:
            yield text + " | not measured"
    asked = [row for row in rows if row["own"]]
    if threads and threads > 1:
        for row in asked:
            ratios = speedup(row)
            if ratios and statistics.median(run["seconds"] for run in row["runs"]["one"]) >= JUDGED:
                measured = statistics.median(ratios)
                yield (f"{row['name']} by {threads} threads is {ALL_CORES * threads:.1f} × one | "
                       + verdict(measured, ".2f", measured >= ALL_CORES * threads))
    else:
        yield "several threads | | not measured"
    worst = max(asked, key=memory)
    yield (f"peak memory below 200 MB; the most is that of {worst['name']} | "
           + verdict(memory(worst) / 2**20, ".1f", memory(worst) < MEMORY))

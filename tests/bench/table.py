"""What was measured, as one table."""
import collections
import os
import platform
import statistics

COLUMNS = ("workload", "tracer", "wall ratio", "lost", "argv", "recorder CPU", "peak memory", "ring", "bytes/event",
           "M events/s read back", "exectrace: 1")


def missing(tracer, happened, events, arguments):
    """
    What happened of each kind that the tracer sees, how much of it was not kept, and how many
    of those kept lack arguments (None where it is not looked at). By process: others' events
    do not stand in for those of the workload.
    """
    kept = collections.defaultdict(collections.Counter)
    bare = 0
    happened = dict(happened)
    if "call" in tracer.sees:
        happened["call"] = sum((happened.get(kind, collections.Counter()) for kind in ("exec", "fail")),
                               collections.Counter())
    for kind, pid, whole in events:
        kept[kind][pid] += 1
        bare += not whole and kind not in ("fork", "exit") and pid in happened.get(kind, ())
    asked = [kind for kind in tracer.sees if kind in happened]
    lost = {kind: sum((happened[kind] - kept[kind]).values()) for kind in asked}
    looked_at = arguments and tracer.arguments != "none"
    return {kind: sum(happened[kind].values()) for kind in asked}, lost, bare if looked_at else None


def spread(values, form):
    low, middle, high = (format(value, form) for value in (min(values), statistics.median(values), max(values)))
    return middle if low == high else f"{middle} ({low}–{high})"


def figures(value):
    """Two that count."""
    return f"{value:.0f}" if value >= 9.95 else f"{value:.2g}"


def losses(runs):
    """Of the worst round."""
    worst = max(runs, key=lambda run: sum(run["lost"].values()))
    lost, happened = sum(worst["lost"].values()), sum(worst["happened"].values())
    told = worst["own_word"]
    if not lost:
        return f"0 of {happened:,}" + (", complete" if told == {} else "")
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in worst["lost"].items() if count)
    share = 100 * lost / happened
    causes = ", ".join(f"{count:,} {cause}" for cause, count in (told or {}).items())
    return (f"{share:.{0 if share >= 10 else 1 if share >= 1 else 4}f} %: {kinds} of {happened:,}"
            + (f"; it says {causes}" if causes else ""))


def bare(tracer, runs):
    worst = max((run["bare"] for run in runs if run["bare"] is not None), default=0)
    return tracer.arguments + (f"; {worst:,} without" if worst else "")


def row(workload, tracer, runs, exectrace):
    """exectrace: its runs of the same rounds, to compare reading with; the cells."""
    seconds = [run["seconds"] for run in runs]
    if tracer.tool is None:
        return [workload.name, tracer.name, f"{spread(seconds, '.2f')} s", *[""] * (len(COLUMNS) - 3)]

    def median(key, unit, form):
        return f"{statistics.median(run[key] for run in runs) / unit:{form}}"
    def megabytes(key):
        return median(key, 2**20, ".1f") + " MB" if any(run[key] for run in runs) else ""
    name = f"**{tracer.name}**" if tracer.name == "exectrace" else tracer.name
    cells = [workload.name, name, spread([run["ratio"] for run in runs], ".2f"),
             losses(runs) if tracer.sees else "", bare(tracer, runs) if tracer.sees else "",
             "" if tracer.in_kernel else median("cpu", 1, ".2f") + " s", megabytes("memory"), megabytes("ring")]
    if not tracer.sees:
        return cells + [""] * (len(COLUMNS) - len(cells))
    rates = [run["rate"] for run in runs]
    theirs = {run["round"]: run["rate"] for run in exectrace}
    ratios = [run["rate"] / theirs[run["round"]] for run in runs if run["round"] in theirs]
    return cells + [f"{statistics.median(run['bytes'] / max(run['events'], 1) for run in runs):.1f}",
                    figures(statistics.median(rates) / 1e6), figures(statistics.median(ratios)) if ratios else ""]


def lines(workload, tracers, runs):
    """The rows of one workload; runs by tracer's name."""
    for tracer in tracers:
        if runs.get(tracer.name):
            yield "| " + " | ".join(row(workload, tracer, runs[tracer.name], runs.get("exectrace", []))) + " |"


def heading(args):
    system = f"{platform.system()} {platform.release()}, {os.cpu_count()} CPUs"
    yield f"{system}; " + (f"median (least–most) of {args.rounds} rounds" if args.rounds > 1 else "a single round")
    yield ""
    yield "| " + " | ".join(COLUMNS) + " |"
    yield "| --- " * len(COLUMNS) + "|"

#!/usr/bin/env python3
"""timeline: which lines there are, and in which columns each bar begins and ends, held to what ran when."""
import fcntl
import math
import os
import pty
import re
import struct
import sys
import termios

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
import world  # noqa: E402
from machine import Machine  # noqa: E402

ASCII = {**os.environ, "LC_ALL": "C"}
UTF8 = {**os.environ, "LC_ALL": "C.UTF-8"}
LEFT = " ▏▎▍▌▋▊▉█"
LEVELS = " ▁▂▃▄▅▆▇█"
SIGNS = " .:-=+*%#"


def timeline(path, *options, env=ASCII):
    return lab.exectrace("timeline", "-q", "--utc", *options, path, env=env).stdout.decode().splitlines()


def name(comm):
    return comm.encode("unicode_escape").decode().replace("\\x1b", "\\033").replace("\\xe9", "é")


def duration(ns):
    """As the tables have it, three or four digits that matter."""
    if ns < 1000:
        return f"{ns}ns"
    for unit, text in ((1000, "us"), (10**6, "ms"), (10**9, "s")):
        if ns < unit * (1000 if text != "s" else 60):
            whole, digits = ns // unit, 3 if ns // unit < 10 else 2 if ns // unit < 100 else 1
            return f"{whole}.{ns % unit * 10**digits // unit:0{digits}d}{text}"
    return f"{ns // (60 * 10**9)}m{ns // 10**9 % 60:02d}s"


def bars_of(machine, since=0, until=None):
    """(begin, pid, comm, end, result) of each process within a window, as ns since the recording began."""
    until = machine.last - machine.begun if until is None else until
    out = []
    for p in machine.processes:
        if p.found and not p.active:
            continue
        begin, end = (0 if p.found else p.fork_ts - machine.begun), (p.end or machine.last) - machine.begun
        if end < since or begin >= until:
            continue
        result = "runs" if p.end is None else "KILL" if "signal" in p.result else str(p.result["exit_code"] or "")
        out.append((max(begin, since), p.pid, p.comm, min(end, until), result))
    return out


def longest(bars, n):
    return sorted(sorted(bars, key=lambda b: b[0] - b[3])[:n])


def split(lines, name_width):
    """(pid, name, duration, result, bar) of lines without a header."""
    front = 7 + 2 + name_width + 9 + 2 + 5 + 2
    for line in lines:
        yield (int(line[:7]), line[9:9 + name_width].rstrip(), line[9 + name_width:18 + name_width].strip(),
               line[20 + name_width:25 + name_width].strip(), line[front:])


def width_of(bars):
    return max([7] + [len(name(b[2])) for b in bars])


def bars_lie_where_time_is():
    for seed in range(5):
        with lab.workdir() as work:
            machine = Machine(seed, 500)
            path = world.write(os.path.join(work, "m.etz"), machine.text())
            for width, top in ((120, 12), (77, 1000), (200, 40)):
                bars = longest(bars_of(machine), top)
                lines = timeline(path, "--no-header", "--width", str(width), "--top", str(top))
                check_bars(lines, bars, width, 0, machine.last - machine.begun)


def check_bars(lines, bars, width, since, until):
    columns = width - (width_of(bars) + 27)
    found = list(split(lines, width_of(bars)))
    lab.equal([(pid, comm, time, result) for pid, comm, time, result, _ in found],
              [(pid, name(comm), duration(end - begin), result) for begin, pid, comm, end, result in bars], "what stands in front")
    for (*_, bar), (begin, pid, _, end, _) in zip(found, bars):
        eighths = columns * 8
        first = min(int((begin - since) / (until - since) * eighths), eighths - 1)
        last = max(first + 1, math.ceil((end - since) / (until - since) * eighths))
        wanted = " " * (first // 8) + "#" * (math.ceil(last / 8) - first // 8)
        lab.equal(bar, wanted, f"bar of {pid}, {begin} to {end} of {since} to {until}")
        lab.demand(len(bar) <= columns, f"bar of {pid} is {len(bar)} columns long")


def windows_cut():
    with lab.workdir() as work:
        machine = Machine(4, 500)
        path = world.write(os.path.join(work, "m.etz"), machine.text())
        all_of_it = machine.last - machine.begun
        for since, until in ((all_of_it // 3, all_of_it // 2), (0, all_of_it // 7), (all_of_it // 2, all_of_it), (all_of_it // 3, all_of_it * 2)):
            bars = longest(bars_of(machine, since, until), 1000)
            lab.demand(since == 0 or any(b[0] == since for b in bars), "no bar is cut")
            lines = timeline(path, "--no-header", "--width", "111", "--top", "0", "--since", f"+{since}ns", "--until", f"+{until}ns")
            check_bars(lines, bars, 111, since, until)


def longest_come_first():
    with lab.workdir() as work:
        machine = Machine(5, 300)
        path = world.write(os.path.join(work, "m.etz"), machine.text())
        bars = bars_of(machine)
        lines = timeline(path, "--no-header", "--longest", "--top", "9")
        shown = sorted(bars, key=lambda b: b[0] - b[3])[:9]
        lab.equal([time for _, _, time, _, _ in split(lines, width_of(shown))], [duration(b[3] - b[0]) for b in shown], "times")


def filters_choose_processes():
    with lab.workdir() as work:
        machine = Machine(6, 300)
        path = world.write(os.path.join(work, "m.etz"), machine.text())
        pid = bars_of(machine)[0][1]
        lines = timeline(path, "--no-header", "--top", "0", "--pid", str(pid))
        lab.equal([int(line[:7]) for line in lines], [b[1] for b in sorted(bars_of(machine)) if b[1] == pid], "processes")
        lab.equal(timeline(path, "--comm", "nobody"), [], "of no process")


def utf8_tells_eighths():
    with lab.workdir() as work:
        # One second, and columns of which each is ten milliseconds.
        lines = ["segment ts=1000000000 realtime=1790000000000000000", "proc ts=1000000000 pid=1 start=1 comm=init"]
        times = ((0, 1000), (0, 10), (0, 5), (20, 31.25), (23, 40), (27, 40), (33, 34), (999, 1000), (500, 500), (100, 101))
        for i, (begin, end) in enumerate(times):
            pid, ts = 100 + i, 1000000000 + int(begin * 10**6)
            lines += [f"fork ts={ts} pid={pid} ppid=1 start={ts} comm=sh",
                      f"exit ts={1000000000 + int(end * 10**6)} pid={pid} ppid=1 start={ts} comm=sh exit_code=0"]
        lines[2:] = sorted(lines[2:], key=lambda line: (int(re.search(r"ts=(\d+)", line)[1]), line[:4] != "fork"))
        path = world.write(os.path.join(work, "u.etz"), "\n".join(lines + ["end ts=2000000000 done"]) + "\n")
        shown = {pid: bar for pid, *_, bar in split(timeline(path, "--no-header", "--width", "134", env=UTF8), 7)}
        for i, wanted in enumerate(("█" * 100, "█", "▌", "  █▏", "  █" + "█", "  ▐█", "   │", " " * 99 + "▐", " " * 50 + "▏", " " * 10 + "▏")):
            lab.equal(shown[100 + i], wanted, f"bar from {times[i]} ms")


def headers_and_rulers_tell_times():
    with lab.workdir() as work:
        lines = ["segment ts=1000000000 realtime=1790000000000000000", "host utc_offset 7200"]
        lines += ["fork ts=1000000000 pid=7 ppid=1 start=1000000000 comm=sh", "exit ts=1100000000 pid=7 comm=sh exit_code=0"]
        path = world.write(os.path.join(work, "r.etz"), "\n".join(lines + ["end ts=1100000000 done"]) + "\n")
        lab.equal(timeline(path, "--width", "84"), [
            "2026-09-21 14:13:21.000000 UTC, 100.0ms, 1 process",
            "    PID  COMMAND     TIME  EXIT   |0        |20ms     |40ms     |60ms     |80ms",
            "      7  sh       100.0ms         " + "#" * 50], "lines")
        local = lab.exectrace("timeline", "-q", "--width", "84", path, env=ASCII).stdout.decode().splitlines()
        lab.equal(local[0], "2026-09-21 16:13:21.000000 UTC+02:00, 100.0ms, 1 process", "in local time")
        for seconds, ticks in ((3, "|0 |1s |2s"), (40, "|0 |10s |20s |30s"), (100, "|0 |30s |1m"), (4000, "|0 |15m |30m |45m |1h"),
                               (200000, "|0 |12h |1d |1d12h |2d"), (0.0001, "|0 |20us |40us |60us |80us"), (10**7, "|0 |32d |64d |96d")):
            until = int(seconds * 10**9)
            ruler = timeline(path, "--width", "84", "--until", f"+{until}ns")[1]
            found = " ".join(re.findall(r"\|\S+", ruler))
            for word in re.finditer(r"\|(\S+)", ruler):
                at = sum(int(n) * {"d": 86400 * 10**9, "h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 1000, "ns": 1}[unit]
                         for n, unit in re.findall(r"(\d+)([a-z]+)", word[1]))
                lab.equal(word.start() - 34, int(at / until * 50), f"place of {word[0]} in {seconds} s: {ruler}")
            lab.demand(len(ruler) <= 84, f"ruler is {len(ruler)} columns long")
            lab.equal(found, ticks, f"ruler of {seconds} s")


def commands_are_summed_up():
    """How many of a command ran at once, by the level of each column."""
    with lab.workdir() as work:
        for seed in range(3):
            machine = Machine(seed, 500, calm=True)
            path = world.write(os.path.join(work, f"{seed}.etz"), machine.text())
            until, by = machine.last - machine.begun, {}
            for begin, _, comm, end, _ in bars_of(machine):
                by.setdefault(comm, []).append((begin, end))
            lines = timeline(path, "--by-command", "--width", "127", "--top", "0")
            order = sorted(by, key=lambda comm: -sum(e - b for b, e in by[comm]))
            lab.equal({line.split()[1]: (int(line.split()[0]), line.split()[2]) for line in lines[2:]},
                      {comm: (len(by[comm]), duration(sum(e - b for b, e in by[comm]))) for comm in order}, "counts and times")
            columns, per = 100, until / 100

            def busy(comm, c):
                return sum(max(0, min(e, (c + 1) * per) - max(b, c * per)) for b, e in by[comm]) / per
            most = max(busy(comm, c) for comm in by for c in range(columns))
            told = float(re.search(r"a full column is ([\d.]+) at once", lines[0])[1])
            lab.demand(abs(told - most) <= .06 * most + .01, f"the most at once is {told}, not {most}")
            utf8 = timeline(path, "--by-command", "--width", "127", "--top", "0", "--no-header", env=UTF8)
            for line, eighths in zip(lines[2:], utf8):
                comm = line.split()[1]
                lab.equal([LEVELS.index(c) for c in eighths[27:]], [SIGNS.index(c) for c in line[27:]], "levels")
                for c, sign in enumerate(line[27:]):
                    # A slot lies across the edge of a column, so neighbours lend to each other a little.
                    around = [busy(comm, k) / most * 8 for k in (c - 1, c, c + 1)]
                    level = SIGNS.index(sign)
                    lab.demand(min(around) - 1 <= level <= max(around) + 1.5, f"{comm}, column {c}: level {level}, not {around}")
            longest_first = timeline(path, "--by-command", "--longest", "--no-header", "--width", "127", "--top", "2")
            lab.equal([line.split()[1] for line in longest_first], order[:2], "longest first")


def many_commands_are_bounded():
    with lab.workdir() as work:
        lines, ts = ["segment ts=1000 realtime=1790000000000000000"], 1000
        for i in range(3000):
            ts += 10
            lines.append(f"fork ts={ts} pid={i + 2} ppid=1 start={ts} comm=c{i}")
            lines.append(f"exit ts={ts + 5} pid={i + 2} ppid=1 start={ts} comm=c{i} exit_code=0")
        path = world.write(os.path.join(work, "c.etz"), "\n".join(lines + [f"end ts={ts + 10} done"]) + "\n")
        shown = timeline(path, "--by-command", "--no-header", "--top", "0")
        lab.equal(len(shown), 1024, "lines")
        others = [line for line in shown if "(others)" in line]
        lab.equal([int(line.split()[0]) for line in others], [3000 - 1023], "others")


def terminals_give_their_size():
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "m.etz"), Machine(7, 500).text())
        main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 14, 91, 0, 0))
        lab.run([lab.EXECTRACE, "timeline", path], stdout=side, env=UTF8)
        os.close(side)
        data = b""
        while True:
            try:
                part = os.read(main, 65536)
            except OSError:
                break
            data += part
            if not part:
                break
        os.close(main)
        lines = data.decode().replace("\r", "").splitlines()
        lab.equal(len(lines), 2 + 10, "lines")
        lab.demand(max(map(len, lines)) <= 91 and max(map(len, lines)) > 80, f"widths {[len(line) for line in lines]}")
        lab.demand(not re.search(r"[\x00-\x1f\x7f-\x9f]", "".join(lines)), "control bytes")
        lab.equal(len(timeline(path)), 2 + 40, "lines elsewhere")


def mistakes_are_told():
    for options in (("--width", "20"), ("--width", "x"), ("--top", "x")):
        done = lab.exectrace("timeline", *options, code=2)
        lab.demand(options[0].encode() in done.stderr, f"{options} says {done.stderr}")


if __name__ == "__main__":
    lab.main(bars_lie_where_time_is, windows_cut, longest_come_first, filters_choose_processes, utf8_tells_eighths,
             headers_and_rulers_tell_times, commands_are_summed_up, many_commands_are_bounded, terminals_give_their_size, mistakes_are_told)

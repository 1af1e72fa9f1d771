#!/usr/bin/env python3
"""Machines of either byte order write captures of the same events and read all captures alike.

ET_BUILD is a build for another machine, ET_EMULATOR runs its programs here, and
ET_HOST_BUILD is a build for this machine, which the other tests have judged.
"""
import glob
import itertools
import multiprocessing.pool
import os
import shlex
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..")]
import etz  # noqa: E402
import lab  # noqa: E402

FILES = os.path.join(HERE, "..", "files")
CHECK = os.path.join(HERE, "..", "spec_check.py")
MADE = (("0",), ("1",), ("2000",), ("300", "lost"), ("300", "unclean"))
# Every command, and the filters that look into columns of each type.
COMMANDS = (
    ("replay", "--json"), ("replay", "--wide"), ("summary",), ("summary", "--json"), ("info",), ("info", "--json"),
    ("verify", "--json"), ("summary", "--by", "comm,argv,hour", "--json"), ("summary", "--by", "pid,result", "--csv"),
    ("replay", "--json", "--uid", "ann", "--arg", "file-*.c"), ("summary", "--json", "--failed", "--comm", "m*"),
    ("replay", "--json", "--exit-code", "1,2,3", "--since", "+0.1s"), ("replay", "--count", "--pid", "1001,1011"),
    ("tree",), ("tree", "--json", "--uid", "ann"), ("tree", "--no-fold", "--pid", "901"), ("replay", "--descendants-of", "902,903"))


class Machine:
    def __init__(self, build, emulator):
        self.build = build
        self.emulator = emulator

    def file(self, *path):
        return os.path.join(self.build, *path)

    def exectrace(self, *args):
        """All that a user gets of it: exit code, output and messages."""
        done = lab.run([*self.emulator, self.file("bin", "exectrace"), *args], code=None)
        return done.returncode, done.stdout, done.stderr

    def make(self, work, *args):
        """The path of a capture of made-up events that it wrote."""
        path = os.path.join(work, f"{'other' if self.emulator else 'host'}-{'-'.join(args)}.etz")
        with open(path, "wb") as file:
            lab.run([*self.emulator, self.file("tests", "bin", "make_capture"), *args], stdout=file)
        return path


HOST = Machine(os.environ.get("ET_HOST_BUILD", ""), [])
OTHER = Machine(lab.BUILD, shlex.split(os.environ.get("ET_EMULATOR", "")))


def alike(what, found, expected):
    for part, one, other in zip(("exit code", "output", "messages"), found, expected):
        if one == other:
            continue
        if part != "exit code":
            # The first lines that differ say more than both outputs.
            pairs = itertools.zip_longest(one.splitlines(), other.splitlines())
            number, (one, other) = next((i, pair) for i, pair in enumerate(pairs, 1) if pair[0] != pair[1])
            part += f" line {number}"
        raise lab.Failure(f"{what}: {part} elsewhere {one!r}, here {other!r}")


def ask_both(command, *paths):
    """The same answer of both machines; returns the exit code."""
    expected = HOST.exectrace(*command, *paths)
    lab.demand(expected[0] != 2, f"{command} is wrong, and its answer says nothing")
    alike(lab.show([*command, *paths]), OTHER.exectrace(*command, *paths), expected)
    return expected[0]


def demand_alike(*paths):
    """Both machines answer everything about each capture in the same bytes; returns the exit codes of replay."""
    return [[ask_both(command, path) for command in COMMANDS][0] for path in paths]


def byte_orders_differ():
    # e_ident[EI_DATA] of both programs.
    orders = [lab.contents(machine.file("bin", "exectrace"))[5] for machine in (HOST, OTHER)]
    lab.demand(sorted(orders) == [1, 2], f"both machines have one byte order: {orders}")


def reads_what_was_written_here():
    with lab.workdir() as work:
        paths = [HOST.make(work, *args) for args in MADE]
        paths.append(lab.written(work, "joined.etz", b"".join(map(lab.contents, paths))))
        lab.equal(demand_alike(*paths), [0] * len(paths), "exit codes of replay")


def reads_what_was_written_elsewhere():
    with lab.workdir() as work:
        for args in MADE:
            here, elsewhere = HOST.make(work, *args), OTHER.make(work, *args)
            demand_alike(elsewhere)
            expected = HOST.exectrace("replay", "--json", here)[1]
            lab.demand(bool(expected) == (args != ("0",)), "no events were made")
            found = HOST.exectrace("replay", "--json", elsewhere)[:2]
            alike(f"replay --json of {args}", found, (0, expected))
            lab.run([sys.executable, CHECK, elsewhere])


def every_width():
    """Integers of 1, 2, 4 and 8 bytes, no two bytes of one alike: as planes, as differences, as one value for all."""
    rows = 8
    with lab.workdir() as work:
        for width in range(4):
            size = 1 << width
            values = [int.from_bytes(bytes(range(16 * i + 1, 16 * i + 1 + size)), "big") for i in range(rows)]
            planes = b"".join(bytes(value >> 8 * byte & 0xff for value in values) for byte in range(size))
            for transform in (etz.NONE, etz.DELTA):
                data = etz.chunk(rows, [etz.raw(etz.PID, rows, planes, width, transform),
                                        etz.const(etz.UID, rows, values[-1] + 1)])
                path = lab.written(work, f"width-{size}-{transform}.etz", etz.header() + data + etz.end(rows))
                lab.equal(demand_alike(path), [0], "exit code of replay")
                events = lab.lines(OTHER.exectrace("replay", "--json", path)[1])
                if transform == etz.NONE:
                    lab.equal([event["pid"] for event in events], values, f"pids of {size} bytes")
                lab.equal({event["uid"] for event in events}, {values[-1]}, f"uids of {size} bytes")


def reads_damage_alike():
    with lab.workdir() as work:
        good = lab.contents(HOST.make(work, "600", "lost"))
        third, half = len(good) // 3, len(good) // 2
        rows = {"cut": good[:half], "zeros": good[:half] + bytes(5000),
                "flipped": good[:half] + b"\xa5" * 64 + good[half + 64:], "removed": good[:third] + good[third + 4096:],
                "inserted": good[:third] + etz.MAGIC * 9 + good[third:], "repeated": good[:half] + good[third:]}
        paths = [lab.written(work, name + ".etz", data) for name, data in rows.items()]
        lab.equal(demand_alike(*paths), [3] * len(paths), "exit codes of replay")


def reads_the_corpus_alike():
    if not os.path.isdir(FILES):
        return
    paths = sorted(glob.glob(os.path.join(FILES, "*.etz")))
    lab.demand(paths, f"no captures in {FILES}")
    # Starting a program takes an emulator longer than these small files do.
    with multiprocessing.pool.ThreadPool(os.cpu_count()) as pool:
        pool.map(lambda path: ask_both(("replay", "--json"), path), paths)
    ask_both(("verify", "--json"), *paths)


def differences_are_found():
    """What the comparison is worth: another event, another message, another exit code."""
    with lab.workdir() as work:
        one = HOST.exectrace("replay", "--json", HOST.make(work, "20"))
        for other in (HOST.exectrace("replay", "--json", OTHER.make(work, "21")),
                      (one[0], one[1], one[2] + b"more"), (3, one[1], one[2])):
            try:
                alike("another", other, one)
            except lab.Failure:
                continue
            raise lab.Failure(f"not told from the right answer: {other}")


if __name__ == "__main__":
    if not OTHER.emulator:
        lab.skip("ET_EMULATOR names nothing that runs another machine's programs")
    lab.need_tool(OTHER.emulator[0])
    lab.need_tool("zstd")
    for machine in (HOST, OTHER):
        for program in (machine.file("bin", "exectrace"), machine.file("tests", "bin", "make_capture")):
            if not os.path.exists(program):
                lab.skip(f"{program} was not built")
    lab.main(byte_orders_differ, reads_what_was_written_here, reads_what_was_written_elsewhere, every_width,
             reads_damage_alike, reads_the_corpus_alike, differences_are_found)

#!/usr/bin/env python3
"""Captures from pipes, in pieces, joined, and of the same time in one file."""
import os
import random
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402

# What shows all of a capture; the file or "-" follows.
WHOLE = (
    ["replay"],
    ["replay", "--json"],
    ["replay", "--count"],
    ["replay", "--json", "--uid", "ann", "--ok"],
    ["replay", "--count", "--comm", "cc", "--failed"],
    ["summary"],
    ["summary", "--json", "--kind", "exit,fail"],
    ["summary", "--by", "comm,user"],
    ["summary", "--by", "parent,comm", "--json"],
    ["info"],
    ["info", "--json"],
)
# What need not read all of a file: then it tells less about it.
SOME = (
    ["replay", "--json", "--since", "+200ms", "--until", "+400ms"],
    ["replay", "--limit", "17"],
    ["replay", "--count", "--limit", "17"],
    ["summary", "--since", "+200ms"],
)


def captures():
    whole = lab.generated(300, "lost")
    return {
        "whole": whole,
        "unclean": lab.generated(300, "unclean"),
        "cut": whole[:len(whole) * 2 // 3],
        "cut in its last record": whole[:-30],
        "damaged": whole[:5000] + bytes(200) + whole[5200:],
        "joined": whole + lab.generated(400, "shift=600000") + lab.generated(100, "unclean", "shift=900000"),
    }


def told(done, name):
    return (done.returncode, done.stdout.replace(name.encode(), b"-"),
            done.stderr.replace(name.encode(), b"-"))


def from_pipe(args, feed, name="standard input"):
    """Runs a command on a pipe that feed(write) fills."""
    with lab.started([lab.EXECTRACE, *args, "-"], stdin=subprocess.PIPE) as process:
        def fill():
            try:
                feed(lambda piece: os.write(process.stdin.fileno(), piece))
            except BrokenPipeError:
                pass
            process.stdin.close()
        thread = threading.Thread(target=fill)
        thread.start()
        out, err = process.stdout.read(), process.stderr.read()
        thread.join()
        process.wait(lab.TIMEOUT)
        return told(subprocess.CompletedProcess(args, process.returncode, out, err), name)


def at_once(data):
    def feed(write):
        at = 0
        while at < len(data):
            at += write(data[at:at + 65536])
    return feed


def in_bytes(data, pauses):
    """Byte by byte, with a long pause before some."""
    def feed(write):
        for i in range(len(data)):
            if i in pauses:
                time.sleep(0.03)
            write(data[i:i + 1])
    return feed


def pipe_is_as_good_as_file():
    with lab.workdir() as directory:
        for name, data in captures().items():
            path = lab.written(directory, "c.etz", data)
            for args in WHOLE:
                file = told(lab.exectrace(*args, path, code=None), path)
                lab.equal(from_pipe(args, at_once(data)), file, f"{name}, {args} from a pipe")
            for args in SOME:
                file = told(lab.exectrace(*args, path, code=None), path)
                lab.equal(from_pipe(args, at_once(data))[:2], file[:2], f"{name}, {args} from a pipe")


def slow_pipe_is_as_good():
    rng = random.Random(7)
    with lab.workdir() as directory:
        for name, data in captures().items():
            path = lab.written(directory, "c.etz", data)
            pauses = set(rng.sample(range(len(data)), 8)) | {len(data) - 1}
            for args in (["replay", "--json"], ["replay", "--json", "--ok"], ["info", "--json"]):
                file = told(lab.exectrace(*args, path, code=None), path)
                lab.equal(from_pipe(args, in_bytes(data, pauses)), file, f"{name}, {args} from a slow pipe")


def a_silent_pipe_holds_nothing_back():
    """What was recorded is shown while the pipe stays open, also behind chunks that nobody asked for."""
    data = lab.generated(900, "unclean")
    whole = len(data)
    with lab.workdir() as directory:
        path = lab.written(directory, "c.etz", data)
        for options in (["--pid", "1000"], ["--pid", "1899"], []):
            expected = lab.exectrace("replay", "--json", *options, path).stdout
            lab.demand(expected, f"{options}: nothing to show")
            with lab.started([lab.EXECTRACE, "replay", "--json", *options, "-"], stdin=subprocess.PIPE) as process:
                os.set_blocking(process.stdout.fileno(), False)
                found = [b""]

                def shown():
                    found[0] += process.stdout.read() or b""
                    return len(found[0]) >= len(expected)
                at = 0
                while at < whole:
                    at += os.write(process.stdin.fileno(), data[at:at + 4096])
                    shown()
                lab.wait_until(shown, f"{options}: {len(expected)} bytes of output, of which {len(found[0])} came")
                lab.equal(found[0], expected, f"{options}")
                process.stdin.close()


def through_other_programs():
    data = lab.generated(300)
    with lab.workdir() as directory:
        path = lab.written(directory, "c.etz", data)
        copy = os.path.join(directory, "copy.etz")
        expected = lab.exectrace("replay", "--json", path).stdout
        lab.need_tool("zstd")
        for what, line in {
            "tee": f"tee {copy} < {path} | {lab.EXECTRACE} replay --json -",
            "zstd": f"zstd -qc {path} | zstd -dc | {lab.EXECTRACE} replay --json -",
            "cat": f"cat {path} {path} | {lab.EXECTRACE} replay --json - | head -n {len(expected.splitlines())}",
            "dd": f"dd if={path} bs=7 status=none | {lab.EXECTRACE} replay --json -",
            "redirection": f"{lab.EXECTRACE} replay --json < {path} -",
        }.items():
            lab.equal(lab.run(["sh", "-c", line]).stdout, expected, what)
        with open(copy, "rb") as file:
            lab.equal(file.read() == data, True, "the copy that tee wrote is the capture")
        # A descriptor that stands behind something else.
        with open(lab.written(directory, "behind", b"x" * 999 + data), "rb", buffering=0) as file:
            file.seek(999)
            lab.equal(lab.exectrace("replay", "--json", "-", stdin=file).stdout, expected, "from byte 999 on")


def joined_is_as_good_as_parts():
    parts = [lab.generated(300), lab.generated(400, "shift=600000"), lab.generated(200, "lost", "shift=1200000")]
    with lab.workdir() as directory:
        paths = [lab.written(directory, f"{i}.etz", part) for i, part in enumerate(parts)]
        joined = lab.written(directory, "joined.etz", b"".join(parts))
        for args in (["replay"], ["replay", "--json"], ["replay", "--count"], ["summary"],
                     ["replay", "--json", "--uid", "ann", "--kind", "exec"]):
            lab.equal(lab.exectrace(*args, joined).stdout, lab.exectrace(*args, *paths).stdout, f"{args}, joined")
        # One after the other, whatever the times say: none of them overlap.
        turned = lab.written(directory, "turned.etz", parts[1] + parts[0])
        lab.equal(lab.exectrace("replay", "--json", turned).stdout,
                  b"".join(lab.exectrace("replay", "--json", paths[i]).stdout for i in (1, 0)), "later part first")


def overlapping():
    return [lab.generated(900), lab.generated(300, "lost", "shift=50"), lab.generated(600, "shift=120"),
            lab.generated(200, "shift=600000")]


def segments_of_the_same_time_are_merged():
    parts = overlapping()
    with lab.workdir() as directory:
        paths = [lab.written(directory, f"{i}.etz", part) for i, part in enumerate(parts)]
        joined = lab.written(directory, "joined.etz", b"".join(parts))
        for args in (["replay"], ["replay", "--json"], ["replay", "--json", "--limit", "50"],
                     ["replay", "--json", "--uid", "ann", "--ok"], ["replay", "--count"], ["summary", "--json"]):
            lab.equal(lab.exectrace(*args, joined).stdout, lab.exectrace(*args, *paths).stdout, f"{args}, merged")
        events = lab.replay(joined)
        times = [event["time"] for event in events]
        lab.equal(times, sorted(times), "times")
        # Were they in order without it, nothing was shown.
        in_order = b"".join(lab.exectrace("replay", "--json", path).stdout for path in paths)
        lab.demand(lab.exectrace("replay", "--json", joined).stdout != in_order, "the parts do not overlap")
        with open(joined, "rb") as file:
            piped = lab.run(["sh", "-c", f"cat | {lab.EXECTRACE} replay --json -"], stdin=file).stdout
        lab.equal(piped, in_order, "from a pipe, in the order of the file")
        with open(lab.written(directory, "behind", b"x" * 999 + b"".join(parts)), "rb", buffering=0) as file:
            file.seek(999)
            lab.equal(lab.exectrace("replay", "--json", "-", stdin=file).stdout,
                      lab.exectrace("replay", "--json", joined).stdout, "from byte 999 on")
        # The same moments are asked for, whichever way they are read.
        for span in (["--since", "+100ms", "--until", "+200ms"], ["--until", "+60ms"]):
            with open(joined, "rb") as file:
                piped = lab.run(["sh", "-c", f"cat | {lab.EXECTRACE} replay --json {' '.join(span)} -"],
                                stdin=file).stdout
            lab.equal(sorted(lab.exectrace("replay", "--json", *span, joined).stdout.splitlines()),
                      sorted(piped.splitlines()), f"{span}")
        # One statement about one file.
        done = lab.exectrace("replay", "--json", "--uid", "ann,nobody-else", joined)
        lost, *rest = done.stderr.decode().splitlines()
        lab.demand(lost.startswith(f"exectrace replay: {joined}: incomplete: 17 events lost (ring_full 17) "), f"told {lost!r}")
        lab.equal(rest, ["exectrace replay: no event is of a user named 'nobody-else'"], "what else is told")
        done = lab.exectrace("replay", "--json", "--fail-on-loss", joined, code=3)
        whole = lab.written(directory, "whole.etz", parts[0] + parts[2])
        shown = len(lab.replay(paths[0])) + len(lab.replay(paths[2]))
        lab.equal(lab.exectrace("replay", "--json", whole).stderr.decode(),
                  f"exectrace replay: {whole}: complete, {shown} events\n", "what is told of a complete one")


def damage_in_merged_segments():
    first, second = lab.generated(900), lab.generated(600, "shift=20")
    both = first + second
    at = len(first) + len(second) // 2
    with lab.workdir() as directory:
        # In the midst of a chunk: its frame still says how long it is.
        damaged = lab.written(directory, "damaged.etz", both[:at] + bytes([both[at] ^ 1]) + both[at + 1:])
        done = lab.exectrace("replay", "--json", damaged, code=3)
        with open(damaged, "rb") as file:
            piped = lab.run(["sh", "-c", f"cat | {lab.EXECTRACE} replay --json -"], stdin=file, code=3)
        lab.equal(sorted(done.stdout.splitlines()), sorted(piped.stdout.splitlines()), "what is left")
        lab.equal(done.stderr.replace(damaged.encode(), b"standard input"), piped.stderr, "what is told")
        times = [event["time"] for event in lab.lines(done.stdout)]
        lab.equal(times, sorted(times), "times")


def in_order_where_segments_are_not_sure():
    first, second = lab.generated(300), lab.generated(300, "shift=20")
    frame = second.index(b"\x89ETZ\r\n\x1a\n", 500)
    cases = {
        "not ended": first + lab.generated(300, "unclean", "shift=20"),
        "something behind": first + second + b"x",
        "a damaged frame": first + second[:frame + 20] + b"\xff" + second[frame + 21:],
        "too many": b"".join(lab.generated(4, f"shift={i}") for i in range(65)),
    }
    with lab.workdir() as directory:
        for name, data in cases.items():
            path = lab.written(directory, "c.etz", data)
            file = told(lab.exectrace("replay", "--json", path, code=None), path)
            lab.equal(from_pipe(["replay", "--json"], at_once(data)), file, name)
            times = [event["time"] for event in lab.lines(file[1])]
            lab.demand(times != sorted(times), f"{name}: the order of the file is that of time")


if __name__ == "__main__":
    lab.main(pipe_is_as_good_as_file, slow_pipe_is_as_good, a_silent_pipe_holds_nothing_back, through_other_programs,
             joined_is_as_good_as_parts, segments_of_the_same_time_are_merged, damage_in_merged_segments,
             in_order_where_segments_are_not_sure)

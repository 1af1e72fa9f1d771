#!/usr/bin/env python3
"""tests/spec_decoder.py, written from SPEC.md alone, reads from captures what exectrace reads."""
import json
import os
import struct
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..")]
import lab  # noqa: E402
import spec_decoder  # noqa: E402

DECODER = os.path.join(HERE, "..", "spec_decoder.py")
# What replay works out, and no capture holds.
DERIVED = ("duration", "error", "signal_name")

# Executes what is awkward, as few things as show it.
ODD = r"""
import os, resource, signal, time
def run(argv, path=b"/bin/true", before=lambda: None):
    pid = os.fork()
    if pid == 0:
        try:
            before()
            os.execve(path, argv, {})
        except OSError:
            os._exit(9)
    return os.waitpid(pid, 0)
def nobody():
    os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
def bare():
    os._exit(3)
def killed():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.kill(os.getpid(), signal.SIGSEGV)
run([b"e", b""])
run([b"e", b"", b"", b"\xff\xfe", b"caf\xc3\xa9", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"])
run([b"\xc0\x80", b"\xe2\x82", b"\xf0\x9f\x98\x80"])
run([b"a\nb\t\x1b[31m\x7f\\ \"'", b"\xe2\x80\xae\xc2\x85\xef\xbb\xbf"])
run([b"long"] + [b"x" * 1000] * 200)
run([b"many"] + [b""] * 5000)
run([b"one", b"\xff" * 100000])
run([b"no"], b"/nonexistent/\xff/program")
run([b"no"], b"/")
run([b"no"], b"")
run([b"no"], b"/etc/passwd")
run([b"nobody"], before=nobody)
run([b"bare"], before=bare)
run([b"killed"], before=killed)
name = os.fsencode(os.getcwd()) + b"/dir \xe9\n"
os.mkdir(name)
with open(name + b"/script \xff", "wb") as file:
    file.write(b"#!/bin/sh -e\nexit 5\n")
os.chmod(name + b"/script \xff", 0o755)
run([b"renamed", b"$1"], name + b"/script \xff")
run([b"elsewhere"], before=lambda: os.chdir(name))
for i in range(40):
    run([b"again", b"%d" % (i % 7)])
time.sleep(0.3)
run([b"later"])
"""


def decoded(path, code=0):
    return lab.lines(lab.run([sys.executable, DECODER, path], code=code).stdout)


def checked(path, code):
    return lab.run([sys.executable, DECODER, "--check", path], code=code).stdout.decode()


def order(event):
    return event["ts"], json.dumps(event, sort_keys=True)


def demand_same(path, damaged=False):
    """Zero differences between the two readers; returns how many events there are."""
    found = sorted(decoded(path, code=3 if damaged else 0), key=order)
    done = lab.exectrace("replay", "--json", path, code=3 if damaged else 0)
    expected = lab.lines(done.stdout)
    for event in expected:
        for name in DERIVED:
            event.pop(name, None)
    expected.sort(key=order)
    lab.equal(len(found), len(expected), f"number of events of {path}")
    for one, other in zip(found, expected):
        lab.equal(one, other, f"event of {path}")
    return len(found)


def made(work, *args):
    path = os.path.join(work, "-".join(args) + ".etz")
    with open(path, "wb") as file:
        lab.run([lab.helper("make_capture"), *args], stdout=file)
    return path


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def written(work, name, data):
    path = os.path.join(work, name)
    with open(path, "wb") as file:
        file.write(data)
    return path


def reads_made_captures():
    with lab.workdir() as work:
        paths = [made(work, *args) for args in (("0",), ("1",), ("2000",), ("300", "lost"), ("300", "unclean"))]
        paths.append(written(work, "joined.etz", b"".join(map(contents, paths))))
        for path in paths:
            demand_same(path)
            told = checked(path, code=0)
            lab.equal("no END" in told, "unclean" in path or "joined" in path, f"whether {path} has END: {told}")
        lab.equal(demand_same(paths[-1]), sum(demand_same(path) for path in paths[:-1]), "events of all together")


def reads_damaged_captures():
    with lab.workdir() as work:
        one, two = contents(made(work, "600", "lost")), contents(made(work, "500"))
        third, half = len(one) // 3, len(one) // 2
        rows = {"cut": one[:half], "zeros": one[:half] + bytes(5000),
                "flipped": one[:half] + b"\xa5" * 64 + one[half + 64:],
                "hole": one[:third] + bytes(4096) + one[third + 4096:], "removed": one[:third] + one[third + 4096:],
                "inserted": one[:third] + spec_decoder.MAGIC * 9 + one[third:], "repeated": one[:half] + one[third:],
                "mixed": one[:third] + two[third:], "joined": one[:half] + bytes(99) + two}
        for name, data in rows.items():
            path = written(work, name, data)
            found = demand_same(path, damaged=True)
            lab.demand(found, f"{name}: no event is left")
            checked(path, code=3)


def records():
    """Names and options of captures that a live kernel fills."""
    yield "followed", ("--max-args", "2048")
    yield "all", ("--all", "--flush-interval", "50ms", "--level", "19")
    yield "lossy", ("--ring-size", "4K")	# an exec with long arguments is larger


def reads_live_captures():
    if os.geteuid() != 0 or not os.path.exists(lab.RECORDER):
        print("   nothing was recorded: that needs root and the recorder")
        return
    try:
        lab.need_bpf()
    except SystemExit as end:
        lab.demand(end.code == 77, "nothing can be recorded here, but CI=true")
        return
    for name, options in records():
        with lab.workdir() as work:
            path = os.path.join(work, name + ".etz")
            lab.record(path, *options, "--", sys.executable, "-c", ODD, cwd=work)
            lab.equal("no END" in checked(path, code=0), False, f"whether {name} has no END")
            found = demand_same(path)
            lab.demand(found > 150, f"{name}: only {found} events")
            lab.demand(name != "lossy" or any(event["kind"] == "lost" for event in decoded(path)), "nothing was lost")


def every_byte_is_checked():
    with lab.workdir() as work:
        good = contents(made(work, "11", "lost"))
        lab.equal(spec_decoder.Reader(good, strict=True).faults, [], "faults of the good one")
        for at in range(len(good)):
            bad = bytearray(good)
            bad[at] ^= 1 << at % 7
            lab.demand(spec_decoder.Reader(bytes(bad), strict=True).faults, f"byte {at} was changed: no fault")
        lab.demand("at byte" in checked(written(work, "bad", bytes(bad)), code=3), "--check names no offset")


def sealed(data, type_name, change):
    """data with change(head, body) made to the last record of a type, and the checksums right again."""
    at, found = 0, None
    while at < len(data):
        record = spec_decoder.frame(data, at)
        found = record if record.type == type_name else found
        at += record.size
    head, body = change(found.head, found.body)
    start = bytearray(data[found.at:found.at + spec_decoder.HEADER.size])
    struct.pack_into("<IIII", start, 28, len(head), len(body), zlib.crc32(head), zlib.crc32(body))
    struct.pack_into("<I", start, 44, zlib.crc32(start[:44]))
    record = bytes(start) + head + body
    return data[:found.at] + record + bytes(-len(record) % 8) + data[found.at + found.size:]


def varint(v):
    return bytes([v]) if v < 128 else bytes([v & 127 | 128]) + varint(v >> 7)


def tag(number, change):
    def changed(head, body):
        pairs = [(i, change(v) if i == number else v) for i, v in spec_decoder.Cursor(head).read("vd*")]
        return b"".join(varint(i) + varint(len(v)) + v for i, v in pairs), body
    return changed


def flip(at):
    def flipped(value):
        value = bytearray(value)
        value[at] ^= 1
        return bytes(value)
    return flipped


def body(change):
    return lambda head, value: (head, change(value))


def lies_are_found():
    """What no checksum tells: records that are whole and wrong."""
    rows = (
        ("CHUNK", tag(8, flip(0)), "ROWS"),
        ("CHUNK", tag(9, flip(0)), "INDEX"),
        ("CHUNK", tag(9, flip(8)), "TIME"),
        ("CHUNK", tag(11, lambda value: b""), "LOST went back"),
        ("CHUNK", tag(12, flip(1)), "KINDS"),
        ("CHUNK", tag(13, flip(-1)), "STATS"),
        ("CHUNK", tag(14, flip(3)), ""),
        ("CHUNK", body(flip(9)), "zstd"),
        ("HOST", body(lambda value: value.replace(b"e", b"\0")), "NUL"),
        ("USERS", body(lambda value: b"\2" + value[1:]), "group"),
        ("CGROUPS", body(lambda value: value[:-1]), "longer"),
        ("CLOCK", body(lambda value: value * 2), "ascend"),
        ("END", tag(11, flip(1)), "LOST"),
        ("END", tag(12, flip(1)), "KINDS"),
        ("END", tag(16, lambda value: b"\xff"), "UTF-8"),
        ("INDEX", body(flip(0)), "INDEX"),
        ("INDEX", body(flip(-1)), "INDEX"),
        ("INDEX", body(lambda value: b""), "INDEX"),
        ("FOOTER", tag(17, flip(0)), "INDEX_AT"),
        ("FOOTER", tag(18, flip(0)), "SEGMENT_LEN"),
        ("FILE_HEADER", tag(1, flip(0)), "version"),
        ("FILE_HEADER", tag(2, flip(0)), "INCOMPAT"),
        ("FILE_HEADER", tag(7, flip(0)), "column"),
    )
    with lab.workdir() as work:
        good = contents(made(work, "40", "lost"))
        lab.equal(sealed(good, "CHUNK", lambda *parts: parts), good, "what is sealed again unchanged")
        for name, change, about in rows:
            found = [fault for _, fault in spec_decoder.Reader(sealed(good, name, change), strict=True).faults]
            lab.demand(any(about in fault for fault in found), f"{name} is wrong in {about}, and the faults are {found}")


def differences_are_found():
    with lab.workdir() as work:
        one, two = made(work, "50"), made(work, "50", "lost")
        events = decoded(one)
        lab.demand(sorted(events, key=order) != sorted(decoded(two), key=order), "two captures have the same events")
        lab.equal(len({order(event) for event in events}), len(events), "different events")


if __name__ == "__main__":
    lab.need_tool("zstd")
    lab.main(reads_made_captures, reads_damaged_captures, every_byte_is_checked, lies_are_found, differences_are_found,
             reads_live_captures)

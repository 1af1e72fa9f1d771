#!/usr/bin/env python3
"""The capture of SPEC.md, section 9: prints what stands there between its marks.

    spec_example.py [FILE]      FILE: also writes the capture itself

Its bytes are put together field by field, and each field has a line that says what it is. cli/test_spec_example.py
holds SPEC.md to this, and both readers to SPEC.md.
"""
import json
import os
import struct
import sys
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import etz  # noqa: E402

FILE_ID = bytes.fromhex("0123456789abcdef")
TS = 4_000_000_000
OFFSET = 1_800_000_000 * 10**9
EVENTS = (
    {"kind": "exec", "time": "2027-01-15T08:00:04.000000000Z", "ts": TS, "pid": 65, "uid": 0, "comm": "sh"},
    {"kind": "exec", "time": "2027-01-15T08:00:04.000000009Z", "ts": TS + 9, "pid": 66, "comm": "ls"},
    {"kind": "exit", "time": "2027-01-15T08:00:04.000000010Z", "ts": TS + 10, "pid": 66, "uid": 0, "comm": "ls"},
)
WIDTH = 10


class Dump:
    """Bytes, and lines that say what they are."""

    def __init__(self):
        self.data, self.lines = b"", []

    def put(self, data, what):
        for at in range(0, len(data), WIDTH):
            part = data[at:at + WIDTH]
            self.lines.append(f"{len(self.data):04x}  {part.hex(' '):<{3 * WIDTH}} {what if not at else ''}".rstrip())
            self.data += part

    def record(self, kind, name, tags, streams=(), seq=0):
        """3.1: tags: (id, what it is, [(bytes, what they are)]); streams: the same without an id."""
        head = b"".join(etz.tag(number, b"".join(data for data, _ in values)) for number, _, values in tags)
        body = b"".join(data for data, _ in streams)
        fixed = etz.MAGIC + FILE_ID + struct.pack("<QHHIIII", seq, kind, 0, len(head), len(body), zlib.crc32(head),
                                                  zlib.crc32(body))
        at = len(self.data)
        self.lines += ["", f"      {name}"]
        self.put(fixed[:8], "magic")
        self.put(fixed[8:16], "file_id")
        self.put(fixed[16:24], f"seq {seq}")
        self.put(fixed[24:28], f"type {kind}, flags 0")
        self.put(fixed[28:36], f"head_len {len(head)}, body_len {len(body)}")
        self.put(fixed[36:], "head_crc, body_crc")
        self.put(struct.pack("<I", zlib.crc32(fixed)), "frame_crc")
        for number, what, values in tags:
            self.put(etz.varint(number) + etz.varint(sum(len(data) for data, _ in values)), f"tag {number}, {what}:")
            for data, about in values:
                self.put(data, f"  {about}")
        for data, what in streams:
            self.put(data, what)
        padding = -(len(self.data) - at) % 8
        self.put(bytes(padding), "padding")


def schema():
    """4.1: five columns as 4.2 has them."""
    for number, name, kind, unit, kinds, what in (
            (1, "kind", 1, 8, 0x7e, "UINT, a kind; in rows of kinds 1 to 6"),
            (2, "ts", 1, 1, 0x7e, "UINT, ns of the boot clock"),
            (3, "pid", 1, 0, 0x3e, "UINT, plain; in rows of kinds 1 to 5"),
            (7, "uid", 2, 5, 0x3e, "OPT, a uid"),
            (11, "comm", 3, 0, 0x3e, "STR")):
        yield (etz.varint(number) + struct.pack("<BBH", kind, unit, kinds) + etz.name(name.encode()),
               f"column {number}, {name}: {what}")


STREAMS = (     # 5.1: column, part, encoding, n, bytes, what these are, what the encoding is
    (0, 0, 0x00, 2, b"\2", "two strings of 2 bytes each", "const"),
    (0, 1, 0x04, 4, b"shls", "their bytes: string 1 is sh, 2 is ls", "raw"),
    (1, 0, 0x04, 3, b"\1\1\4", "kind: exec, exec, exit", "raw"),
    (2, 0, 0x14, 3, b"\0\x12\2", "ts: zigzag of 0, +9, +1", "raw, delta"),
    (3, 0, 0x04, 3, b"ABB", "pid: 65, 66, 66", "raw"),
    (7, 0, 0x04, 3, b"\1\0\1", "uid: 0, not known, 0", "raw"),
    (11, 0, 0x44, 3, b"\0\0\3", "comm: a new string (1), a new one (2), and 2 again", "raw, first use"),
)
COLUMNS = ("the strings' lengths", "the strings' bytes", "kind", "ts", "pid", "uid", "comm")


def build():
    dump = Dump()
    dump.record(etz.FILE_HEADER, "FILE_HEADER", (
        (1, "VERSION", [(b"\1\0", "1.0")]),
        (2, "INCOMPAT", [(etz.u64(0), "no bits")]),
        (3, "COMPAT", [(etz.u64(0), "no bits")]),
        (5, "CLOCK", [(b"\7", "CLOCK_BOOTTIME")]),
        (6, "PROGRAM", [(b"example", '"example"')]),
        (7, "SCHEMA", list(schema())),
        (8, "STARTED", [(etz.u64(TS), "ts 4 s"), (etz.u64(OFFSET), "offset 1,800,000,000 s")])))
    at = len(dump.data)
    crcs = sorted(zlib.crc32(name) & 0xffff for name in (b"sh", b"ls"))
    dump.record(etz.CHUNK, "CHUNK", (
        (9, "PLACE", [(etz.varint(at), f"at {at:#x}"), (b"\0", "no names before it")]),
        (10, "ROWS", [(b"\3", "3")]),
        (11, "TIME", [(etz.u64(TS), "earliest 4 s"), (b"\x0a", "latest 10 ns later")]),
        (12, "REALTIME", [(etz.u64(OFFSET), "offset; it does not change")]),
        (15, "KINDS", [(b"\1\2", "2 exec"), (b"\4\1", "1 exit")]),
        (16, "STATS", [(b"\3\2AB", "pid is one of 2: 65, 66"), (b"\7\2\0\1", "uid is one of 2: not known, 0")]),
        (17, "COMMS", [(struct.pack("<H", crc), "of " + ("sh" if crc == zlib.crc32(b"sh") & 0xffff else "ls"))
                       for crc in crcs]),
        (18, "COLUMNS", [(bytes([column, part, encoding, n, len(data)]),
                          f"{name}: {coded}, n {n}, {len(data)} byte{'s'[:len(data) > 1]}")
                         for (column, part, encoding, n, data, _, coded), name in zip(STREAMS, COLUMNS)])),
        [(data, what) for *_, data, what, _ in STREAMS])
    end = len(dump.data)
    dump.record(etz.END, "END", (
        (9, "PLACE", [(etz.varint(end), f"at {end:#x}"), (b"\0", "no names before it")]),
        (15, "KINDS", [(b"\1\2", "2 exec"), (b"\4\1", "1 exit")]),
        (19, "END_TIME", [(etz.u64(TS + 10**9), "ts 5 s"), (etz.u64(OFFSET), "offset")]),
        (20, "REASON", [(b"done", '"done"')]),
        (21, "STEP_BACK", [(b"\0", "0: no record has LATEST")])), seq=3)
    dump.record(etz.FOOTER, "FOOTER", (
        (22, "END_AT", [(etz.u64(end), f"{end:#x}")]),
        (23, "SEGMENT_LEN", [(etz.u64(len(dump.data) + 72), f"{len(dump.data) + 72:#x}")])), seq=3)
    return dump


def section():
    """What stands in SPEC.md between the marks."""
    lines = ["    " + line if line else "" for line in build().lines[1:]]
    lines += ["", "Its events, with the fields that `exectrace replay --json` prints:", ""]
    return "\n".join(lines + ["    " + json.dumps(event) for event in EVENTS]) + "\n"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        with open(sys.argv[1], "wb") as file:
            file.write(build().data)
    sys.stdout.write(section())

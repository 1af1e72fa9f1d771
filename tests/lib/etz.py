"""Captures written down byte by byte, from SPEC.md alone, wrong ones most of all.

Each function returns bytes; a capture is their concatenation. Nothing here keeps
a rule of SPEC.md unasked: counts, ids and orders are the caller's to get right or
wrong. Numbers in comments are sections of SPEC.md.
"""
import struct
import zlib

MAGIC = b"\x89ETZ\r\n\x1a\n"
FILE_ID = b"12345678"
FILE_HEADER, CHUNK, PROC, LOST, HOST, USERS, CGROUPS, CLOCK, END = range(1, 10)  # 3.3
EXEC, FAIL, FORK, EXIT = range(1, 5)                                             # 4.2
UINT, OPT, STR, LIST = range(1, 5)                                               # 4.1
NONE, DELTA, BY_PID, FROM_PID, FIRST_USE = range(5)                              # 5.3
STRINGS, KIND, TS, PID, UID, COMM, C_CGROUP, FILENAME, ARGV, EXIT_CODE = 0, 1, 2, 3, 7, 11, 12, 13, 17, 23
MAX_ROWS = 262144
BOOT = 1_000_000_000

# id, name, type, unit, mask of kinds: those of 4.2 that the tests need.
COLUMNS = ((1, "kind", UINT, 8, 0x7e), (2, "ts", UINT, 1, 0x7e), (3, "pid", UINT, 0, 0x3e), (6, "start", OPT, 1, 0x3e),
           (7, "uid", OPT, 5, 0x3e), (11, "comm", STR, 0, 0x3e), (12, "cgroup", OPT, 7, 0x3e),
           (13, "filename", STR, 0, 0x06), (17, "argv", LIST, 0, 0x26), (22, "errno", UINT, 10, 0x04),
           (23, "exit_code", OPT, 0, 0x10))


def varint(v):
    """2.2: seven bits a byte, the lowest first."""
    out = b""
    while v >= 0x80:
        out += bytes([v & 0x7f | 0x80])
        v >>= 7
    return out + bytes([v])


def zigzag(v):
    """2.2: of a signed number."""
    return v << 1 if v >= 0 else (-v << 1) - 1


def name(text):
    """2.3: a length and that many bytes."""
    return varint(len(text)) + text


def tag(number, value):
    """3.2: one of a head's."""
    return varint(number) + varint(len(value)) + value


def frame(kind, head_len, body_len, head_crc=0, body_crc=0, seq=0):
    """3.1: the fixed part, with a right crc of its own whatever it claims."""
    fixed = MAGIC + FILE_ID + struct.pack("<QHHIIII", seq, kind, 0, head_len, body_len, head_crc, body_crc)
    return fixed + struct.pack("<I", zlib.crc32(fixed))


def record(kind, head=b"", body=b"", seq=0):
    """3.1: a whole record with its padding."""
    out = frame(kind, len(head), len(body), zlib.crc32(head), zlib.crc32(body), seq) + head + body
    return out + bytes(-len(out) % 8)


def header(extra=()):
    """6.1: begins a segment; extra are columns of a version to come, like those of COLUMNS."""
    schema = b"".join(varint(number) + bytes([kind, unit]) + struct.pack("<H", kinds) + name(text.encode())
                      for number, text, kind, unit, kinds in (*COLUMNS, *extra))
    return record(FILE_HEADER, tag(1, varint(1) + varint(0)) + tag(5, varint(7)) + tag(7, schema))


def const(column, n, value, transform=NONE, part=0):
    """5.2: one value that stands n times, in as few bytes as it needs."""
    width = next(w for w in range(4) if value < 1 << (8 << w))
    return column, part, width | transform << 4, n, value.to_bytes(1 << width, "little")


def raw(column, n, data, width=0, transform=NONE, part=0):
    """5.2: byte planes; width: 0, 1, 2, 3 for 1, 2, 4, 8 bytes a value."""
    return column, part, width | 1 << 2 | transform << 4, n, data


def strings(*texts):
    """5.4: the table of a chunk; lengths in 4 bytes each, as planes."""
    lengths = b"".join(bytes(len(text) >> shift & 0xff for text in texts) for shift in (0, 8, 16, 24))
    return [raw(STRINGS, len(texts), lengths, 2), raw(STRINGS, sum(map(len, texts)), b"".join(texts), part=1)]


def chunk(rows, streams, seq=0, at=BOOT, span=0, kind=EXEC):
    """5: a row record; kind and ts, which is always there, are added."""
    streams = [*streams, const(KIND, rows, kind)]
    if not any(stream[0] == TS for stream in streams):
        streams.append(const(TS, rows, 0))
    streams.sort(key=lambda stream: stream[:2])
    directory = b"".join(varint(column) + bytes([part, encoding]) + varint(n) + varint(len(data))
                         for column, part, encoding, n, data in streams)
    head = (tag(8, varint(rows)) + tag(9, struct.pack("<Q", at) + varint(span)) +
            tag(10, struct.pack("<Q", 1_700_000_000 * 10**9)) + tag(12, varint(kind) + varint(rows)) +
            tag(14, directory))
    return record(CHUNK, head, b"".join(stream[4] for stream in streams), seq)


def end(rows, kind=EXEC):
    """3.2: a segment's last, of so many rows, all of one kind."""
    return record(END, tag(12, varint(kind) + varint(rows)) + tag(15, struct.pack("<Q", 2 * BOOT)) + tag(16, b"test"),
                  seq=rows)


def clock(*entries):
    """3.7: pairs of ts and offset."""
    return record(CLOCK, body=b"".join(struct.pack("<QQ", ts, offset) for ts, offset in entries))

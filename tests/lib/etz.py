"""Captures written down byte by byte, from SPEC.md alone, wrong ones most of all.

Each function returns bytes; a capture is their concatenation. Nothing here keeps
a rule of SPEC.md unasked: counts, ids and orders are the caller's to get right or
wrong. Numbers in comments are sections of SPEC.md.
"""
import struct
import zlib

MAGIC = b"\x89ETZ\r\n\x1a\n"
FILE_ID = b"12345678"
FILE_HEADER, CHUNK, PROC, LOST, HOST, USERS, CGROUPS, END, FOOTER, EXES = range(1, 11)  # 3.3
# 3.2
VERSION, INCOMPAT, COMPAT, BOOT_ID, CLOCK, PROGRAM, SCHEMA, STARTED, PLACE, ROWS, TIME, REALTIME = range(1, 13)
LATEST, LOST_TAG, KINDS, STATS, COMMS, COLUMNS_TAG = range(13, 19)
END_TIME, REASON, STEP_BACK, END_AT, SEGMENT_LEN, SERIES = range(19, 25)
EXEC, FAIL, FORK, EXIT, PROC_KIND, LOST_KIND = range(1, 7)                        # 4.2
UINT, OPT, STR, LIST = range(1, 5)                                                # 4.1
NONE, DELTA, BY_PID, FROM_PID, FIRST_USE = range(5)                               # 5.3
STRINGS, KIND, TS, PID, UID, COMM, C_CGROUP, FILENAME, ARGV, EXIT_CODE = 0, 1, 2, 3, 7, 11, 12, 13, 17, 23
TID, PPID, START, GID, ERRNO, UNTIL, CPU, COUNT, CAUSE, EXEC_TS = 4, 5, 6, 8, 22, 29, 30, 31, 32, 33
MAX_ROWS = 262144
BOOT = 1_000_000_000
OFFSET = 1_700_000_000 * 10**9 - BOOT  # of the wall clock, where nothing else is asked for

# id, name, type, unit, mask of kinds: those of 4.2 that the tests need.
COLUMNS = ((1, "kind", UINT, 8, 0x7e), (2, "ts", UINT, 1, 0x7e), (3, "pid", UINT, 0, 0x3e), (6, "start", OPT, 1, 0x3e),
           (7, "uid", OPT, 5, 0x3e), (11, "comm", STR, 0, 0x3e), (12, "cgroup", OPT, 7, 0x3e),
           (13, "filename", STR, 0, 0x06), (17, "argv", LIST, 0, 0x26), (22, "errno", UINT, 10, 0x04),
           (23, "exit_code", OPT, 0, 0x10))
# All of 4.2.
EVERY_COLUMN = (
    (1, "kind", UINT, 8, 0x7e), (2, "ts", UINT, 1, 0x7e), (3, "pid", UINT, 0, 0x3e), (4, "tid", OPT, 0, 0x06),
    (5, "ppid", OPT, 0, 0x3e), (6, "start", OPT, 1, 0x3e), (7, "uid", OPT, 5, 0x3e), (8, "gid", OPT, 6, 0x3e),
    (9, "euid", OPT, 5, 0x22), (10, "egid", OPT, 6, 0x22), (11, "comm", STR, 0, 0x3e), (12, "cgroup", OPT, 7, 0x3e),
    (13, "filename", STR, 0, 0x06), (14, "interpreter", STR, 0, 0x02), (15, "exe", STR, 0, 0x22),
    (16, "cwd", STR, 0, 0x22), (17, "argv", LIST, 0, 0x26), (18, "argc", OPT, 0, 0x26),
    (19, "argv_bytes", OPT, 3, 0x26), (20, "argv_truncated", UINT, 4, 0x26),
    (21, "argv_unreadable", UINT, 4, 0x26), (22, "errno", UINT, 10, 0x04), (23, "exit_code", OPT, 0, 0x10),
    (24, "signal", OPT, 11, 0x10), (25, "core", UINT, 4, 0x10), (26, "utime", OPT, 2, 0x10),
    (27, "stime", OPT, 2, 0x10), (28, "max_rss", OPT, 3, 0x10),
    (29, "until", OPT, 1, 0x40), (30, "cpu", OPT, 0, 0x40), (31, "count", UINT, 0, 0x40), (32, "cause", UINT, 9, 0x40),
    (33, "exec_ts", OPT, 1, 0x12),
    (34, "secure_exec", UINT, 4, 0x02), (35, "login_uid", OPT, 5, 0x22), (36, "session", OPT, 0, 0x22),
    (37, "tty", STR, 0, 0x22), (38, "pid_ns", OPT, 0, 0x22), (39, "mnt_ns", OPT, 0, 0x22),
    (40, "user_ns", OPT, 0, 0x22), (41, "net_ns", OPT, 0, 0x22), (42, "ns_pid", OPT, 0, 0x22),
    (43, "exe_dev", OPT, 12, 0x22), (44, "exe_inode", OPT, 0, 0x22), (45, "exe_deleted", UINT, 4, 0x22),
    (46, "exe_memfd", UINT, 4, 0x22), (47, "exec_duration", OPT, 2, 0x06), (48, "env", LIST, 0, 0x06),
    (49, "env_count", OPT, 0, 0x06), (50, "env_bytes", OPT, 3, 0x06), (51, "env_truncated", UINT, 4, 0x06),
    (52, "env_unreadable", UINT, 4, 0x06), (53, "minor_faults", OPT, 0, 0x10), (54, "major_faults", OPT, 0, 0x10),
    (55, "read_bytes", OPT, 3, 0x10), (56, "write_bytes", OPT, 3, 0x10))


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


def u64(v):
    """2.1: modulo 2^64."""
    return struct.pack("<Q", v % (1 << 64))


def name(text):
    """2.3: a length and that many bytes."""
    return varint(len(text)) + text


def tag(number, value):
    """3.2: one of a head's."""
    return varint(number) + varint(len(value)) + value


def exe(**values):
    """3.8: an executable, of the tags given by their names, in ascending order."""
    numbers = ("path", "dev", "inode", "size", "mtime", "build_id", "interpreter")
    body = b"".join(tag(numbers.index(key) + 1, value) for key, value in
                    sorted(values.items(), key=lambda item: numbers.index(item[0])))
    return varint(len(body)) + body


def frame(kind, head_len, body_len, head_crc=0, body_crc=0, seq=0, file_id=FILE_ID, flags=0):
    """3.1: the fixed part, with a right crc of its own whatever it claims."""
    fixed = MAGIC + file_id + struct.pack("<QHHIIII", seq, kind, flags, head_len, body_len, head_crc, body_crc)
    return fixed + struct.pack("<I", zlib.crc32(fixed))


def tags(**values):
    """3.2: those given by their names here, in the order that a head has them; None leaves one out."""
    numbers = {**globals(), "COLUMNS": COLUMNS_TAG, "LOST": LOST_TAG}
    return b"".join(tag(number, value) for number, value in
                    sorted((numbers[key], value) for key, value in values.items() if value is not None))


def record(kind, head=b"", body=b"", seq=0, file_id=FILE_ID, flags=0):
    """3.1: a whole record with its padding."""
    out = frame(kind, len(head), len(body), zlib.crc32(head), zlib.crc32(body), seq, file_id, flags) + head + body
    return out + bytes(-len(out) % 8)


def schema(*columns):
    """4.1: the value of SCHEMA."""
    return b"".join(varint(number) + bytes([kind, unit]) + struct.pack("<H", kinds) + name(text.encode())
                    for number, text, kind, unit, kinds in columns)


def header(extra=(), columns=COLUMNS, file_id=FILE_ID, flags=0, **more):
    """6.1: begins a segment; extra are columns of a version to come, like those of COLUMNS."""
    return record(FILE_HEADER, tags(**{"VERSION": varint(1) + varint(0), "CLOCK": varint(7),
                                       "SCHEMA": schema(*columns, *extra), **more}), file_id=file_id, flags=flags)


def width(*values):
    """5.2: the code of a width that holds them."""
    return next(w for w in range(4) if max(values) < 1 << (8 << w))


def const(column, n, value, transform=NONE, part=0):
    """5.2: one value that stands n times, in as few bytes as it needs."""
    code = width(value)
    return column, part, code | transform << 4, n, value.to_bytes(1 << code, "little")


def raw(column, n, data, width=0, transform=NONE, part=0):
    """5.2: byte planes; width: 0, 1, 2, 3 for 1, 2, 4, 8 bytes a value."""
    return column, part, width | 1 << 2 | transform << 4, n, data


def planes(values, code):
    """5.2: the lowest byte of all values, then the next of all."""
    return b"".join(bytes(value >> 8 * byte & 0xff for value in values) for byte in range(1 << code))


def values(column, *numbers, transform=NONE, part=0, code=None):
    """5.2: raw, these stored numbers, in as few bytes as the largest needs or in the width asked for."""
    numbers = [number % (1 << 64) for number in numbers]
    code = width(*numbers) if code is None else code
    return raw(column, len(numbers), planes(numbers, code), code, transform, part)


def zstd(column, n, data, code=0, transform=NONE, part=0):
    """5.2: a zstd frame, which is the caller's to make."""
    return column, part, code | 2 << 2 | transform << 4, n, data


def zstd_frame(size, *blocks, descriptor=0x20, front=b""):
    """RFC 8878: magic, a descriptor that says one segment and a size of one byte, front, the size, and blocks."""
    return b"\x28\xb5\x2f\xfd" + bytes([descriptor]) + front + size + b"".join(blocks)


def zstd_block(data, last=True, repeat=0):
    """RFC 8878: a block of bytes as they are; or one byte that stands so many times."""
    return struct.pack("<I", (repeat or len(data)) << 3 | (2 if repeat else 0) | last)[:3] + data


def strings(*texts):
    """5.4: the table of a chunk; lengths in 4 bytes each, as planes."""
    lengths = raw(STRINGS, len(texts), planes([len(text) for text in texts], 2), 2)
    text = b"".join(texts)
    return [lengths, raw(STRINGS, len(text), text, part=1)] if text else [lengths]


def place(at, back=0):
    """3.2: the value of PLACE."""
    return varint(at) + varint(back)


def realtime(offset, *steps):
    """3.6: the first offset and pairs of step and change."""
    return u64(offset) + b"".join(varint(step) + varint(zigzag(change)) for step, change in steps)


def series(number, recording=b"recorded"):
    """3.2: the value of SERIES."""
    return recording + varint(number)


def counts(pairs):
    """3.2: the value of KINDS or LOST, in the order given."""
    return b"".join(varint(number) + varint(count) for number, count in pairs)


def statistic(column, *exactly, between=None):
    """5.5: an entry of STATS: exactly these stored numbers, or the least and the largest."""
    numbers = between or exactly
    return varint(column) + varint(0 if between else len(exactly)) + b"".join(map(varint, numbers))


def comms(*texts):
    """5.5: the value of COMMS for these names."""
    return b"".join(struct.pack("<H", hashed) for hashed in sorted({zlib.crc32(text) & 0xffff for text in texts}))


def directory(streams):
    """5.1: the value of COLUMNS, in the order given."""
    return b"".join(varint(column) + bytes([part, encoding]) + varint(n) + varint(len(data))
                    for column, part, encoding, n, data in streams)


def chunk(rows, streams, seq=0, at=BOOT, span=0, kind=EXEC, record_type=CHUNK, file_id=FILE_ID, **more):
    """5: a row record; kind and ts are added where they are not given. more: further tags, or others."""
    given = {stream[0] for stream in streams}
    streams = [*streams, *(const(column, rows, value) for column, value in ((KIND, kind), (TS, 0))
                           if column not in given)]
    streams.sort(key=lambda stream: stream[:2])
    head = tags(**{"ROWS": varint(rows), "TIME": u64(at) + varint(span), "REALTIME": realtime(OFFSET),
                   "KINDS": varint(kind) + varint(rows), "COLUMNS": directory(streams), **more})
    return record(record_type, head, b"".join(stream[4] for stream in streams), seq, file_id)


def end(rows, kind=EXEC, file_id=FILE_ID, **more):
    """3.2: a segment's last, of so many rows, all of one kind."""
    return record(END, tags(**{"KINDS": varint(kind) + varint(rows), "END_TIME": u64(2 * BOOT) + u64(OFFSET),
                               "REASON": b"test", **more}), seq=rows, file_id=file_id)


def footer(end_at, segment_len, rows=0, file_id=FILE_ID):
    """3.7: where END is, and how long it all is."""
    return record(FOOTER, tags(END_AT=u64(end_at), SEGMENT_LEN=u64(segment_len)), seq=rows, file_id=file_id)

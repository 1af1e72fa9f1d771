"""Captures that keep every rule; exectrace verify finds nothing wrong with them."""
import struct

import etz
from etz import (ARGV, BOOT, CAUSE, CGROUPS, CHUNK, COMM, COUNT, CPU, C_CGROUP, ERRNO, EXEC, EXEC_TS, EXIT, EXIT_CODE,
                 EXES, FAIL, FILENAME, FORK, GID, HOST, KIND, LOST, OFFSET, PID, PPID, PROC, START, STRINGS, TID, TS, UID,
                 UNTIL, USERS, const, name, strings, tag, u64, values, varint, zigzag)
from segment import Segment

SECOND = 10**9
EUID, EGID, INTERPRETER, EXE, CWD, ARGC, ARGV_BYTES, TRUNCATED, UNREADABLE = 9, 10, 14, 15, 16, 18, 19, 20, 21
SIGNAL, CORE, UTIME, STIME, MAX_RSS = range(24, 29)
(SECURE_EXEC, LOGIN_UID, SESSION, TTY, PID_NS, MNT_NS, USER_NS, NET_NS, NS_PID, EXE_DEV, EXE_INODE, EXE_DELETED,
 EXE_MEMFD, EXEC_DURATION, ENV, ENV_COUNT, ENV_BYTES, ENV_TRUNCATED, ENV_UNREADABLE, MINOR_FAULTS, MAJOR_FAULTS,
 READ_BYTES, WRITE_BYTES) = range(34, 57)
DEVICE = 8 << 20 | 1
FEW = etz.EVERY_COLUMN[:3]	# for segments that are about something else
EVERY_KIND = [
    # An exec of a script, a fail, a fork, an exit; only rows that carry a column have a value in it (5.1).
    values(KIND, 1, 2, 3, 4), values(TS, 0, 10, 20, 30), values(PID, 100, 100, 101, 100),
    const(TID, 2, 101), const(PPID, 4, 2), const(START, 4, BOOT - 4), const(UID, 4, 1001), const(GID, 4, 101),
    const(EUID, 1, 1), const(EGID, 1, 1), const(COMM, 4, 1), const(C_CGROUP, 4, 78), values(FILENAME, 2, 10),
    const(INTERPRETER, 1, 3), const(EXE, 1, 4), const(CWD, 1, 5), values(ARGV, 3, 2), values(ARGV, 1, 6, 11, part=1),
    values(ARGC, 0, 6), values(ARGV_BYTES, 0, 1001), values(TRUNCATED, 0, 1), values(UNREADABLE, 0, 1),
    const(ERRNO, 1, 2), const(EXIT_CODE, 1, 0), const(SIGNAL, 1, 12), const(CORE, 1, 1), const(UTIME, 1, 1001),
    const(STIME, 1, 2001), const(MAX_RSS, 1, 4097), values(EXEC_TS, BOOT + 1, BOOT + 1),
    const(SECURE_EXEC, 1, 1), const(LOGIN_UID, 1, 1001), const(SESSION, 1, 4), const(TTY, 1, 7),
    *(const(PID_NS + i, 1, 4026531836 + i) for i in range(4)), const(NS_PID, 1, 8), const(EXE_DEV, 1, DEVICE + 1),
    const(EXE_INODE, 1, 43), const(EXE_DELETED, 1, 1), const(EXE_MEMFD, 1, 1), values(EXEC_DURATION, 1501, 901),
    values(ENV, 3, 2), values(ENV, 8, 9, 8, part=1), values(ENV_COUNT, 0, 31), values(ENV_BYTES, 0, 1001),
    values(ENV_TRUNCATED, 0, 1), values(ENV_UNREADABLE, 0, 1), const(MINOR_FAULTS, 1, 151),
    const(MAJOR_FAULTS, 1, 3), const(READ_BYTES, 1, 4097), const(WRITE_BYTES, 1, 8193),
    *strings(b"make", b"/src/make", b"/bin/sh", b"/usr/bin/dash", b"/src", b"-j2", b"pts/0", b"LANG=C", b"A=\xff\n",
             b"/no/such", b"no")]


def lost_rows(segment, at, *rows, span=0, kind=LOST):
    """Rows of kind lost, each (until or None, cpu or None, count, cause), all at the same moment."""
    until, cpu, count, cause = zip(*rows)
    segment.rows(len(rows), [values(UNTIL, *(0 if v is None else v + 1 for v in until)),
                             values(CPU, *(0 if v is None else v + 1 for v in cpu)), values(COUNT, *count),
                             values(CAUSE, *cause)],
                 kind=etz.LOST_KIND, at=at, record_type=kind, lost=[(c, n) for _, _, n, c in rows if n],
                 walls=(at + OFFSET, max([at, *(v for v in until if v is not None)]) + OFFSET))


def good_empty():
    """A recording in which nothing happened: a file header, END and FOOTER."""
    return Segment().done()


def good_header_alone():
    """The file header of a recorder that was killed at once."""
    return Segment().data


def good_kinds():
    """Events of every kind, with a value in every column that they carry, and names for them."""
    s = Segment()
    s.record(HOST, name(b"hostname") + name(b"build-7") + name(b"utc_offset") + name(b"-3600"))
    s.record(USERS, b"\0" + varint(1000) + name(b"ann") + b"\1" + varint(100) + name(b"staff"))
    s.record(CGROUPS, varint(77) + name(b"/user.slice"))
    s.rows(4, EVERY_KIND, span=30, kinds={EXEC: 1, FAIL: 1, FORK: 1, EXIT: 1})
    s.rows(1, [const(PID, 1, 1), const(PPID, 1, 1), const(COMM, 1, 1), const(EXE, 1, 2), const(ARGV, 1, 2),
               const(ARGV, 1, 3, part=1), *strings(b"init", b"/sbin/init", b"/sbin/init --splash")],
           kind=etz.PROC_KIND, record_type=PROC, at=BOOT + 30)
    lost_rows(s, BOOT + 40, (BOOT + 60, 1, 5, 1))
    return s.done()


def good_columns_absent():
    """Rows of every kind of which nothing is known but kind and time: no column that may be left out is there."""
    s = Segment().rows(4, [values(KIND, 1, 2, 3, 4)], kinds={EXEC: 1, FAIL: 1, FORK: 1, EXIT: 1})
    s.rows(1, kind=etz.PROC_KIND, record_type=PROC).rows(1, kind=etz.LOST_KIND, record_type=LOST)
    return s.done()


def good_older_schema():
    """A schema of kind and time alone, as if all other columns were of a later version."""
    return Segment(columns=etz.EVERY_COLUMN[:2]).rows(2, [values(TS, 0, 5)], span=5).done()


def good_widths():
    """Numbers raw and const in 1, 2, 4 and 8 bytes, more of them than they need too."""
    raw = [values(PID, 1, 2, 255, code=0), values(TID, 1, 256, 65535, code=1), values(PPID, 1, 65536, (1 << 32) - 1),
           values(START, 1, 1 << 32, (1 << 64) - 1), values(UID, 1, 2, 3, code=3)]
    constants = [(column, 0, code, 3, struct.pack("<Q", 7)[:1 << code])
                 for code, column in enumerate((PID, TID, PPID, START))]
    return Segment().rows(3, raw).rows(3, constants).done()


def good_transforms():
    """Delta, by pid with rows of the same and of another pid, from pid, first use; and none where any could be."""
    coded = [
        values(TS, *(zigzag(v) for v in (0, 4, -2, 5)), transform=etz.DELTA),
        values(PID, *(zigzag(v) for v in (70, 5, -5, 0)), transform=etz.DELTA),
        values(TID, *(zigzag(v) for v in (1, 1, 2, 0)), transform=etz.FROM_PID),
        # Of the first row of a pid from its ts, then from the number before: ts - 2, ts + 1, the same, one less.
        values(START, *(zigzag(v) for v in (-2, 1, 0, -1)), transform=etz.BY_PID),
        # One more than the largest before, which is 0 at first: 0. Else one more than the number.
        values(COMM, 0, 4, 2, 5, transform=etz.FIRST_USE),
        const(ARGV, 4, 2), values(ARGV, 3, 4, 2, 5, transform=etz.FIRST_USE, part=1)]
    plain = [
        values(TS, 0, 4, 2, 7), values(PID, 70, 75, 70, 70), values(TID, 71, 76, 72, 70),
        values(START, BOOT - 2, BOOT + 5, BOOT - 2, BOOT - 3), values(COMM, 1, 3, 1, 4),
        const(ARGV, 4, 2), values(ARGV, 2, 3, 1, 4, part=1)]
    text = strings(b"a", b"b", b"c", b"d")
    return Segment().rows(4, coded + text, span=7).rows(4, plain + text, span=7).done()


def good_strings_const():
    """Strings whose lengths, and whose bytes, are one value that stands for all."""
    table = [const(STRINGS, 1, 8), const(STRINGS, 8, ord("a"), part=1)]
    return Segment().rows(2, [*table, const(COMM, 2, 1)]).done()


def good_zstd():
    """Frames of zstd: a real one with a checksum, one of raw blocks and one of a byte that repeats."""
    # What `zstd -3` makes of the 420 bytes of "/usr/bin/make all -j2 " twenty times.
    real = bytes.fromhex("28b52ffd64b800ed0000b02f7573722f62696e2f6d616b6520616c6c202d6a322001003e539d4d3ca6935f")
    numbers = etz.planes([7, 300, 7], 1)
    table = [const(STRINGS, 1, 440), etz.zstd(STRINGS, 440, real, part=1)]
    streams = [etz.zstd(PID, 3, etz.zstd_frame(b"\6", etz.zstd_block(numbers[:2], last=False),
                                               etz.zstd_block(numbers[2:])), code=1),
               etz.zstd(UID, 3, etz.zstd_frame(b"\3", etz.zstd_block(b"\1", repeat=3))), const(FILENAME, 3, 1)]
    return Segment().rows(3, table + streams).done()


def good_strings_empty():
    """Empty strings, lists of none, of one empty string and of two, and such as are not known."""
    return Segment().rows(4, [const(COMM, 4, 1), values(FILENAME, 1, 1, 0, 0), values(ARGV, 1, 2, 3, 0),
                              const(ARGV, 3, 1, part=1), *strings(b"")]).done()


def good_strings_hostile():
    """Strings that are not UTF-8, end lines, move the cursor, change colours and the direction of text."""
    hostile = (b"\x1b[31m\x1b]0;title\x07", b"a\nb\r\tc\\d\"e", b"\xff\xfe\x80",
               b"\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80", "\u202e\u2066x\u0085\ufeff\U0001f600".encode(),
               b"\x01\x7f\xc2\x9b31m", b"$(id) `id` ; 'x'")
    return Segment().rows(len(hostile), [values(COMM, *range(1, 8)), values(FILENAME, *range(1, 8)), const(ARGV, 7, 3),
                                         values(ARGV, *(v for v in range(1, 8) for _ in (0, 1)), part=1),
                                         *strings(*hostile)]).done()


def good_strings_largest():
    """The longest string that may be, 2 MiB, and the longest list, 4 MiB, in a frame of zstd."""
    largest = 2 << 20
    size = 2 * largest - 1
    blocks = [etz.zstd_block(b"a", last=at + (128 << 10) >= size, repeat=min(128 << 10, size - at))
              for at in range(0, size, 128 << 10)]
    table = [values(STRINGS, largest, largest - 1),
             etz.zstd(STRINGS, size, etz.zstd_frame(struct.pack("<I", size), *blocks, descriptor=0xa0), part=1)]
    return Segment().rows(1, [*table, const(FILENAME, 1, 1), const(ARGV, 1, 3), const(ARGV, 2, 2, part=1)]).done()


def good_rows_most():
    """As many rows as a record may have, 262,144, each of another process."""
    return Segment().rows(etz.MAX_ROWS, [const(PID, etz.MAX_ROWS, zigzag(1), etz.DELTA)]).done()


def good_numbers_largest():
    """The highest process id that there is, and numbers near to 2^64 in columns of each type of number."""
    most = (1 << 64) - 1
    return Segment().rows(2, [values(PID, 4194304, most - 1), values(UID, 1 << 32, most), values(GID, 1, most),
                              values(C_CGROUP, 1, most), values(START, 1, most), values(EXEC_TS, 0, most)]).done()


def good_times_extreme():
    """Times up to 2^64 - 2 and offsets down to -2^63: a sum that 64 bits do not hold is the nearest they hold."""
    low, high = -1 << 63, (1 << 63) - 1
    s = Segment().rows(1, at=0, REALTIME=u64(low), walls=(low, low))
    s.rows(1, at=high, REALTIME=u64(-high), walls=(0, 0))
    s.rows(2, [values(TS, 1, 0)], at=(1 << 64) - 3, span=1, REALTIME=u64(low), walls=(high - 2, high - 1))
    s.rows(1, at=(1 << 64) - 2, REALTIME=u64(high), walls=(high, high))
    return s.done()


def good_clock_set():
    """The wall clock is set forwards by five seconds and back by ten, within a record, which tells of both."""
    s = Segment().rows(4, [values(TS, 0, 100, 199, 300)], span=300,
                       REALTIME=etz.realtime(OFFSET, (100, 5 * SECOND), (100, -10 * SECOND)),
                       walls=(BOOT + 300 + OFFSET - 5 * SECOND, BOOT + 199 + OFFSET + 5 * SECOND))
    s.rows(1, at=BOOT + 400, REALTIME=u64(OFFSET - 5 * SECOND), walls=[BOOT + 400 + OFFSET - 5 * SECOND] * 2)
    return s.done()


def good_clock_most():
    """Sixteen offsets of the wall clock in a record, as many as may be."""
    return Segment().rows(16, [values(TS, *range(16))], span=15, REALTIME=etz.realtime(OFFSET, *[(1, 1)] * 15),
                          walls=(BOOT + OFFSET, BOOT + OFFSET + 30)).done()


def good_step_back():
    """Times that step back between rows and from record to record, as between CPUs; END says how far."""
    s = Segment().rows(3, [values(TS, 500, 0, 200), values(PID, 3, 1, 2)], at=BOOT + 1000, span=500)
    return s.rows(2, [values(TS, 0, 900), const(PID, 2, 4)], at=BOOT + 800, span=900).done()


def good_lost():
    """Events that were lost, for each cause: with and without an end, a CPU and a number of them."""
    s = Segment().rows(1, [const(PID, 1, 1)])
    lost_rows(s, BOOT + 5, (BOOT + 9, 0, 3, 1), (None, 1, 2, 2), (BOOT + 5, None, 0, 3), (None, None, 1, 4),
              (BOOT + 2000, 3, 4, 5), (BOOT + 7, None, 7, 6))
    s.rows(1, [const(PID, 1, 2)], at=BOOT + 10)
    return s.done()


def good_lost_most():
    """More events lost than 63 bits hold."""
    s = Segment()
    lost_rows(s, BOOT, (BOOT + 1, 0, 1 << 63, 1))
    return s.done()


def good_names_redefined():
    """Names of a user, a group and a cgroup that later records give anew: the last that was read holds."""
    s = Segment()
    row = [const(UID, 1, 8), const(GID, 1, 8), const(C_CGROUP, 1, 8)]
    for what in (b"first", b"second"):
        s.record(USERS, b"\0" + varint(7) + name(what + b"-user") + b"\1" + varint(7) + name(what + b"-group"))
        s.record(CGROUPS, varint(7) + name(b"/" + what))
        s.rows(1, row)
    return s.done()


def good_names_odd():
    """Names that are empty, as long as may be and no UTF-8; and records that name nothing."""
    s = Segment().record(HOST).record(USERS).record(CGROUPS)
    s.record(USERS, b"\0" + varint(1) + name(b"") + b"\0" + varint(2) + name(b"\xff\n") + b"\0" + varint(3) +
             name(b"n" * 4096))
    return s.rows(3, [values(UID, 2, 3, 4)]).done()


def good_exes():
    """Executables: all that can be known of one, as little as may be, one that was written anew, and what is longest."""
    same = {"path": b"/usr/bin/dash", "dev": varint(DEVICE), "inode": varint(42), "size": varint(130000)}
    s = Segment().record(EXES).record(EXES, etz.exe(**same, mtime=u64(BOOT), build_id=bytes(range(20)),
                                                    interpreter=b"/lib64/ld-linux-x86-64.so.2"))
    s.rows(1, [const(EXE, 1, 1), const(EXE_DEV, 1, DEVICE + 1), const(EXE_INODE, 1, 43), *strings(b"/usr/bin/dash")])
    s.record(EXES, etz.exe(path=b"memfd:\xff\n") + etz.exe(**same, mtime=u64(BOOT + 1)) +
             etz.exe(path=b"p" * 4096, dev=varint(0), inode=varint((1 << 64) - 1), size=varint(0), mtime=u64(-1),
                     build_id=b"\0" * 64, interpreter=b"i" * 4096))
    return s.done()


def good_exes_redefined():
    """An executable of which a later record says more, and one that a record has twice."""
    same = {"path": b"/bin/ls", "inode": varint(42), "mtime": u64(BOOT)}
    s = Segment().record(EXES, etz.exe(**same)).rows(1)
    s.record(EXES, etz.exe(**same, build_id=b"\x12\x34") + etz.exe(path=b"a", interpreter=b"one") +
             etz.exe(path=b"a", interpreter=b"two"))
    return s.done()


def good_host_twice():
    """HOST says a key twice in a record, and once more in another; a key that nobody knows is kept."""
    s = Segment().record(HOST, b"".join(map(name, (b"hostname", b"one", b"hostname", b"two", b"colour", b"blue"))))
    return s.record(HOST, name(b"hostname") + name(b"three")).rows(1).done()


def good_host_most():
    """256 different keys of HOST, as many as a reader has to keep."""
    return Segment().record(HOST, b"".join(name(b"k%d" % i) + name(b"") for i in range(256))).rows(1).done()


def good_statistics():
    """Statistics that are sets and ranges, of numbers, of times and with unknown ones; and hashes of names."""
    s = Segment()
    s.rows(3, [values(TS, 0, 4, 9), values(PID, 5, 7, 6), values(UID, 0, 1, 1001), values(COMM, 1, 2, 1),
               *strings(b"sh", b"make")], span=9, COMMS=etz.comms(b"sh", b"make"),
           STATS=etz.statistic(TS, 0, 4, 9) + etz.statistic(PID, between=(5, 9)) + etz.statistic(UID, 0, 1, 1001))
    s.rows(17, [values(PID, *range(17)), const(COMM, 17, 0)], at=BOOT + 10, COMMS=b"",
           STATS=etz.statistic(PID, between=(0, 16)))
    return s.done()


def good_comms_most():
    """1,024 names whose hashes are listed, as many as may be."""
    texts = [text for _, text in sorted({etz.comms(b"%x" % i): b"%x" % i for i in range(1100)}.items())[:1024]]
    return Segment().rows(1024, [const(COMM, 1024, 0, etz.FIRST_USE), *strings(*texts)], COMMS=etz.comms(*texts)).done()


def good_seek():
    """Twenty records a second apart, with names among them: what is to be found by halving."""
    s = Segment()
    for i in range(20):
        if i % 6 == 3:
            s.record(USERS, b"\0" + varint(7) + name(b"user-%d" % i))
        s.rows(1, [const(PID, 1, i + 1), const(UID, 1, 8)], at=BOOT + i * SECOND)
    return s.done()


def good_tags_needed():
    """None but the tags that a reader needs: no PLACE, LATEST, STATS, COMMS, STARTED, END_TIME nor STEP_BACK."""
    s = Segment(PROGRAM=None, STARTED=None).rows(2, [values(PID, 1, 2)], PLACE=None)
    s.record(HOST, name(b"hostname") + name(b"x"), PLACE=None)
    s.rows(1, [const(PID, 1, 3)], PLACE=None, LATEST=None)
    return s.end(PLACE=None, KINDS=etz.counts([(EXEC, 3)]), END_TIME=None, REASON=None, STEP_BACK=None).data


def good_unused_bits():
    """Bits of the frame's flags, bytes of padding and bits of COMPAT that mean nothing."""
    s = Segment(COMPAT=u64(1 << 63 | 5), flags=0xffff)
    s.record(HOST, name(b"hostname") + name(b"x"), flags=0x8001)
    # The padding behind a record of names of one byte more than a multiple of eight.
    body = next(b"\0\0" + name(b"u" * i) for i in range(8) if (len(s.place()) + 2 + 3 + i) % 8 == 1)
    s.record(USERS, body, change=lambda data: data[:-7] + b"\xff" * 7)
    return s.rows(1, [const(UID, 1, 1)]).done()


def good_two_segments():
    """Two recordings one behind the other, with names, counts and times of their own."""
    one = Segment().record(USERS, b"\0" + varint(7) + name(b"one")).rows(2, [const(PID, 2, 1), const(UID, 2, 8)]).done()
    two = Segment(file_id=b"abcdefgh")
    return one + two.rows(1, [const(PID, 1, 2), const(UID, 1, 8)], at=5, REALTIME=u64(0), walls=(5, 5)).done()


def good_series():
    """Two of the segments of a recording, one behind the other, and one of another recording with a large number."""
    last = (1 << 64) - 1
    segments = ((b"first id", etz.series(7)), (b"next id.", etz.series(8)), (b"other id", etz.series(last, bytes(8))))
    return b"".join(Segment((), FEW, file_id, SERIES=series).rows(1, [const(PID, 1, i + 1)]).done()
                    for i, (file_id, series) in enumerate(segments))


def good_series_gap():
    """Segments 7 and 9 of a recording: the one between them is missing."""
    return b"".join(Segment((), FEW, file_id, SERIES=etz.series(number)).rows(1, [const(PID, 1, number)]).done()
                    for file_id, number in ((b"first id", 7), (b"third id", 9)))


def good_copies():
    """Captures that overlap, one behind the other: a segment that stands there twice, and one that was copied too early."""
    one = Segment((), FEW).rows(1, [const(PID, 1, 1)]).done()
    two = Segment((), FEW, b"abcdefgh", STARTED=u64(3 * BOOT) + u64(OFFSET)).rows(1, [const(PID, 1, 2)], at=3 * BOOT)
    early = two.data
    return one + early + one + two.rows(1, [const(PID, 1, 3)], at=3 * BOOT + 5).done()


def good_killed():
    """A recorder that was killed between two records: no END."""
    return Segment().rows(2, [values(PID, 1, 2)]).rows(1, [const(PID, 1, 3)]).data


def good_killed_and_more():
    """A recording that was killed, and a whole one behind it."""
    return good_killed() + Segment(file_id=b"abcdefgh").rows(1, [const(PID, 1, 4)]).done()


def good_not_ended():
    """A capture made from one that was not ended, as REASON of its END says."""
    return Segment().rows(1, [const(PID, 1, 1)]).end(REASON=b"not ended; made by hand").footer().data


def good_end_last():
    """A segment without FOOTER."""
    return Segment().rows(1, [const(PID, 1, 1)]).end().data


def good_padding_missing():
    """The last record lacks its padding and nothing else: it is whole."""
    s = Segment().rows(1, [const(PID, 1, 1)]).rows(2, [const(PID, 2, 2), *strings(b"x" * 40), const(COMM, 2, 1)])
    return s.data.rstrip(b"\0")


def good_zeros_behind_end():
    """Zeros behind END and FOOTER, as of a file that had room reserved."""
    return good_end_last() + bytes(100)


def good_cut_behind_end():
    """A FOOTER that is cut off behind END."""
    return Segment().rows(1, [const(PID, 1, 1)]).done()[:-30]


def good_magic_at_end():
    """The beginning of a magic behind END: a record of the same segment that was cut."""
    return good_end_last() + etz.MAGIC[:5]


def good_tags_astray():
    """Tags in records of types that do not have them are passed over, whatever their values are."""
    stray = tag(200, b"later") + tag(300, bytes(10))
    s = Segment().record(HOST, name(b"hostname") + name(b"x"), ROWS=b"\x80", KINDS=b"\xff", COLUMNS=b"?", head=stray)
    s.rows(1, kind=FORK, record_type=CHUNK, END_AT=b"short", REASON=b"of a row record")
    return s.done()


CAPTURES = [value for key, value in list(globals().items()) if key.startswith("good_")]

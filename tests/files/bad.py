"""Captures that break rules of SPEC.md, each one of them, in a place between whole rows."""
import struct

import etz
from etz import (ARGV, BOOT, CAUSE, CHUNK, COMM, EXEC, FAIL, HOST, KIND, LOST, MAGIC, OFFSET, PID, STRINGS, TS, UID,
                 UNTIL, USERS, const, name, raw, strings, tag, u64, values, varint, zstd, zstd_block, zstd_frame)
from segment import Segment

OTHER_ID = b"abcdefgh"
PIDS = values(PID, 2, 3)


def whole(s, pid):
    """A record that nothing is wrong with, of one row."""
    return s.rows(1, [const(PID, 1, pid)])


def flip(at):
    """A bit of the byte there is another; at counts from the end where it is negative."""
    def change(data):
        at_front = at % len(data)
        return data[:at_front] + bytes([data[at_front] ^ 0x20]) + data[at_front + 1:]
    return change


def frame(**values_of):
    """The frame says something else, with a right crc."""
    def change(data):
        kind, head_len, body_len, head_crc, body_crc = struct.unpack_from("<HxxIIII", data, 24)
        claimed = {"kind": kind, "head_len": head_len, "body_len": body_len, "head_crc": head_crc, "body_crc": body_crc,
                   "seq": data[16], **values_of}
        return etz.frame(**claimed) + data[48:]
    return change


def rows(*streams, n=2, **more):
    """A row record of those streams, and tags in the place of what is right."""
    return lambda s: s.rows(n, streams, **more)


def needed(s):
    """One row record after the other that lacks a tag which a reader needs."""
    for lacking in ("ROWS", "TIME", "REALTIME", "KINDS", "COLUMNS"):
        s.rows(1, **{lacking: None})


def head(change):
    """A row record whose head is made from the right tags, a list of ids and values."""
    def put(s):
        streams = [const(KIND, 2, EXEC), const(TS, 2, 0), PIDS]
        tags = [(etz.PLACE, s.place()), (etz.ROWS, varint(2)), (etz.TIME, u64(BOOT) + varint(0)),
                (etz.REALTIME, u64(OFFSET)), (etz.LATEST, u64(s.latest)), (etz.KINDS, etz.counts([(EXEC, 2)])),
                (etz.COLUMNS_TAG, etz.directory(streams))]
        data = b"".join(tag(*entry) if isinstance(entry, tuple) else entry for entry in change(tags))
        s.put(etz.record(CHUNK, data, b"".join(stream[4] for stream in streams), s.seq))
        s.seq += 2
        s.kinds[EXEC] += 2
    return put


def instead(kind, value):
    """The tags with that value of one."""
    return head(lambda tags: [(number, value if number == kind else old) for number, old in tags])


def streams(*exactly):
    """A row record of two rows whose body has those streams and no others."""
    def put(s):
        s.rows(2, exactly, change=lambda _: etz.record(
            CHUNK, etz.tags(PLACE=s.place(), ROWS=varint(2), TIME=u64(BOOT) + varint(0), REALTIME=u64(OFFSET),
                            LATEST=u64(s.latest), KINDS=etz.counts([(EXEC, 2)]), COLUMNS=etz.directory(exactly)),
            b"".join(stream[4] for stream in exactly), s.seq))
    return put


def names(kind, body):
    return lambda s: s.record(kind, body)


def segment_head(**more):
    """A segment whose header breaks a rule, and which is whole but for that; behind it a segment that is whole."""
    one = whole(Segment(), 1).done()
    broken = whole(Segment(file_id=OTHER_ID, **more), 2).done()
    return one + broken + whole(Segment(file_id=b"ABCDEFGH"), 3).done()


def schema(*columns):
    return lambda: segment_head(SCHEMA=etz.schema(*etz.EVERY_COLUMN[:3], *columns))


def bytes_between(data):
    return lambda s: s.put(data)


def copy(s):
    """The record of one row once more."""
    at = s.data.rindex(MAGIC)
    s.put(s.data[at:])


def foreign(s):
    """A record of another segment."""
    s.put(etz.chunk(2, [PIDS], seq=s.seq, file_id=OTHER_ID))


def cut(data, n):
    return lambda: data()[:-n]


def two_rows():
    return whole(Segment(), 1).rows(2, [PIDS, *strings(b"x" * 40), const(COMM, 2, 1)]).data


TABLE = strings(b"sh")
FRAME = zstd_frame(b"\2", zstd_block(b"\2\3"))
# What `zstd -3` makes of 200 bytes, with a checksum of them.
CHECKED = bytes.fromhex("28b52ffd24c8750000380001020304050601003e51c508bf15e450")
SKIPPABLE = b"\x50\x2a\x4d\x18" + struct.pack("<I", 3) + b"???"

# name, sentence, what is put between two records of one row each.
BETWEEN = (
    # 3.1
    ("frame-crc", "A frame whose crc is wrong.", rows(PIDS, change=flip(20))),
    ("magic", "A record whose magic is wrong in a bit.", rows(PIDS, change=flip(3))),
    ("head-crc", "A head whose crc is wrong.", rows(PIDS, change=flip(60))),
    ("body-crc", "A body whose crc is wrong.", rows(PIDS, *TABLE, const(COMM, 2, 1), n=2, change=frame(body_crc=1))),
    ("head-length", "A frame that claims a head of more than 1 MiB.", rows(PIDS, change=frame(head_len=(1 << 20) + 1))),
    ("body-length", "A frame that claims a body of more than 64 MiB.",
     rows(PIDS, change=frame(body_len=(64 << 20) + 1))),
    ("lengths-most", "A frame that claims a head and a body of 4 GiB.",
     rows(PIDS, change=frame(head_len=(1 << 32) - 1, body_len=(1 << 32) - 1))),
    ("bytes-between", "Bytes of no record between two.", bytes_between(b"a hundred bytes that are no record " * 3)),
    ("zeros-between", "A block of zeros between two records.", bytes_between(bytes(512))),
    ("magic-between", "Magic after magic, with no record behind.", bytes_between(MAGIC * 20)),
    # 3.2
    ("tags-order", "Tags that do not ascend.", head(lambda tags: [*tags[:1], *tags[2:3], *tags[1:2], *tags[3:]])),
    ("tag-twice", "A tag that is there twice.", head(lambda tags: [*tags[:2], *tags[1:]])),
    ("tag-zero", "A tag with the id 0.", head(lambda tags: [(0, b""), *tags])),
    ("tag-rest", "A tag with a byte more than its value needs.", instead(etz.TIME, u64(BOOT) + varint(0) + b"\0")),
    ("tag-short", "A tag with a byte less than its value needs.", instead(etz.TIME, u64(BOOT))),
    ("tag-end", "A tag that is longer than the rest of the head.", head(lambda tags: [*tags, varint(99) + varint(9)])),
    ("tags-needed", "Row records that lack ROWS, TIME, REALTIME, KINDS or COLUMNS.", needed),
    ("varint-long", "A varint that is not in its shortest form.", instead(etz.TIME, u64(BOOT) + b"\x80\0")),
    ("varint-large", "A varint over 64 bits.", instead(etz.TIME, u64(0) + b"\xff" * 9 + b"\2")),
    ("varint-endless", "A varint of eleven bytes.", instead(etz.TIME, u64(0) + b"\x80" * 10 + b"\1")),
    ("rows-none", "A row record of no rows.", instead(etz.ROWS, varint(0))),
    ("rows-most", "A row record of 262,145 rows.", rows(n=etz.MAX_ROWS + 1)),
    ("time-over", "A latest ts over 64 bits.", instead(etz.TIME, u64((1 << 64) - 1) + varint(1))),
    ("realtime-most", "REALTIME with 17 offsets.", instead(etz.REALTIME, etz.realtime(OFFSET, *[(1, 1)] * 16))),
    ("realtime-step", "REALTIME with a step of 0.", instead(etz.REALTIME, etz.realtime(OFFSET, (0, 1)))),
    ("realtime-over", "REALTIME with a moment over 64 bits.",
     instead(etz.REALTIME, etz.realtime(OFFSET, ((1 << 64) - BOOT, 1)))),
    ("realtime-half", "REALTIME with a step that has no change.", instead(etz.REALTIME, u64(OFFSET) + varint(1))),
    ("lost-order", "LOST whose causes do not ascend.", rows(PIDS, LOST=etz.counts([(2, 1), (1, 1)]))),
    ("kinds-order", "KINDS that do not ascend.", rows(PIDS, KINDS=etz.counts([(2, 1), (1, 1)]))),
    ("kinds-zero", "KINDS with a kind 0.", rows(PIDS, KINDS=etz.counts([(0, 1), (1, 1)]))),
    ("kinds-most", "KINDS with a kind 16.", rows(PIDS, KINDS=etz.counts([(1, 1), (16, 1)]))),
    ("kinds-sum", "KINDS that do not add up to ROWS.", rows(PIDS, KINDS=etz.counts([(1, 1)]))),
    ("kinds-over", "KINDS whose sum is ROWS modulo 2^64.", rows(PIDS, KINDS=etz.counts([(1, 3), (2, (1 << 64) - 1)]))),
    ("kinds-rows", "KINDS that are not those of the rows.", rows(PIDS, KINDS=etz.counts([(EXEC, 1), (FAIL, 1)]))),
    # 5.5
    ("stats-most", "Statistics of a set of 17 numbers.", rows(PIDS, STATS=etz.statistic(PID, *range(17)))),
    ("stats-order", "Statistics of a set that does not ascend.", rows(PIDS, STATS=etz.statistic(PID, 3, 2))),
    ("stats-range", "Statistics whose least is over the largest.",
     rows(PIDS, STATS=etz.statistic(PID, between=(3, 2)))),
    ("stats-columns", "Statistics whose columns do not ascend.",
     rows(PIDS, STATS=etz.statistic(UID, 0) + etz.statistic(PID, 2, 3))),
    ("comms-order", "COMMS that do not ascend.", rows(PIDS, COMMS=b"\2\0\1\0")),
    ("comms-twice", "COMMS with a hash twice.", rows(PIDS, COMMS=b"\1\0\1\0")),
    ("comms-odd", "COMMS of an odd number of bytes.", rows(PIDS, COMMS=b"\1\0\2")),
    ("comms-most", "COMMS of 1,025 hashes.", rows(PIDS, COMMS=struct.pack("<1025H", *range(1025)))),
    # 5.1
    ("streams-order", "Streams that do not ascend.",
     instead(etz.COLUMNS_TAG, etz.directory([const(TS, 2, 0), const(KIND, 2, EXEC), PIDS]))),
    ("stream-twice", "A stream that is there twice.", rows(PIDS, PIDS)),
    ("stream-part", "A stream of part 2.", rows(PIDS, const(ARGV, 1, 1, part=2))),
    ("stream-column", "A stream of a column that the schema lacks.", rows(PIDS, const(99, 2, 1))),
    ("stream-items", "Items of a column that is no list.", rows(PIDS, const(PID, 2, 1, part=1))),
    ("stream-many", "A stream with more values than rows carry the column.", rows(values(PID, 1, 2, 3))),
    ("stream-few", "A stream with fewer values than rows carry the column.", rows(values(PID, 1))),
    ("stream-empty", "A stream without values, which is to be left out.", rows(PIDS, raw(etz.ERRNO, 0, b""))),
    ("stored-more", "Stored lengths that add up to more than the body.",
     instead(etz.COLUMNS_TAG, etz.directory([const(KIND, 2, EXEC), const(TS, 2, 0), raw(PID, 2, b"123")]))),
    ("stored-less", "Stored lengths that add up to less than the body.",
     instead(etz.COLUMNS_TAG, etz.directory([const(KIND, 2, EXEC), const(TS, 2, 0), raw(PID, 2, b"1")]))),
    ("kind-absent", "A record without the column kind.", streams(const(TS, 2, 0), PIDS)),
    ("ts-absent", "A record without the column ts.", streams(const(KIND, 2, EXEC), PIDS)),
    # 2.5
    ("decoded-most", "Streams that would decode to more than 64 MiB, in 30 bytes.",
     rows(PIDS, const(ARGV, 2, 1), const(STRINGS, 4 << 20, 1 << 40), const(ARGV, 4 << 20, 1 << 40, part=1),
          const(STRINGS, 8 << 20, 65, part=1))),
    ("items-most", "A column of lists with 4,194,305 items.",
     rows(PIDS, const(ARGV, 2, 1), const(ARGV, (4 << 20) + 1, 1, part=1))),
    ("strings-most", "A record of 4,194,305 strings.", rows(PIDS, const(STRINGS, (4 << 20) + 1, 0))),
    ("string-largest", "A string of 2 MiB and a byte.",
     rows(PIDS, const(STRINGS, 1, (2 << 20) + 1), const(STRINGS, (2 << 20) + 1, 65, part=1), const(COMM, 2, 1))),
    ("list-largest", "Lists over 4 MiB by a byte, of one string that is named twice.",
     rows(PIDS, const(STRINGS, 1, 2 << 20), const(STRINGS, 2 << 20, 65, part=1), const(ARGV, 2, 3),
          const(ARGV, 4, 1, part=1))),
    # 5.2
    ("const-length", "A const stream of two bytes for a width of one.", rows((PID, 0, 0, 2, b"\2\3"))),
    ("raw-length", "A raw stream of three bytes for two values of one.", rows(raw(PID, 2, b"\2\3\4"))),
    ("raw-bomb", "A raw stream that claims 262,144 values of eight bytes.",
     rows(raw(PID, etz.MAX_ROWS, b"\1", 3), n=etz.MAX_ROWS)),
    ("zstd-size", "A frame of zstd that says more bytes than there are values.",
     rows(zstd(PID, 2, zstd_frame(b"\3", zstd_block(b"\2\3\4"))))),
    ("zstd-no-size", "A frame of zstd that does not say its size.",
     rows(zstd(PID, 2, zstd_frame(b"", zstd_block(b"\2\3"), descriptor=0, front=b"\x58")))),
    ("zstd-short", "A frame of zstd with fewer bytes than it says.",
     rows(zstd(PID, 2, zstd_frame(b"\2", zstd_block(b"\2"))))),
    ("zstd-bomb", "A frame of zstd with more bytes than it says.",
     rows(zstd(PID, 2, zstd_frame(b"\2", *[zstd_block(b"\2", last=False, repeat=128 << 10)] * 60, zstd_block(b""))))),
    ("zstd-behind", "A byte behind a frame of zstd.", rows(zstd(PID, 2, FRAME + b"\0"))),
    ("zstd-two", "Two frames of zstd in a stream.",
     rows(zstd(PID, 2, zstd_frame(b"\1", zstd_block(b"\2")) + zstd_frame(b"\1", zstd_block(b"\3"))))),
    ("zstd-skippable", "A skippable frame in front of one of zstd.", rows(zstd(PID, 2, SKIPPABLE + FRAME))),
    ("zstd-skippable-behind", "A skippable frame behind one of zstd.", rows(zstd(PID, 2, FRAME + SKIPPABLE))),
    ("zstd-cut", "A frame of zstd that is cut.", rows(zstd(PID, 2, FRAME[:-1]))),
    ("zstd-block", "A frame of zstd with a block of the reserved type.",
     rows(zstd(PID, 2, zstd_frame(b"\2", b"\x17\0\0\2\3")))),
    ("zstd-dictionary", "A frame of zstd that needs a dictionary.",
     rows(zstd(PID, 2, zstd_frame(b"\2", zstd_block(b"\2\3"), descriptor=0x21, front=b"\7")))),
    ("zstd-checksum", "A frame of zstd whose checksum is wrong.", rows(zstd(UID, 200, CHECKED[:-1] + b"\0"), n=200)),
    ("zstd-no-frame", "Bytes that are no frame of zstd.", rows(zstd(PID, 2, b"no frame of zstd"))),
    # 5.3
    ("transform-kind", "The column kind with a transform.", rows(PIDS, const(KIND, 2, 2, etz.DELTA))),
    ("transform-strings", "Lengths of strings with a transform.",
     rows(PIDS, const(STRINGS, 1, 4, etz.DELTA), raw(STRINGS, 2, b"sh", part=1), const(COMM, 2, 1))),
    ("transform-text", "Bytes of strings with a transform.",
     rows(PIDS, const(STRINGS, 1, 2), raw(STRINGS, 2, b"sh", transform=etz.DELTA, part=1), const(COMM, 2, 1))),
    ("by-pid-pid", "The column pid by pid.", rows(const(PID, 2, 0, etz.BY_PID))),
    ("from-pid-ts", "The column ts from pid.", rows(PIDS, const(TS, 2, 0, etz.FROM_PID))),
    ("by-pid-items", "Items of lists by pid.",
     rows(PIDS, *TABLE, const(ARGV, 2, 2), const(ARGV, 2, 0, etz.BY_PID, part=1))),
    ("by-pid-lost", "A column by pid of which not all kinds have one.",
     rows(const(UNTIL, 2, 0, etz.BY_PID), const(CAUSE, 2, 1), kind=etz.LOST_KIND, record_type=LOST)),
    ("ts-outside", "A row whose ts is later than TIME says.", rows(PIDS, values(TS, 0, 6), span=5)),
    ("ts-before", "A row whose ts is earlier than TIME says.",
     rows(PIDS, values(TS, 2, 3, transform=etz.DELTA), span=5)),
    # 5.4
    ("strings-width", "Bytes of strings in a width of two.",
     rows(PIDS, const(STRINGS, 1, 2), raw(STRINGS, 2, b"s\0h\0", 1, part=1), const(COMM, 2, 1))),
    ("strings-nul", "A NUL in a string.", rows(PIDS, *strings(b"a\0b"), const(COMM, 2, 1))),
    ("strings-long", "Strings that are longer than their bytes.",
     rows(PIDS, const(STRINGS, 1, 3), raw(STRINGS, 2, b"sh", part=1), const(COMM, 2, 1))),
    ("strings-short", "Strings that are shorter than their bytes.",
     rows(PIDS, const(STRINGS, 1, 1), raw(STRINGS, 2, b"sh", part=1), const(COMM, 2, 1))),
    ("strings-text-absent", "Strings with a length of which there are no bytes.",
     rows(PIDS, const(STRINGS, 1, 1), const(COMM, 2, 1))),
    ("strings-lengths-absent", "Bytes of strings of which there are no lengths.",
     rows(PIDS, raw(STRINGS, 2, b"sh", part=1))),
    ("string-number", "A string's number over that of the last string.", rows(PIDS, *TABLE, values(COMM, 1, 2))),
    ("string-number-large", "A string's number over 32 bits.", rows(PIDS, *TABLE, const(COMM, 2, (1 << 32) + 1))),
    ("item-zero", "An item 0 of a list.", rows(PIDS, *TABLE, const(ARGV, 2, 2), values(ARGV, 1, 0, part=1))),
    ("item-number", "An item of a list over the last string.",
     rows(PIDS, *TABLE, const(ARGV, 2, 2), values(ARGV, 1, 2, part=1))),
    ("list-more", "Lists of more items than there are.",
     rows(PIDS, *TABLE, const(ARGV, 2, 3), const(ARGV, 3, 1, part=1))),
    ("list-fewer", "Lists of fewer items than there are.",
     rows(PIDS, *TABLE, const(ARGV, 2, 2), const(ARGV, 3, 1, part=1))),
    ("list-over", "Lists whose lengths are right modulo 2^64.",
     rows(PIDS, *TABLE, values(ARGV, 3, (1 << 64) - 1), const(ARGV, 1, 1, part=1))),
    ("later-column", "A column that 1.0 does not know names a string that is not there.",
     rows(PIDS, *TABLE, const(100, 2, 9))),
    # 6.3
    ("seq-back", "A record that is there twice.", copy),
    ("foreign", "A record of another file_id.", foreign),
    # 3.4, 3.5
    ("names-nul", "A NUL in a user's name.", names(USERS, b"\0\1" + name(b"a\0b"))),
    ("names-long", "A cgroup's name of 4,097 bytes.", names(etz.CGROUPS, b"\1" + name(b"a" * 4097))),
    ("names-group", "USERS with a group of 2.", names(USERS, b"\0\1" + name(b"ann") + b"\2\1" + name(b"bob"))),
    ("names-cut", "A name that is longer than its record.", names(USERS, b"\0\1" + varint(9) + b"short")),
    ("host-half", "HOST with a key that has no value.", names(HOST, name(b"hostname"))),
    # 3.8
    *(("exes-" + what, text, names(etz.EXES, etz.exe(path=b"/bin/true") + body)) for what, text, body in (
        ("path-absent", "An executable without a path.", etz.exe(inode=varint(1))),
        ("path-empty", "An executable whose path is empty.", etz.exe(path=b"")),
        ("path-nul", "An executable with a NUL in its path.", etz.exe(path=b"a\0b")),
        ("path-long", "An executable with a path of 4,097 bytes.", etz.exe(path=b"p" * 4097)),
        ("interpreter-nul", "An executable with a NUL in its interpreter.", etz.exe(path=b"a", interpreter=b"\0")),
        ("build-id-long", "An executable with a build-id of 65 bytes.", etz.exe(path=b"a", build_id=bytes(65))),
        ("build-id-empty", "An executable with a build-id of no bytes.", etz.exe(path=b"a", build_id=b"")),
        ("number-rest", "An executable whose size is followed by a byte.", etz.exe(path=b"a", size=b"\1\1")),
        ("time-short", "An executable whose time has seven bytes.", etz.exe(path=b"a", mtime=bytes(7))),
        ("order", "An executable whose tags descend.", varint(6) + tag(3, b"\1") + tag(1, b"a")),
        ("twice", "An executable with two paths.", varint(6) + tag(1, b"a") + tag(1, b"b")),
        ("cut", "An executable that is longer than the rest of the record.", varint(9) + tag(1, b"/bin/ls")[:8]),
        ("tag-cut", "An executable with a tag that is longer than the rest of it.", varint(3) + b"\1\2a" + b"b"),
        ("nothing", "An executable of no bytes.", varint(0)))),
)


def between(put):
    s = whole(Segment([(100, "later", etz.STR, 0, 2)]), 1)
    put(s)
    return whole(s, 9).done()


def many_values():
    """One column more than as many rows as may be can have, 64; none of them has a value in the body."""
    columns = [(number, f"later_{number}", etz.UINT, 0, 2) for number in range(100, 165 - len(etz.EVERY_COLUMN))]
    return whole(whole(Segment(columns), 1).rows(etz.MAX_ROWS), 9).done()


def gap(rows_gone):
    """A record from in front of which so many rows went."""
    s = whole(Segment(), 1)
    s.seq += rows_gone
    s.kinds[EXEC] += rows_gone
    return whole(s, 9).done()


def header_later():
    one, two, three = (whole(Segment(file_id=file_id), pid).done() for pid, file_id in
                       ((1, etz.FILE_ID), (2, OTHER_ID), (3, b"ABCDEFGH")))
    return one + flip(100)(two) + three


# name, sentence, the capture.
ALONE = (
    ("nothing", "A file without a byte.", bytes),
    ("text", "A file that is something else.", lambda: b"not a capture\n"),
    ("zeros", "Nothing but zeros.", lambda: bytes(1000)),
    ("first-record", "A capture that begins with a row record.",
     lambda: whole(Segment(), 1).done()[len(Segment().data):]),
    ("header-head", "A capture whose first header is damaged in its head.",
     lambda: flip(100)(whole(Segment(), 1).done())),
    ("header-frame", "A capture whose first header is damaged in its frame.",
     lambda: flip(20)(whole(Segment(), 1).done())),
    ("header-later", "The header of the second of three segments is damaged in its head.", header_later),
    ("header-needed", "The second segment's header lacks CLOCK.", lambda: segment_head(CLOCK=None)),
    ("series-cut", "The second segment's SERIES ends inside the id.", lambda: segment_head(SERIES=b"shorter")),
    ("series-number", "The second segment's SERIES has an id and no number.", lambda: segment_head(SERIES=b"recorded")),
    ("series-rest", "The second segment's SERIES has a byte behind its number.",
     lambda: segment_head(SERIES=etz.series(1) + b"\0")),
    ("schema-absent", "The second segment's header lacks SCHEMA.", lambda: segment_head(SCHEMA=None)),
    ("schema-order", "A schema whose ids do not ascend.", schema((3, "again", etz.UINT, 0, 2))),
    ("schema-id", "A schema with the id 256.", schema((256, "over", etz.UINT, 0, 2))),
    ("schema-name", "A schema with a name of other characters.", schema((9, "Name", etz.UINT, 0, 2))),
    ("schema-name-empty", "A schema with a column without a name.", schema((9, "", etz.UINT, 0, 2))),
    ("schema-name-long", "A schema with a name of 32 characters.", schema((9, "a" * 32, etz.UINT, 0, 2))),
    ("schema-name-twice", "A schema of two columns of the same name.", schema((9, "pid", etz.UINT, 0, 2))),
    ("schema-cut", "A schema that ends inside a column.",
     lambda: segment_head(SCHEMA=etz.schema(*etz.EVERY_COLUMN)[:-1])),
    ("values-most", "A record of 262,144 rows of 65 columns: more than 16,777,216 values.", many_values),
    ("seq-gap", "A record of which seq says that three rows before it are missing.", lambda: gap(3)),
    ("seq-huge", "A seq near to 2^64.", lambda: gap((1 << 64) - 4)),
    ("cut-frame", "A capture that ends inside a frame.",
     lambda: two_rows()[:len(whole(Segment(), 1).data) + 30]),
    ("cut-magic", "A capture that ends inside a magic.",
     lambda: two_rows()[:len(whole(Segment(), 1).data) + 3]),
    ("cut-head", "A capture that ends inside a head.", lambda: two_rows()[:len(whole(Segment(), 1).data) + 60]),
    ("cut-body", "A capture that ends inside a body.", lambda: two_rows()[:-20]),
    ("cut-first", "A capture that ends inside its file header.", lambda: Segment().data[:200]),
    ("zeros-at-end", "A recording that was killed, with zeros behind it.",
     lambda: whole(Segment(), 1).data + bytes(300)),
    ("cut-and-more", "A capture that ends inside a body, and a whole one behind it.",
     lambda: two_rows()[:-24] + whole(Segment(file_id=OTHER_ID), 4).done()),
)

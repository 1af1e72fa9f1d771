"""What later versions may write (SPEC.md 8): good-later-* this one reads, unsupported-* in part or not at all."""
import etz
from etz import (ARGV, CAUSE, COMM, COUNT, EXEC, HOST, KIND, LIST, LOST, OPT, PID, START, STR, STRINGS, TS, UID, UINT,
                 USERS, const, name, raw, strings, tag, u64, values, varint)
from segment import Segment

OTHER_ID, THIRD_ID = b"abcdefgh", b"ABCDEFGH"
# One of each type, with units that 1.0 has and has not, for rows of kind exec and of kind 7.
COLUMNS = ((200, "io_bytes", UINT, 3, 0x82), (201, "energy", OPT, 200, 0x82), (202, "label", STR, 99, 0x82),
           (203, "environ", LIST, 0, 0x82))
RESERVED_PACKING, RESERVED_TRANSFORM = 3 << 2, 5


def good_later_version():
    """A higher minor version, bits of COMPAT, and a tag of the file header that 1.0 does not know."""
    s = Segment(VERSION=varint(1) + varint(7), COMPAT=u64(0xff))
    head = etz.tags(VERSION=varint(1) + varint(7), COMPAT=u64(0xff), CLOCK=varint(7),
                    SCHEMA=etz.schema(*etz.EVERY_COLUMN)) + tag(25, b"new") + tag(1 << 40, bytes(99))
    s.data = etz.record(etz.FILE_HEADER, head)
    return s.rows(1, [const(PID, 1, 1)]).done()


def good_later_types():
    """Records of types that 1.0 does not know, with bodies and with heads that only their tags' order binds."""
    s = Segment().rows(1, [const(PID, 1, 1)])
    s.record(76, b"a body of its own kind", tag(77, b"more"))
    s.record(77, etz.MAGIC + bytes(9), ROWS=b"", TIME=b"\1", COLUMNS=b"\xff")
    s.record(65535)
    return s.rows(1, [const(PID, 1, 2)]).done()


def good_later_tags():
    """A tag that 1.0 does not know in a record of every type."""
    def more(data):
        """The record anew, with a tag behind the others."""
        head_len, body_len = (int.from_bytes(data[at:at + 4], "little") for at in (28, 32))
        head, body = data[48:48 + head_len], data[48 + head_len:48 + head_len + body_len]
        return etz.record(data[24], head + tag(30, b"of a later version"), body, data[16])
    s = Segment()
    s.data = more(s.data)
    s.record(HOST, name(b"hostname") + name(b"x"), change=more).record(USERS, b"\0\0" + name(b"root"), change=more)
    s.record(etz.CGROUPS, varint(5) + name(b"/five"), change=more)
    s.rows(1, [const(PID, 1, 1), const(UID, 1, 1)], change=more)
    s.rows(1, [const(PID, 1, 2)], kind=etz.PROC_KIND, record_type=etz.PROC, change=more)
    s.rows(1, [const(CAUSE, 1, 1), const(COUNT, 1, 1)], kind=etz.LOST_KIND, record_type=LOST, lost=[(1, 1)],
           change=more)
    return s.end().data


def good_later_exes():
    """Executables with tags that 1.0 does not know."""
    more = tag(8, b"of a later version") + tag(1 << 40, b"")
    one = tag(1, b"/bin/ls") + tag(3, varint(42)) + more
    return Segment().record(etz.EXES, varint(len(one)) + one + etz.exe(path=b"/bin/cp")).rows(1).done()


def good_later_columns():
    """Columns of every type that 1.0 does not know, two of them in units that it does not know."""
    s = Segment(COLUMNS)
    s.rows(3, [const(PID, 3, 1), values(200, 0, 7, (1 << 64) - 2), values(201, 0, 1, 8), values(202, 1, 2, 0),
               values(203, 2, 1, 0), const(203, 1, 2, part=1), *strings(b"blue", b"A=\xff")])
    return s.done()


def good_later_kind():
    """Rows of a kind that 1.0 does not know, with columns that it knows and others."""
    columns = [(number, text, kind, unit, kinds | (0x80 if number in (KIND, TS, PID, COMM) else 0))
               for number, text, kind, unit, kinds in etz.EVERY_COLUMN]
    s = Segment(COLUMNS, columns)
    s.rows(3, [values(KIND, 1, 7, 7), values(PID, 1, 2, 3), values(200, 5, 6, 7), values(COMM, 1, 1, 2),
               *strings(b"sh", b"new")], kinds={EXEC: 1, 7: 2})
    return s.done()


def good_later_cause():
    """Events lost for a cause that 1.0 does not know, beside one that it knows."""
    s = Segment().rows(1, [const(PID, 1, 1)])
    s.rows(2, [values(COUNT, 4, 3), values(CAUSE, 1, 9)], kind=etz.LOST_KIND, record_type=LOST, lost=[(1, 4), (9, 3)])
    return s.done()


def good_later_statistics():
    """Statistics of a column that 1.0 does not know, and of one that it knows."""
    s = Segment(COLUMNS)
    s.rows(2, [values(PID, 4, 6), values(200, 1, 2)],
           STATS=etz.statistic(PID, 4, 6) + etz.statistic(200, 1, 2) + etz.statistic(201, between=(0, 0)))
    return s.done()


def refused(**tags):
    """A segment that cannot be read, with names and rows of its own, between two that can."""
    one = Segment().rows(1, [const(PID, 1, 1)]).done()
    two = Segment(file_id=OTHER_ID, **tags).record(USERS, b"?").rows(2, [const(PID, 2, 2)], at=5).done()
    return one + two + Segment(file_id=THIRD_ID).rows(1, [const(PID, 1, 3)]).done()


def unsupported_major():
    """A segment of major version 2 between two of version 1."""
    return refused(VERSION=varint(2) + varint(0))


def unsupported_major_schema():
    """A segment of major version 2 whose schema 1.0 would call corrupt: refused for its version all the same."""
    return refused(VERSION=varint(2) + varint(0), SCHEMA=b"\xff\xff")


def unsupported_incompat():
    """A segment with a bit of INCOMPAT between two without."""
    return refused(INCOMPAT=u64(1 << 40))


def unsupported_clock():
    """A segment whose times are of CLOCK_MONOTONIC between two that 1.0 can read."""
    return refused(CLOCK=varint(1))


def unsupported_alone():
    """Nothing but a segment of major version 2."""
    return Segment(VERSION=varint(2) + varint(0)).rows(1, [const(PID, 1, 1)]).done()


def unsupported_first():
    """A segment of major version 2 in front of one of version 1."""
    return unsupported_alone() + Segment(file_id=OTHER_ID).rows(1, [const(PID, 1, 2)]).done()


def coded(*streams):
    """A record with a stream in a code that is reserved, and one that can be read behind it."""
    return Segment().rows(2, streams).rows(1, [const(PID, 1, 9), const(UID, 1, 8)]).done()


def unsupported_packing():
    """A column in the reserved packing: the others are shown, and so is this one where it can be."""
    return coded(values(PID, 1, 2), (UID, 0, RESERVED_PACKING, 2, b"??"), const(etz.EXEC_TS, 2, 5))


def unsupported_transform():
    """A column with a reserved transform."""
    return coded(values(PID, 1, 2), values(UID, 1, 2, transform=RESERVED_TRANSFORM), *strings(b"sh"), const(COMM, 2, 1))


def unsupported_strings():
    """Strings in the reserved packing: no string and no list can be shown, but all numbers."""
    return coded(values(PID, 1, 2), const(STRINGS, 1, 2), (STRINGS, 1, RESERVED_PACKING, 2, b"??"), const(COMM, 2, 1),
                 const(ARGV, 2, 2), const(ARGV, 2, 1, part=1), const(UID, 2, 6))


def unsupported_items():
    """The items of lists with a reserved transform: the lists cannot be shown, other strings can."""
    return coded(values(PID, 1, 2), *strings(b"sh"), const(COMM, 2, 1), const(ARGV, 2, 2),
                 const(ARGV, 2, 1, transform=RESERVED_TRANSFORM, part=1))


def unsupported_pid():
    """The column pid in the reserved packing, and with it those coded by pid and from pid."""
    return coded((PID, 0, RESERVED_PACKING, 2, b"??"), const(START, 2, 3, etz.BY_PID),
                 const(etz.TID, 2, 3, etz.FROM_PID), const(UID, 2, 6))


def unsupported_ts():
    """The column ts with a reserved transform: the rows of the record cannot be shown."""
    return coded(values(PID, 1, 2), const(TS, 2, 0, RESERVED_TRANSFORM))


def unsupported_kind():
    """The column kind in the reserved packing: the rows of the record cannot be shown."""
    return coded(values(PID, 1, 2), (KIND, 0, RESERVED_PACKING, 2, b"??"))


def unsupported_column_type():
    """A column of a type that 1.0 does not know, with a stream of part 1: the others are shown."""
    s = Segment([(210, "histogram", 5, 0, 0x02)])
    s.rows(2, [values(PID, 1, 2), const(210, 2, 3), raw(210, 5, b"12345", part=1)])
    return s.rows(1, [const(PID, 1, 3)]).done()


def unsupported_host_keys():
    """257 keys of HOST, one more than a reader has to keep: it says so."""
    return Segment().record(HOST, b"".join(name(b"k%d" % i) + name(b"") for i in range(257))).rows(1).done()


CAPTURES = [value for key, value in list(globals().items()) if key.startswith(("good_", "unsupported_"))]

"""Captures whose checksums are right and whose rows can be read, and that say what is not so: only verify finds it."""
import etz
from etz import (BOOT, CAUSE, CGROUPS, CHUNK, COMM, COUNT, EXEC, EXIT, LOST, MAGIC, OFFSET, PID, PROC, TS, UID, USERS,
                 const, name, strings, u64, values, varint)
from segment import Segment


def rows(*streams, n=2, **more):
    """A record of those rows between two of one row each."""
    def capture():
        s = Segment().rows(1, [const(PID, 1, 1)])
        s.rows(n, [values(PID, *range(2, 2 + n)), *streams], at=BOOT + 1000, **more)
        return s.rows(1, [const(PID, 1, 9)], at=BOOT + 2000).done()
    return capture


def last(**more):
    """A row, and END with a tag that is not so."""
    return lambda: Segment().rows(2, [values(PID, 1, 2)]).end(**more).footer().data


def closed(**more):
    """A row, END, and FOOTER with a tag that is not so."""
    return lambda: Segment().rows(2, [values(PID, 1, 2)]).end().footer(**more).data


def behind_end(put):
    """Something between END and FOOTER."""
    def capture():
        s = Segment().rows(1, [const(PID, 1, 1)]).end()
        put(s)
        return s.footer().data
    return capture


def second_end(s):
    at = s.end_at
    s.end()
    s.end_at = at


def lost(count, **more):
    """A row of kind lost, and other counts in the heads."""
    def capture():
        s = Segment().rows(1, [const(PID, 1, 1)])
        s.rows(1, [const(COUNT, 1, 5), const(CAUSE, 1, 1)], kind=etz.LOST_KIND, record_type=LOST, lost=[(1, count)])
        return s.rows(1, [const(PID, 1, 2)], **more).done()
    return capture


def place_back():
    s = Segment().record(USERS, b"\0\1" + name(b"ann")).record(CGROUPS, b"\1" + name(b"/x"))
    at = len(s.data)
    return s.rows(1, [const(PID, 1, 1)], PLACE=etz.place(at, at - len(Segment().data))).done()


def place_exes():
    s = Segment().record(USERS, b"\0\1" + name(b"ann")).record(etz.EXES, etz.exe(path=b"/bin/ls"))
    at = len(s.data)
    return s.rows(1, [const(PID, 1, 1)], PLACE=etz.place(at, at - len(Segment().data))).done()


def latest_shrinks():
    s = Segment().rows(1, [const(PID, 1, 1)], at=BOOT + 1000).rows(1, [const(PID, 1, 2)], at=BOOT + 1000)
    return s.rows(1, [const(PID, 1, 3)], at=BOOT + 900, LATEST=u64(BOOT + 999 + OFFSET)).done()


def latest_of_lost():
    """until is later than LATEST of the record behind."""
    s = Segment().rows(1, [const(COUNT, 1, 5), const(CAUSE, 1, 1), const(etz.UNTIL, 1, BOOT + 501)], kind=etz.LOST_KIND,
                       record_type=LOST, lost=[(1, 5)])
    return s.rows(1, [const(PID, 1, 2)], at=BOOT + 400, LATEST=u64(BOOT + 499 + OFFSET)).end(STEP_BACK=varint(200)).data


def step_back():
    s = Segment().rows(1, [const(PID, 1, 1)], at=BOOT + 1000).rows(1, [const(PID, 1, 2)], at=BOOT)
    return s.end(STEP_BACK=varint(999)).data


def step_back_clock():
    """By the ts alone there is no step back."""
    s = Segment().rows(1, [const(PID, 1, 1)])
    wall = BOOT + 10 + OFFSET - 10**9
    return s.rows(1, [const(PID, 1, 2)], at=BOOT + 10, REALTIME=u64(OFFSET - 10**9), walls=(wall, wall)).end(
        STEP_BACK=varint(0)).data


def mixed_record(kind, record_type):
    return rows(kind=kind, record_type=record_type)


SHELL = (const(COMM, 2, 1), *strings(b"sh"))
# name, sentence, the capture.
LIES = (
    ("place", "A PLACE that is not where the record stands.", rows(PLACE=etz.place(8))),
    ("place-back", "A PLACE that leads back past a record of names.", place_back),
    ("place-exes", "A PLACE that leads back past a record of executables.", place_exes),
    ("time-early", "TIME begins before the first row.", rows(const(TS, 2, 5), span=5)),
    ("time-late", "TIME ends behind the last row.", rows(const(TS, 2, 0), span=5)),
    ("latest", "LATEST is before a row that came before.", rows(LATEST=u64(BOOT + OFFSET - 1))),
    ("latest-shrinks", "LATEST gets smaller.", latest_shrinks),
    ("latest-lost", "LATEST is before the end of a span in which events were lost.", latest_of_lost),
    ("step-back", "STEP_BACK is a nanosecond less than a row's.", step_back),
    ("step-back-clock", "STEP_BACK does not count that the wall clock was set back.", step_back_clock),
    ("kinds-in-chunk", "A row of kind proc in a CHUNK.", mixed_record(etz.PROC_KIND, CHUNK)),
    ("kinds-in-proc", "Rows of kind exec in a PROC.", mixed_record(EXEC, PROC)),
    ("kinds-in-lost", "Rows of kind exit in a LOST.", mixed_record(EXIT, LOST)),
    ("lost-shrinks", "LOST counts fewer events than the record before.", lost(5, LOST=etz.counts([(1, 4)]))),
    ("lost-sum", "LOST of END is more than the rows of kind lost tell.", lost(6)),
    ("stats-set", "Statistics of a set that leaves out a value.", rows(STATS=etz.statistic(PID, 2))),
    ("stats-set-more", "Statistics of a set with a value that no row has.", rows(STATS=etz.statistic(PID, 2, 3, 4))),
    ("stats-range", "Statistics of a range that leaves out a value.", rows(STATS=etz.statistic(PID, between=(0, 2)))),
    ("stats-unknown", "Statistics that leave out a value that is not known.",
     rows(values(UID, 0, 7), STATS=etz.statistic(UID, 7))),
    ("stats-unknown-more", "Statistics with a value that is not known, and all are.",
     rows(const(UID, 2, 7), STATS=etz.statistic(UID, 0, 7))),
    ("stats-unknown-range", "Statistics of a range that leaves out a value that is not known.",
     rows(values(UID, 0, 7), STATS=etz.statistic(UID, between=(1, 7)))),
    ("stats-ts", "Statistics of ts that leave out a moment.",
     rows(values(TS, 0, 5), span=5, STATS=etz.statistic(TS, 0))),
    ("comms", "COMMS that leave out a name.", rows(*SHELL, COMMS=b"")),
    ("comms-more", "COMMS with a name that no row has.", rows(*SHELL, COMMS=etz.comms(b"sh", b"make"))),
    ("strings-unused", "A string that no row uses.", rows(const(COMM, 2, 1), *strings(b"sh", b"secret"))),
    ("strings-order", "Strings that are not numbered by first use.",
     rows(values(COMM, 2, 1), *strings(b"sh", b"make"))),
    ("strings-twice", "A string that is in the table twice.", rows(values(COMM, 1, 2), *strings(b"sh", b"sh"))),
    ("magic", "A record with magic and file_id in its body.", rows(const(COMM, 2, 1), *strings(MAGIC + etz.FILE_ID))),
    ("magic-head", "A record with magic and file_id in its head.", last(REASON=MAGIC + etz.FILE_ID)),
    ("end-kinds", "KINDS of END are not those of the rows.", last(KINDS=etz.counts([(EXEC, 3)]))),
    ("end-kinds-absent", "END has no KINDS, and there were rows.", last(KINDS=None)),
    ("end-twice", "A second END.", behind_end(second_end)),
    ("rows-behind-end", "A row record behind END.", behind_end(lambda s: s.rows(1, [const(PID, 1, 2)]))),
    ("names-behind-end", "A record of names between END and FOOTER.",
     behind_end(lambda s: s.record(USERS, b"\0\1" + name(b"ann")))),
    ("footer-end", "FOOTER says that END is elsewhere.", closed(END_AT=u64(8))),
    ("footer-length", "FOOTER says another length of the segment.", closed(SEGMENT_LEN=u64(8))),
    ("footer-alone", "FOOTER without END.", lambda: Segment().rows(1, [const(PID, 1, 1)]).footer().data),
)

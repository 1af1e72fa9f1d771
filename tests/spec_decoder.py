#!/usr/bin/env python3
"""An independent reader of .etz captures, written from SPEC.md and nothing else: spec_decoder.py FILE

Prints each event as a line of JSON, with the fields of `exectrace replay --json` but for what that works out (duration,
error, signal_name), in the order of the file. Its worth is that it shares nothing with format/: where the two differ,
one of them or SPEC.md is wrong. So it changes when SPEC.md does, and never only to agree. What only a writer has to
keep is for spec_check.py, which imports this. Numbers are sections of SPEC.md. Needs the command zstd.

Faults go to standard error as `byte N: SECTION: what`. Exit code: 0; 3 if anything was damaged, cut off, missing or
not supported; 1 if FILE is no capture.
"""
import base64
import json
import re
import struct
import sys
import zlib
from collections import namedtuple
from datetime import datetime, timedelta
from itertools import accumulate

from spec_rows import (C_KIND, C_PID, C_TS, LIST, MIB, STR, U64, UINT, Column, Corrupt, Cursor, Rows, Stream, ascend,
                       demand, signed, unzigzag)

MAGIC = b"\x89ETZ\r\n\x1a\n"
FRAME = struct.Struct("<8s8sQHHIIIII")
FILE_HEADER, CHUNK, PROC, LOST, HOST, USERS, CGROUPS, END, FOOTER, EXES = range(1, 11)
HEAD, ROWS, STOP, LAST = (FILE_HEADER,), (CHUNK, PROC, LOST), (END,), (FOOTER,)
PLACED = (*range(CHUNK, FOOTER), EXES)
TAGS = {    # 3.2: name, form as in Cursor.form, types of record
    1: ("VERSION", "vv", HEAD), 2: ("INCOMPAT", "8", HEAD), 3: ("COMPAT", "8", HEAD), 4: ("BOOT_ID", "88", HEAD),
    5: ("CLOCK", "v", HEAD), 6: ("PROGRAM", "*1", HEAD), 7: ("SCHEMA", "*v112n", HEAD), 8: ("STARTED", "88", HEAD),
    9: ("PLACE", "vv", PLACED), 10: ("ROWS", "v", ROWS), 11: ("TIME", "8v", ROWS), 12: ("REALTIME", "8*vv", ROWS),
    13: ("LATEST", "8", ROWS), 14: ("LOST", "*vv", ROWS + STOP), 15: ("KINDS", "*vv", ROWS + STOP),
    16: ("STATS", "*vs", ROWS), 17: ("COMMS", "*2", ROWS), 18: ("COLUMNS", "*v11vv", ROWS),
    19: ("END_TIME", "88", STOP), 20: ("REASON", "*1", STOP), 21: ("STEP_BACK", "v", STOP), 22: ("END_AT", "8", LAST),
    23: ("SEGMENT_LEN", "8", LAST), 24: ("SERIES", "8v", HEAD)}
NEEDED = {FILE_HEADER: {1, 5, 7}, **dict.fromkeys(ROWS, {10, 11, 12, 15, 18})}
NAMES = {HOST: "*nn", USERS: "*1vn", CGROUPS: "*vn", EXES: None}
EXE_TAGS = {1: ("path", "p"), 2: ("dev", "v"), 3: ("inode", "v"), 4: ("size", "v"), 5: ("mtime", "8"),
            6: ("build_id", "b"), 7: ("interpreter", "p")}     # 3.8: name, form
FLAG, CGROUP, KIND, CAUSE, DEV = 4, 7, 8, 9, 12
WORDS = {KIND: dict(enumerate(("exec", "fail", "fork", "exit", "proc", "lost"), 1)),
         CAUSE: dict(enumerate(("ring_full", "busy", "follow_full", "write_failed", "unreadable", "damaged",
                                "skipped", "shed"), 1))}
C_UID, C_GID, C_LOGIN_UID = 7, 8, 35
Record = namedtuple("Record", "at file_id seq type flags head body head_ok body_ok end")


def frame(data, at):
    """3.1: the record there, None if there is none, or less than `end` of it if data ends inside."""
    if at + FRAME.size > len(data) or not data.startswith(MAGIC, at):
        return None
    _, file_id, seq, kind, flags, head, body, head_crc, body_crc, crc = FRAME.unpack_from(data, at)
    if crc != zlib.crc32(data[at:at + 44]) or head > MIB or body > 64 * MIB:
        return None
    parts = data[at + 48:at + 48 + head], data[at + 48 + head:at + 48 + head + body]
    crcs = [zlib.crc32(part) == crc for part, crc in zip(parts, (head_crc, body_crc))]
    return Record(at, file_id, seq, kind, flags, *parts, *crcs, at + 48 + head + body)


def split_head(head):
    """3.2: the tags and their values."""
    cursor, last = Cursor(head), 0
    while cursor.at < len(head):
        number, value = cursor.one("v"), cursor.take(cursor.one("v"))
        demand(number > last, "3.2: the tags do not ascend")
        last = number
        yield number, value


def parse_exes(body):
    """3.8: the executables, each as what is known of it by name."""
    cursor, exes = Cursor(body), []
    while cursor.at < len(body):
        exe, raw = {}, dict(split_head(cursor.take(cursor.one("v"))))
        for name, form, value in ((*EXE_TAGS[i], raw[i]) for i in raw if i in EXE_TAGS):
            most = {"p": 4096, "b": 64}.get(form)
            demand(not most or 1 <= len(value) <= most and (form == "b" or 0 not in value), f"3.8: {name}")
            exe[name] = value if most else Cursor(value).form(form)
        demand("path" in exe, "3.8: an executable without PATH")
        exes.append({**exe, **({"mtime": signed(exe["mtime"])} if "mtime" in exe else {})})
    return exes


def parse_tags(kind, raw):
    """3.2, 3.6, 5.5: by name, the tags that this type of record has."""
    tags = {TAGS[i][0]: Cursor(raw[i]).form(TAGS[i][1]) for i in raw if i in TAGS and kind in TAGS[i][2]}
    demand(NEEDED.get(kind, set()) <= raw.keys(), "3.2: a needed tag is absent")
    for name, low, high in (("LOST", 1, U64), ("KINDS", 1, 15), ("STATS", 1, 255)):
        demand(ascend([item[0] for item in tags.get(name, ())], low, high), f"3.2: the ids of {name}")
        tags.update({name: dict(tags[name])} if name in tags and name != "STATS" else {})
    demand(all(ascend(v) if n else v[0] <= v[1] for _, (n, v) in tags.get("STATS", ())), "5.5: STATS do not ascend")
    comms = tags.get("COMMS", ())
    demand(ascend(list(comms)) and len(comms) <= 1024, "5.5: COMMS do not ascend, or are too many")
    if kind in ROWS:
        earliest, (offset, steps) = tags["TIME"][0], tags["REALTIME"]
        demand(1 <= tags["ROWS"] <= 1 << 18, "2.5: no rows, or too many")
        demand(sum(tags["KINDS"].values()) == tags["ROWS"], "3.2: KINDS do not add up to ROWS")
        demand(len(steps) < 16 and all(step for step, _ in steps), "3.6: over 16 offsets, or a step of 0")
        moments = list(accumulate((step for step, _ in steps), initial=earliest))
        tags["OFFSETS"] = moments, list(accumulate((unzigzag(change) for _, change in steps), initial=offset))
        demand(max(sum(tags["TIME"]), moments[-1]) <= U64, "3.2: TIME or REALTIME is over 64 bits")
        tags["COLUMNS"] = [Stream(c, part, 1 << (code & 3), code >> 2 & 3, code >> 4, n, stored)
                           for c, part, code, n, stored in tags["COLUMNS"]]
    return tags


def parse_schema(items):
    """4.1: the columns by id."""
    schema = {item[0]: Column(*item[:4], item[4].decode("latin-1")) for item in items}
    demand(ascend([item[0] for item in items], 1, 255), "4.1: the ids of the columns")
    demand(all(re.fullmatch("[a-z0-9_]{1,31}", column.name) for column in schema.values()), "4.1: a column's name")
    demand(len({column.name for column in schema.values()}) == len(schema), "4.1: two columns of one name")
    demand(all(schema[i].type == UINT if i in schema else i == C_PID for i in (C_KIND, C_TS, C_PID)), "4.1: kind, ts")
    return schema


class Segment:
    """What holds for the records behind a FILE_HEADER; refused: none of them is read, 6.1."""
    def __init__(self, header=None, schema=(), refused=False, started=None):
        self.header, self.schema, self.refused, self.started = header, schema, refused, started
        self.counted, self.ended, self.names, self.exes = 0, False, {}, {}

    def learn(self, record):
        """3.4, 3.5, 3.8: the names of a record, all or none."""
        if record.type == EXES:
            self.exes.update((tuple(exe.get(key) for key in ("path", "dev", "inode", "size", "mtime")), exe)
                             for exe in parse_exes(record.body))
            return
        items = Cursor(record.body).form(NAMES[record.type])
        demand(record.type != USERS or all(group <= 1 for group, *_ in items), "3.5: neither user nor group")
        self.names.update(((record.type, *key), name) for *key, name in items)

    def as_json(self, row, wall):
        """4.1: an event as replay shows it: absent is what is not known."""
        event = {"time": timestamp(wall)}
        for column, value in row:
            if value is None or column.unit == FLAG and column.type == UINT and not value:
                continue
            name, user = column.name, {C_UID: ("user", 0), C_GID: ("group", 1), C_LOGIN_UID: ("login_user", 0)}.get(column.id)
            if column.type in (STR, LIST):
                put_text(event, name, value)
            elif column.unit == CGROUP and (CGROUPS, value) in self.names:
                put_text(event, name, self.names[CGROUPS, value])
            elif column.unit == DEV:
                event[name] = f"{value >> 20}:{value & 0xfffff}"
            elif column.unit in WORDS:
                event[name] = WORDS[column.unit].get(value, f"unknown_{value}")
            else:
                event[name + "_id" * (column.unit == CGROUP)] = True if column.unit == FLAG else value
            if user and (USERS, user[1], value) in self.names:
                put_text(event, user[0], self.names[USERS, user[1], value])
        return event


def timestamp(wall):
    return f"{datetime(1970, 1, 1) + timedelta(seconds=wall // 10**9):%Y-%m-%dT%H:%M:%S}.{wall % 10**9:09}Z"


def put_text(event, name, value):
    """2.3: a string or a list; where bytes are not UTF-8, a U+FFFD for each, and the exact ones in NAME_b64."""
    items = value if isinstance(value, list) else [value]
    texts = [item.decode("utf-8", "surrogateescape") for item in items]
    shown = [re.sub("[\udc80-\udcff]", "\ufffd", text) for text in texts]
    exact = [None if a == b else base64.b64encode(item).decode() for a, b, item in zip(texts, shown, items)]
    event[name] = shown if items is value else shown[0]
    if any(exact):
        event[name + "_b64"] = exact if items is value else exact[0]


class Reader:
    """Section 6. fault(offset, what, missing) is told what is wrong; missing: whether the events may lack for it."""
    def __init__(self, data, fault):
        self.data, self.fault, self.segment = data, fault, Segment()

    def records(self):
        """6.1: of each record that is read (itself, tags by id, tags by name, Rows of a row record)."""
        first = frame(self.data, 0)
        demand(first and first.type == FILE_HEADER and first.end <= len(self.data), "6.1: not a capture")
        for record in self.frames():
            if self.segment.refused and record.type != FILE_HEADER:
                continue
            try:
                yield (record, *self.take(record))
            except Corrupt as error:
                self.fault(record.at, str(error), True)
                demand(self.segment.header, f"6.1: not a capture: {error}")
        self.close(len(self.data))

    def events(self):
        """The events of all records, each segment's with all names that it has, 3.3, and of copies one, 6.3."""
        segment, held, taken = self.segment, [], set()
        for record, _, _, rows in self.records():
            if self.segment is not segment:
                yield from (segment.as_json(*event) for rows in held for event in rows.events())
                segment, held = self.segment, []
            row = record.file_id, self.segment.started, record.seq
            held += [rows] if rows and row not in taken else []
            taken.update([row] if rows else [])
        yield from (segment.as_json(*event) for rows in held for event in rows.events())

    def frames(self):
        """6.2: the records with a valid frame that are there whole."""
        at, size = 0, len(self.data)
        while at < size:
            record, rest = frame(self.data, at), self.data[at:at + 48]
            if record and record.end <= size:
                yield record
                at = record.end + (at - record.end) % 8
                continue
            if record or len(rest) < 48 and rest[:8] == MAGIC[:len(rest)] or not any(self.data[at:]):
                follows = (MAGIC + self.segment.header.file_id).startswith(rest[:16]) or not any(rest)
                if not self.segment.refused and not (self.segment.ended and follows):
                    self.fault(at, "6.2: truncated", True)
                return
            found = self.data.find(MAGIC, at + 1)
            while found >= 0 and not frame(self.data, found):
                found = self.data.find(MAGIC, found + 1)
            if not self.segment.refused:
                self.fault(at, "6.2: no valid record", True)
            at = found if found > 0 else size

    def take(self, record):
        """6.2: what record says, or why it is passed over."""
        if record.type == FILE_HEADER:
            return self.begin(record)
        demand(record.file_id == self.segment.header.file_id, "6.2: a record of another segment")
        demand(record.head_ok, "3.1: head_crc is wrong")
        raw = dict(split_head(record.head))
        tags, rows = parse_tags(record.type, raw), None
        self.count(record, tags.get("ROWS", 0))
        demand(record.body_ok or record.type not in range(FILE_HEADER, EXES + 1), "3.1: body_crc is wrong")
        if record.type in ROWS:
            rows = Rows(self.segment.schema, tags, record.body)
            for i in sorted(rows.missing):
                self.fault(record.at, f"5.2: column {i} is coded in an unknown way", True)
        if record.type in NAMES:
            self.segment.learn(record)
        self.segment.ended |= record.type == END
        return raw, tags, rows

    def begin(self, record):
        """6.1: takes a FILE_HEADER."""
        demand(record.head_ok and record.body_ok, "3.1: a crc is wrong")
        raw = {}
        try:
            for number, value in split_head(record.head):
                raw[number] = value
        finally:
            major, clock = (Cursor(raw.get(i, known)).one("v") for i, known in ((1, b"\1"), (5, b"\7")))
            if major != 1 or clock != 7 or any(raw.get(2, b"")):
                self.close(record.at)
                self.segment = Segment(record, refused=True)
                raise Corrupt("6.1: the segment is refused: a major version, CLOCK or bit of INCOMPAT is not known")
        tags = parse_tags(FILE_HEADER, raw)
        schema = parse_schema(tags["SCHEMA"])
        self.close(record.at)
        self.segment = Segment(record, schema, started=tuple(tags.get("STARTED", ())))
        self.count(record, 0)
        for column in schema.values():
            if not UINT <= column.type <= LIST:
                self.fault(record.at, f"8: column {column.name} is left out, its type is not known", True)
        return raw, tags, None

    def count(self, record, rows):
        """6.3"""
        missing = record.seq - self.segment.counted
        demand(missing >= 0, "6.3: a copy, or a record that stood elsewhere")
        self.segment.counted = record.seq + rows
        if missing:
            self.fault(record.at, f"6.3: {missing} rows are missing before it", True)

    def close(self, at):
        segment = self.segment
        if segment.header and not segment.ended and not segment.refused:
            self.fault(at, "6.2: the segment before has no END", False)


def main(path):
    missed = []

    def fault(at, what, missing):
        missed.extend([at] * missing)
        print(f"byte {at}: {what}", file=sys.stderr)

    with open(path, "rb") as file:
        reader = Reader(file.read(), fault)
    try:
        for event in reader.events():
            print(json.dumps(event))
    except Corrupt as error:
        sys.exit(f"spec_decoder: {error}")
    return 3 if missed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) == 2 else "usage: spec_decoder.py FILE")

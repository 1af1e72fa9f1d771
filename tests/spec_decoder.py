#!/usr/bin/env python3
"""An independent reader of .etz captures, written from SPEC.md and nothing else.

    spec_decoder.py FILE            every event as a line of JSON, in the order of the file
    spec_decoder.py --check FILE    holds the file to everything that SPEC.md says of it

Its worth is that it shares nothing with format/: where the two differ, one of
them or SPEC.md is wrong. So it changes when SPEC.md does, and never only to
agree with the other. Numbers in comments are sections of SPEC.md.

Needs the command zstd. Faults go to standard error, with --check to standard
output, each with the offset of its record; the exit code is then 3. A segment
without END is told and is no fault. Without --check only what a reader has to
notice is a fault, with it also what a writer has to keep.
"""
import base64
import bisect
import collections
import datetime
import json
import re
import struct
import subprocess
import sys
import zlib

MAGIC = b"\x89ETZ\r\n\x1a\n"
HEADER = struct.Struct("<8s8sQHHIIIII")
TYPES = {1: "FILE_HEADER", 2: "CHUNK", 3: "PROC", 4: "LOST", 5: "HOST", 6: "USERS", 7: "CGROUPS", 8: "CLOCK",
         9: "END", 10: "INDEX", 11: "FOOTER"}
ROW_KINDS = {"CHUNK": {1, 2, 3, 4}, "PROC": {5}, "LOST": {6}}
AFTER = {"END": "INDEX", "INDEX": "FOOTER", "FOOTER": None}
NEEDED = dict.fromkeys(ROW_KINDS, {"ROWS", "TIME", "REALTIME", "KINDS", "COLUMNS"})
NEEDED["FILE_HEADER"] = {"VERSION", "CLOCK", "SCHEMA"}
# Of tags and bodies, what a value is made of, in the letters of Cursor.read; "*": any number of such.
TAGS = {1: ("VERSION", "vv"), 2: ("INCOMPAT", "q"), 3: ("COMPAT", "q"), 4: ("BOOT_ID", "qq"), 5: ("CLOCK", "v"),
        6: ("PROGRAM", "r"), 7: ("SCHEMA", "vbbhn*"), 8: ("ROWS", "v"), 9: ("TIME", "qv"), 10: ("REALTIME", "q"),
        11: ("LOST", "vv*"), 12: ("KINDS", "vv*"), 13: ("STATS", "s*"), 14: ("COLUMNS", "vbbvv*"),
        15: ("END_TIME", "q"), 16: ("REASON", "r"), 17: ("INDEX_AT", "q"), 18: ("SEGMENT_LEN", "q")}
BODIES = {"HOST": "nn", "USERS": "bvn", "CGROUPS": "vn", "CLOCK": "qq", "INDEX": "i"}
KINDS = {1: "exec", 2: "fail", 3: "fork", 4: "exit", 5: "proc", 6: "lost"}
CAUSES = {1: "ring_full", 2: "busy", 3: "follow_full", 4: "write_failed", 5: "unreadable"}
UINT, OPT, STR, LIST = 1, 2, 3, 4                               # types of columns
FLAG, CGROUP, KIND, CAUSE = 4, 7, 8, 9                          # units of columns
C_STRINGS, C_KIND, C_TS, C_PID, C_UID, C_GID, C_COUNT, C_CAUSE = 0, 1, 2, 3, 7, 8, 31, 32
NONE, DELTA, BY_PID, FROM_PID, FIRST_USE = range(5)             # transforms
MIB, MAX_ITEMS, MAX_ROWS, U64 = 1 << 20, 4194304, 262144, (1 << 64) - 1
Record = collections.namedtuple("Record", "at type file_id seq flags head head_ok body body_ok padding size")
Column = collections.namedtuple("Column", "id type unit kinds name")


class Fault(Exception):
    """Why a record is corrupt."""


def demand(truth, message):
    if not truth:
        raise Fault(message)


def ascend(keys):
    return all(a < b for a, b in zip(keys, keys[1:]))


def unzigzag(v):
    return v >> 1 ^ (U64 if v & 1 else 0)


class Cursor:
    """Takes bytes from the front, 2.1 to 2.3."""

    def __init__(self, data):
        self.data, self.pos = bytes(data), 0

    def take(self, size):
        demand(size <= len(self.data) - self.pos, "something is longer than what it stands in")
        self.pos += size
        return self.data[self.pos - size:self.pos]

    def uint(self, size):
        return int.from_bytes(self.take(size), "little")

    def varint(self):
        value = shift = 0
        while True:
            byte = self.uint(1)
            value |= (byte & 127) << shift
            demand(value <= U64 and shift <= 63, "a varint is over 64 bits")
            if byte < 128:
                demand(byte or not shift, "a varint is not in its shortest form")
                return value
            shift += 7

    def name(self):
        size = self.varint()
        demand(size <= 4096, "a name is over the limit")
        value = self.take(size)
        demand(0 not in value, "a name has a NUL")
        return value

    def stat(self):
        """Of STATS, 5.5"""
        column, n = self.varint(), self.varint()
        demand(n <= 16, "a set in STATS has over 16 numbers")
        return column, n, [self.varint() for _ in range(n or 2)]

    def entry(self):
        """Of INDEX, 3.8"""
        entry = self.read("vvv")
        return entry + self.read("vvv") if entry[2] else entry

    READERS = {"v": varint, "n": name, "s": stat, "i": entry, "b": lambda cur: cur.uint(1),
               "h": lambda cur: cur.uint(2), "q": lambda cur: cur.uint(8), "d": lambda cur: cur.take(cur.varint()),
               "r": lambda cur: cur.take(len(cur.data))}

    def read(self, letters):
        """A tuple, or what alone would be in it; with "*" a list of as many as there are."""
        if letters[-1] == "*":
            found = []
            while self.pos < len(self.data):
                found.append(self.read(letters[:-1]))
            return found
        found = tuple(self.READERS[letter](self) for letter in letters)
        return found if len(found) > 1 else found[0]


def frame(data, at):
    """The record at an offset, 3.1; None where there is none, False where the data ends inside one."""
    part = data[at:at + HEADER.size]
    if not part.startswith(MAGIC) and not MAGIC.startswith(part):
        return None
    if len(part) < HEADER.size:
        return False
    _, file_id, seq, kind, flags, head_len, body_len, head_crc, body_crc, frame_crc = HEADER.unpack(part)
    if zlib.crc32(part[:44]) != frame_crc or head_len > MIB or body_len > 64 * MIB:
        return None
    body_at = at + HEADER.size + head_len
    end = body_at + body_len
    if end > len(data):
        return False
    padded = min(end + (at - end) % 8, len(data))
    head, body = data[at + HEADER.size:body_at], data[body_at:end]
    return Record(at, TYPES.get(kind, kind), file_id, seq, flags, head, zlib.crc32(head) == head_crc,
                  body, zlib.crc32(body) == body_crc, data[end:padded], padded - at)


def parse_head(head):
    """3.2: the values of the tags by name."""
    pairs, found = Cursor(head).read("vd*"), {}
    demand(ascend([tag for tag, _ in pairs]), "the tags do not ascend")
    for tag, value in pairs:
        if tag in TAGS:
            name, cur = TAGS[tag][0], Cursor(value)
            found[name] = cur.read(TAGS[tag][1])
            demand(cur.pos == len(value), f"{name} is not used up")
    for name in {"LOST", "KINDS"} & set(found):
        demand(ascend([key for key, _ in found[name]]), f"{name} does not ascend")
        found[name] = dict(found[name])
    return found


def parse_schema(rows):
    """4.1"""
    demand(ascend([row[0] for row in rows]), "the ids of the columns do not ascend")
    demand(all(1 <= row[0] <= 255 for row in rows), "the id of a column is not from 1 to 255")
    demand(all(re.fullmatch(b"[a-z0-9_]{1,31}", row[4]) for row in rows), "a column has a wrong name")
    demand(len({row[4] for row in rows}) == len(rows), "two columns have one name")
    return {row[0]: Column(*row[:4], row[4].decode()) for row in rows}


def zstd_content_size(data):
    """The content size of the one frame that data is: RFC 8878, 3.1.1."""
    cur = Cursor(data)
    demand(cur.uint(4) == 0xFD2FB528, "a stream is not a zstd frame")
    descriptor = cur.uint(1)
    single, checksum = descriptor >> 5 & 1, descriptor >> 2 & 1
    cur.take(1 - single)
    demand(descriptor & 3 == 0, "a zstd frame wants a dictionary")
    width = (single, 2, 4, 8)[descriptor >> 6]
    demand(width, "a zstd frame does not hold its content size")
    size, last = cur.uint(width) + (256 if width == 2 else 0), False
    while not last:
        block = cur.uint(3)
        last = block & 1
        cur.take(1 if block >> 1 & 3 == 1 else block >> 3)
    cur.take(4 * checksum)
    demand(cur.pos == len(data), "something lies behind a zstd frame")
    return size


def numbers(planes, n, width):
    mixed = bytearray(n * width)
    for i in range(width):
        mixed[i::width] = planes[i * n:(i + 1) * n]
    return list(struct.unpack(f"<{n}{' BH I   Q'[width]}", mixed))


def decode_streams(directory, body):
    """5.2: transform and numbers of each stream by (column, part); None for numbers coded in a reserved way."""
    demand(ascend([stream[:2] for stream in directory]), "the streams do not ascend")
    demand(sum(stored for *_, stored in directory) == len(body), "the streams do not add up to the body")
    demand(sum(n << (encoding & 3) for _, _, encoding, n, _ in directory) <= 64 * MIB, "the streams are too much")
    found, frames, cur = {}, [], Cursor(body)
    for column, part, encoding, n, stored in directory:
        transform, packing, width, data = encoding >> 4, encoding >> 2 & 3, 1 << (encoding & 3), cur.take(stored)
        demand(n, "a stream has no values")
        found[column, part] = transform, None
        if packing == 3 or transform > FIRST_USE:
            continue
        if packing == 2:
            demand(zstd_content_size(data) == width * n, "a zstd frame is not n values")
            frames.append(((column, part), n, width, data))
        else:
            demand(stored == width * (n if packing else 1), "a stream is not as long as its values")
            found[column, part] = transform, numbers(data, n, width) if packing else numbers(data, 1, width) * n
    if frames:
        done = subprocess.run(["zstd", "-dcq"], input=b"".join(data for *_, data in frames), check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        demand(done.returncode == 0, "a zstd frame is corrupt")
        cur = Cursor(done.stdout)
        for key, n, width, _ in frames:
            found[key] = found[key][0], numbers(cur.take(width * n), n, width)
    return found


def untransform(transform, stored, ts=(), pids=()):
    """5.3; ts and pids are those of the row of each number."""
    if transform == NONE:
        return stored
    found, before, largest, last = [], 0, 0, {}
    for i, v in enumerate(stored):
        if transform == DELTA:
            v = before = before + unzigzag(v) & U64
        elif transform == BY_PID:
            v = last[pids[i]] = last.get(pids[i], ts[i]) + unzigzag(v) & U64
        elif transform == FROM_PID:
            v = pids[i] + unzigzag(v) & U64
        else:
            v = v - 1 if v else largest + 1
            largest = max(largest, v)
        found.append(v)
    return found


class Rows:
    """A row record, section 5; events: of each row what is known, by column id, strings as bytes."""

    def __init__(self, schema, head, body):
        rows, (earliest, span), counts = head["ROWS"], head["TIME"], head["KINDS"]
        demand(1 <= rows <= MAX_ROWS, "ROWS is 0 or over the limit")
        demand(all(1 <= kind <= 15 for kind in counts), "a kind in KINDS is not from 1 to 15")
        demand(sum(counts.values()) == rows, "KINDS do not add up to ROWS")
        self.schema, self.streams = schema, decode_streams(head["COLUMNS"], body)
        for column, part in self.streams:
            demand(column in schema or column == C_STRINGS, f"column {column} is not in SCHEMA")
            parts = 2 if column == C_STRINGS or schema[column].type >= LIST else 1
            demand(part < parts, f"column {column} has a part {part}")
        transform, self.kinds = self.streams.get((C_KIND, 0), (NONE, None))
        counted = dict(collections.Counter(self.kinds))
        demand(not transform and counted == {kind: n for kind, n in counts.items() if n}, "KINDS and kind differ")
        self.strings, self.uses, self.stored = self.string_table(), [[] for _ in range(rows)], {}
        self.ts, self.pids, self.events = None, None, [{} for _ in range(rows)]
        # By pid and from pid want the ts and the pid of a row: these columns come first.
        for column in sorted(schema.values(), key=lambda column: (column.id != C_TS, column.id != C_PID)):
            lies = [row for row, kind in enumerate(self.kinds) if column.kinds >> kind & 1]
            stored = self.stored[column.id] = self.part0(column, lies)
            if column.id == C_TS:
                demand(stored and len(stored) == rows and max(stored) <= span, "ts and TIME differ")
                values = self.ts = [earliest + v & U64 for v in stored]
            else:
                values = self.values(column, stored, lies)
            if column.id == C_PID and stored:
                self.pids = dict(zip(lies, stored))
            for row, value in zip(lies, values):
                if value is not None:
                    self.events[row][column.id] = value
        demand(self.ts, "SCHEMA has no ts")

    def string_table(self):
        streams = [self.streams.get((C_STRINGS, part), (NONE, [])) for part in (0, 1)]
        (transform0, lengths), (transform1, text) = streams
        if lengths is None or text is None:
            return None
        demand(transform0 == transform1 == NONE, "the string table has a transform")
        demand(len(lengths) <= MAX_ITEMS and max(lengths, default=0) <= 2 * MIB, "the strings are over a limit")
        demand(sum(lengths) == len(text) and 0 not in text, "the strings have a NUL, or not the lengths they tell")
        cur = Cursor(text)
        return [None] + [cur.take(length) for length in lengths]

    def part0(self, column, lies):
        """The stored numbers of a column, one for each of its rows."""
        transform, stored = self.streams.get((column.id, 0), (NONE, [0] * len(lies)))
        if stored is None:
            return None
        demand(len(stored) == len(lies), f"{column.name} has not as many values as rows")
        demand(transform == NONE or column.type != LIST, f"{column.name}: the lengths of lists have a transform")
        if transform not in (BY_PID, FROM_PID):
            return untransform(transform, stored)
        demand(column.id not in (C_TS, C_PID) and C_PID in self.schema
               and not column.kinds & ~self.schema[C_PID].kinds, f"{column.name} has a transform of other columns")
        if self.pids is None:
            return None
        return untransform(transform, stored, [self.ts[row] for row in lies], [self.pids[row] for row in lies])

    def values(self, column, stored, lies):
        """What the stored numbers stand for, 4.1; nothing where that is not available."""
        if stored is None or not UINT <= column.type <= LIST or column.type >= STR and self.strings is None:
            return []
        if column.type <= OPT:
            return stored if column.type == UINT else [v - 1 if v else None for v in stored]
        lists = [[v] if v else [] for v in stored]
        if column.type == LIST:
            transform, items = self.streams.get((column.id, 1), (NONE, []))
            if items is None:
                return []
            demand(transform not in (BY_PID, FROM_PID), f"{column.name}: items have a transform of part 0")
            demand(sum(v - 1 for v in stored if v) == len(items) <= MAX_ITEMS, f"{column.name}: the number of items")
            items = iter(untransform(transform, items))
            lists = [[next(items) for _ in range(v - 1)] for v in stored]
        for row, uses in zip(lies, lists):
            demand(all(1 <= v < len(self.strings) for v in uses), f"{column.name} uses a string that is not there")
            self.uses[row] += uses
        if column.type == STR:
            return [self.strings[v] for v in stored]
        texts = [[self.strings[v] for v in uses] for uses in lists]
        demand(all(len(t) + sum(map(len, t)) <= 4 * MIB for t in texts), f"a list of {column.name} is over the limit")
        return [text if v else None for v, text in zip(stored, texts)]


class Segment:
    """What a FILE_HEADER began. Clocks and names are those of the whole segment."""

    def __init__(self, record):
        self.at, self.file_id, self.schema = record.at, record.file_id, {}
        self.seq, self.last, self.refused, self.hurt = 0, None, False, False
        self.kinds, self.lost, self.told_lost = collections.Counter(), collections.Counter(), {}
        self.names, self.clocks, self.rows, self.entries = {}, [], [], []

    def time(self, ts, realtime):
        """Wall clock, 3.7"""
        at = max(bisect.bisect_right(self.clocks, (ts, U64)) - 1, 0)
        ns = ts + (self.clocks[at][1] if self.clocks else realtime) & U64
        ns -= (ns >> 63) << 64
        when = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=ns // 10**9)
        return f"{when.isoformat()}.{ns % 10**9:09}Z"

    def as_json(self, event, realtime):
        out = {"time": self.time(event[C_TS], realtime)}

        def put(name, value):
            """Text; wrong bytes as U+FFFD, and then NAME_b64 with the exact ones."""
            texts = [v.decode("utf-8", "surrogateescape") for v in (value if isinstance(value, list) else [value])]
            shown = [re.sub("[\udc80-\udcff]", "\ufffd", text) for text in texts]
            exact = [None if a == b else base64.b64encode(a.encode("utf-8", "surrogateescape")).decode()
                     for a, b in zip(texts, shown)]
            out[name] = shown if isinstance(value, list) else shown[0]
            if any(exact):
                out[name + "_b64"] = exact if isinstance(value, list) else exact[0]

        for column, value in sorted(event.items()):
            _, kind, unit, _, name = self.schema[column]
            if kind in (STR, LIST):
                put(name, value)
            elif unit == CGROUP and ("cgroup", value) in self.names:
                put(name, self.names["cgroup", value])
            elif unit == CGROUP:
                out[name + "_id"] = value
            elif unit != FLAG or value:
                shown = {FLAG: True, KIND: KINDS.get(value, value), CAUSE: CAUSES.get(value, value)}
                out[name] = shown.get(unit, value)
        for column, group, name in ((C_UID, 0, "user"), (C_GID, 1, "group")):
            if (group, event.get(column)) in self.names:
                put(name, self.names[group, event[column]])
        return out


class Reader:
    """Section 6"""

    def __init__(self, data, strict=False):
        self.strict, self.faults, self.notes, self.events, self.segment = strict, [], [], [], None
        at, record = 0, frame(data, 0)
        if not record or record.type != "FILE_HEADER":
            self.fault(0, "not a capture")
            at = len(data)
        while at < len(data):
            record = frame(data, at)
            if record:
                self.take(record)
                at += record.size
                continue
            found = data.find(MAGIC, at + 1)
            while found >= 0 and not frame(data, found):
                found = data.find(MAGIC, found + 1)
            cut = found < 0 and (record is False or not any(data[at:]))
            # Behind END a cut costs nothing.
            if not cut or not self.segment or self.segment.last not in AFTER:
                self.fault(at, "truncated" if cut else "no valid record")
            at = found if found > 0 else len(data)
        self.close()

    def fault(self, at, message):
        self.faults.append((at, message))
        if self.segment:
            self.segment.hurt = True

    def take(self, rec):
        if rec.type == "FILE_HEADER":
            self.close()
            self.segment = Segment(rec)
        seg, head = self.segment, {}
        if rec.file_id != seg.file_id:
            self.fault(rec.at, "a record of another segment")
        elif not seg.refused:
            try:
                demand(rec.head_ok, "head_crc is wrong")
                head = parse_head(rec.head)
                demand(rec.seq >= seg.seq, f"seq {rec.seq} after {seg.seq} rows: a copy, or out of its place")
                if rec.seq > seg.seq:
                    self.fault(rec.at, f"{rec.seq - seg.seq} rows are missing in front of this record")
                    seg.seq = rec.seq
                if rec.type in ROW_KINDS:
                    seg.seq += head.get("ROWS", 0)
                demand(rec.body_ok, "body_crc is wrong")
                demand(NEEDED.get(rec.type, set()) <= set(head), "a tag is missing")
                self.interpret(seg, rec, head)
            except Fault as error:
                self.fault(rec.at, f"{rec.type} of {head.get('ROWS', 'no')} rows: {error}")
                seg.refused = rec.type == "FILE_HEADER"

    def interpret(self, seg, rec, head):
        found = Cursor(rec.body).read(BODIES[rec.type] + "*") if rec.type in BODIES else []
        self.check_record(seg, rec, head)
        entry = rec.at, rec.type, 0
        if rec.type == "FILE_HEADER":
            demand(head["VERSION"][0] == 1, f"unknown version {head['VERSION']}")
            demand(head["CLOCK"] == 7, f"unknown clock {head['CLOCK']}")
            demand(not head.get("INCOMPAT"), f"unknown bits {head.get('INCOMPAT', 0):#x} of INCOMPAT")
            seg.schema = parse_schema(head["SCHEMA"])
        elif rec.type in ROW_KINDS:
            rows = Rows(seg.schema, head, rec.body)
            seg.kinds.update(rows.kinds)
            seg.rows += [(event, head["REALTIME"]) for event in rows.events]
            for event in rows.events:
                seg.lost[event.get(C_CAUSE)] += event.get(C_COUNT, 0)
            self.check_rows(rec, head, rows)
            entry = rec.at, rec.type, head["ROWS"], sum(1 << kind for kind in head["KINDS"]), *head["TIME"]
        elif rec.type == "USERS":
            demand(all(group < 2 for group, _, _ in found), "a group is neither 0 nor 1")
            seg.names.update(((group, number), name) for group, number, name in found)
        elif rec.type == "CGROUPS":
            seg.names.update((("cgroup", number), name) for number, name in found)
        elif rec.type == "CLOCK":
            demand(ascend([ts for ts, _ in seg.clocks + found]), "the entries do not ascend in ts")
            seg.clocks += found
        elif rec.type == "INDEX":
            self.check_index(seg, rec, found)
        seg.entries.append(entry)
        seg.last = rec.type

    def close(self):
        seg = self.segment
        if seg:
            if seg.last not in AFTER:
                self.notes.append((seg.at, "the segment has no END"))
            self.events += (seg.as_json(event, realtime) for event, realtime in seg.rows)

    # What a writer has to keep and a reader need not mind

    def writer(self, rec, truth, message):
        if self.strict and not truth:
            self.faults.append((rec.at, f"{rec.type}: {message}"))

    def check_record(self, seg, rec, head):
        self.writer(rec, not rec.flags and not any(rec.padding), "flags or padding are not zero")
        self.writer(rec, not rec.body or rec.type not in ("FILE_HEADER", "END", "FOOTER"), "has a body")
        for tag in ("PROGRAM", "REASON"):
            text = head.get(tag, b"")
            self.writer(rec, text.decode(errors="replace").encode() == text, f"{tag} is not UTF-8")
        for tag in ("LOST", "KINDS"):
            self.writer(rec, 0 not in head.get(tag, {}).values(), f"{tag} has a count of 0")
        if rec.type == "END" or rec.type in ROW_KINDS:
            before, seg.told_lost = seg.told_lost, head.get("LOST", {})
            self.writer(rec, all(seg.told_lost.get(cause, 0) >= n for cause, n in before.items()), "LOST went back")
        if rec.type == "FOOTER":
            self.writer(rec, rec.size == 72, "is not 72 bytes long")
            self.writer(rec, head.get("SEGMENT_LEN") == rec.at + rec.size - seg.at, "SEGMENT_LEN is wrong")
        if seg.hurt:
            return
        if seg.last in AFTER or rec.type in ("INDEX", "FOOTER"):
            self.writer(rec, rec.type == AFTER.get(seg.last), f"comes after {seg.last}")
        if rec.type == "END":
            self.writer(rec, head.get("KINDS", {}) == dict(seg.kinds), "KINDS are not those of the segment")
            self.writer(rec, collections.Counter(seg.told_lost) == +seg.lost, "LOST is not what the rows say")
        if rec.type == "FOOTER":
            self.writer(rec, head.get("INDEX_AT", 0) + seg.at == seg.entries[-1][0], "INDEX_AT is wrong")

    def check_rows(self, rec, head, rows):
        self.writer(rec, set(rows.kinds) <= ROW_KINDS[rec.type], "has rows of other kinds")
        self.writer(rec, (min(rows.ts), max(rows.ts)) == (head["TIME"][0], sum(head["TIME"])), "TIME is not exact")
        for column in {column for column, _ in rows.streams} - {C_STRINGS, C_TS}:
            self.writer(rec, rows.stored[column] is None or any(rows.stored[column]), f"column {column} is all zeros")
        self.writer(rec, ascend([column for column, _, _ in head.get("STATS", [])]), "STATS do not ascend")
        for column, n, told in head.get("STATS", []):
            found = sorted(set(rows.stored.get(column) or []))
            self.writer(rec, not found or (found == told if n else told[0] <= found[0] and found[-1] <= told[1]),
                        f"STATS of column {column} are wrong")
        if rows.strings is not None and None not in (stored for _, stored in rows.streams.values()):
            used = list(dict.fromkeys(number for uses in rows.uses for number in uses))
            self.writer(rec, used == list(range(1, len(rows.strings))), "strings are not numbered by first use")
            self.writer(rec, len(set(rows.strings)) == len(rows.strings), "a string is there twice")

    def check_index(self, seg, rec, entries):
        found, at, ts = [], seg.at, 0
        for kind, distance, rows, *more in entries:
            at += distance
            if rows:
                ts = ts + unzigzag(more[1]) & U64
                more = [more[0], ts, more[2]]
            found.append((at, TYPES.get(kind, kind), rows, *more))
        self.writer(rec, seg.hurt or found == seg.entries, "is not what the records say")


def main(args):
    check = args[:1] == ["--check"]
    if len(args) != 1 + check:
        print("usage: spec_decoder.py [--check] FILE", file=sys.stderr)
        return 2
    with open(args[-1], "rb") as file:
        reader = Reader(file.read(), check)
    for at, message in reader.faults + reader.notes:
        print(f"at byte {at}: {message}", file=sys.stdout if check else sys.stderr)
    for event in () if check else reader.events:
        print(json.dumps(event))
    return 3 if reader.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

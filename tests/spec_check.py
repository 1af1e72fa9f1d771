#!/usr/bin/env python3
"""Holds .etz captures to every rule that SPEC.md sets, those for writers among them: spec_check.py FILE

Written from SPEC.md and nothing else, on top of spec_decoder.py. Prints each fault as `byte N: SECTION: what`, and
what is told but is no fault (no END; what only a later version would write) as `byte N: note: SECTION: what`. Exit
code: 0; 3 if there was a fault; 1 if FILE is no capture. Behind damage, what was to be added up is not judged.
"""
import re
import sys
import zlib
from bisect import bisect_right
from collections import Counter

from spec_decoder import (CHUNK, END, EXES, FILE_HEADER, FOOTER, HOST, LOST, MAGIC, NAMES, PROC, TAGS,
                          WORDS, KIND, CAUSE, EXE_TAGS, Reader, split_head)
from spec_rows import (C_KIND, C_TS, FIRST_USE, LIST, OPT, STR, STRINGS, UINT, U64, Column, Corrupt, Cursor, carriers,
                       signed, unpack, wall_clock)

EXEC, FAIL, FORK, EXIT, PROC_KIND, LOST_KIND = range(1, 7)
KINDS_OF_TYPE = {CHUNK: {EXEC, FAIL, FORK, EXIT}, PROC: {PROC_KIND}, LOST: {LOST_KIND}}
ALL, MOST, CALLS = (1, 2, 3, 4, 5, 6), (1, 2, 3, 4, 5), (EXEC, FAIL)
ARGV, IMAGE = (EXEC, FAIL, PROC_KIND), (EXEC, PROC_KIND)
COLUMNS = {column.id: column for column in (
    Column(number, kind, unit, sum(1 << k for k in kinds), name) for number, name, kind, unit, kinds in (     # 4.2
        (1, "kind", UINT, 8, ALL), (2, "ts", UINT, 1, ALL), (3, "pid", UINT, 0, MOST), (4, "tid", OPT, 0, CALLS),
        (5, "ppid", OPT, 0, MOST), (6, "start", OPT, 1, MOST), (7, "uid", OPT, 5, MOST), (8, "gid", OPT, 6, MOST),
        (9, "euid", OPT, 5, IMAGE), (10, "egid", OPT, 6, IMAGE), (11, "comm", STR, 0, MOST),
        (12, "cgroup", OPT, 7, MOST), (13, "filename", STR, 0, CALLS), (14, "interpreter", STR, 0, (EXEC,)),
        (15, "exe", STR, 0, IMAGE), (16, "cwd", STR, 0, IMAGE), (17, "argv", LIST, 0, ARGV), (18, "argc", OPT, 0, ARGV),
        (19, "argv_bytes", OPT, 3, ARGV), (20, "argv_truncated", UINT, 4, ARGV),
        (21, "argv_unreadable", UINT, 4, ARGV), (22, "errno", UINT, 10, (FAIL,)), (23, "exit_code", OPT, 0, (EXIT,)),
        (24, "signal", OPT, 11, (EXIT,)), (25, "core", UINT, 4, (EXIT,)), (26, "utime", OPT, 2, (EXIT,)),
        (27, "stime", OPT, 2, (EXIT,)), (28, "max_rss", OPT, 3, (EXIT,)), (29, "until", OPT, 1, (LOST_KIND,)),
        (30, "cpu", OPT, 0, (LOST_KIND,)), (31, "count", UINT, 0, (LOST_KIND,)), (32, "cause", UINT, 9, (LOST_KIND,)),
        (33, "exec_ts", OPT, 1, (EXEC, EXIT)),
        (34, "secure_exec", UINT, 4, (EXEC,)), (35, "login_uid", OPT, 5, IMAGE), (36, "session", OPT, 0, IMAGE),
        (37, "tty", STR, 0, IMAGE), (38, "pid_ns", OPT, 0, IMAGE), (39, "mnt_ns", OPT, 0, IMAGE),
        (40, "user_ns", OPT, 0, IMAGE), (41, "net_ns", OPT, 0, IMAGE), (42, "ns_pid", OPT, 0, IMAGE),
        (43, "exe_dev", OPT, 12, IMAGE), (44, "exe_inode", OPT, 0, IMAGE), (45, "exe_deleted", UINT, 4, IMAGE),
        (46, "exe_memfd", UINT, 4, IMAGE), (47, "exec_duration", OPT, 2, CALLS), (48, "env", LIST, 0, CALLS),
        (49, "env_count", OPT, 0, CALLS), (50, "env_bytes", OPT, 3, CALLS), (51, "env_truncated", UINT, 4, CALLS),
        (52, "env_unreadable", UINT, 4, CALLS), (53, "minor_faults", OPT, 0, (EXIT,)),
        (54, "major_faults", OPT, 0, (EXIT,)), (55, "read_bytes", OPT, 3, (EXIT,)),
        (56, "write_bytes", OPT, 3, (EXIT,))))}
COMM, UNTIL = 11, 29
# 3.2: absent where it says so, or where there is nothing to say.
MAY_BE_ABSENT = {"BOOT_ID", "SERIES", "LATEST", "LOST", "KINDS", "COMMS", "STATS"}


class Totals:
    """What is added up over a segment."""
    def __init__(self, start):
        self.start, self.damaged, self.end, self.last_names, self.footer = start, False, None, None, False
        self.kinds, self.lost, self.lost_tag, self.scope = Counter(), Counter(), {}, None
        self.latest, self.newest, self.step_back = None, None, 0


class Check:
    """Collects faults and notes, record by record."""
    def __init__(self, data):
        self.data, self.faults, self.notes, self.total, self.before = data, [], [], Totals(0), None
        reader = Reader(data, self.told)
        try:
            for record, raw, tags, rows in reader.records():
                self.record(record, raw, tags, rows, reader.segment)
        except Corrupt as error:
            self.faults.append((0, str(error)))

    def told(self, at, what, missing):
        """What the reader finds: faults, but for a segment that has no END."""
        self.total.damaged |= missing
        (self.faults if missing else self.notes).append((at, what))

    def expect(self, truth, record, what):
        if not truth:
            self.faults.append((record.at, what))

    def record(self, record, raw, tags, rows, segment):
        if record.type == FILE_HEADER:
            self.total, self.before = Totals(record.at), None
            self.schema(record, segment.schema)
        self.frame(record)
        self.tags(record, raw, tags)
        self.place(record, tags)
        if rows:
            RowsCheck(self, record, tags, rows)
        elif record.type in NAMES:
            self.names(record)
        elif record.type == END:
            self.end(record, tags)
        elif record.type == FOOTER:
            self.footer(record, tags)
        self.before = record

    def frame(self, record):
        """3.1, 3.3, 6.2: what stands around head and body, and where the record stands."""
        end = record.end + (record.at - record.end) % 8
        self.expect(not record.flags, record, "3.1: flags are not 0")
        self.expect(self.data[record.end:end] == bytes(end - record.end), record, "3.1: padding is not 0, or missing")
        again = self.data.find(MAGIC + record.file_id, record.at + 1, end)
        self.expect(again < 0, record, "3.1: magic and file_id stand in the record again")
        self.expect(record.type not in (FILE_HEADER, END, FOOTER) or not record.body, record, "3.3: a body")
        self.expect(not self.total.end or record.type == FOOTER, record, "6.2: a record behind END")
        self.expect(not self.total.footer, record, "3.7: a record behind FOOTER")
        if record.type not in range(FILE_HEADER, EXES + 1):
            self.notes.append((record.at, f"3.3: a record of type {record.type}"))

    def tags(self, record, raw, tags):
        """3.2: all that the table names for a type are there, and no others."""
        for number, (name, _, types) in TAGS.items():
            if number in raw:
                self.expect(name in tags, record, f"3.2: {name} in a record of type {record.type}")
            elif record.type in types:
                self.expect(name in MAY_BE_ABSENT, record, f"3.2: no {name}")
        for number in raw.keys() - TAGS.keys():
            self.notes.append((record.at, f"3.2: tag {number}"))
        for name in ("LOST", "KINDS"):
            self.expect(0 not in tags.get(name, {}).values(), record, f"3.2: a count of 0 in {name}")
        for name in ("PROGRAM", "REASON"):
            text = bytes(tags.get(name, ()))
            self.expect(text.decode(errors="replace").encode() == text, record, f"3.2: {name} is not UTF-8")

    def place(self, record, tags):
        """3.2: where the record stands, and the way back to the names before it."""
        at, back = tags.get("PLACE", (None, None))
        names = self.total.last_names
        if at is not None:
            self.expect(at == record.at - self.total.start, record, f"3.2: PLACE says {at}")
            right = 0 if names is None else record.at - names
            self.expect(back == right or self.total.damaged, record, f"3.2: PLACE says {back} back, not {right}")
        if record.type in NAMES:
            self.total.last_names = record.at

    def schema(self, record, schema):
        """4.1, 4.2: an id or a name never means another column."""
        ids = {column.name: i for i, column in COLUMNS.items()}
        for i, column in schema.items():
            if i in COLUMNS:
                self.expect(column == COLUMNS[i], record, f"4.2: column {i} is not {COLUMNS[i].name} as described")
            else:
                self.expect(column.name not in ids, record, f"4.1: {column.name} as column {i}")
                self.notes.append((record.at, f"4.2: column {i}, {column.name}"))

    def names(self, record):
        """3.4: what the recorder says of itself; 3.8: tags of a later version."""
        if record.type == EXES:
            cursor = Cursor(record.body)
            while cursor.at < len(record.body):
                for number in dict(split_head(cursor.take(cursor.one("v")))).keys() - EXE_TAGS.keys():
                    self.notes.append((record.at, f"3.8: tag {number}"))
            return
        items = Cursor(record.body).form(NAMES[record.type])
        if record.type == HOST:
            host = dict(items)
            self.total.scope = host.get(b"scope", self.total.scope)
            self.expect(host.get(b"cpus", b"1").isdigit(), record, "3.4: cpus is not decimal")
            self.expect(re.fullmatch(rb"-?[0-9]+", host.get(b"utc_offset", b"0")), record, "3.4: utc_offset")
            self.expect(host.get(b"scope", b"all") in (b"all", b"command", b"pid"), record, "3.4: scope")

    def losses(self, record, tags):
        """4.4: LOST never gets smaller, and holds all rows of kind lost so far."""
        total, lost = self.total, tags.get("LOST", {})
        self.expect(all(lost.get(cause, 0) >= n for cause, n in total.lost_tag.items()), record, "4.4: LOST shrinks")
        self.expect(all(lost.get(cause, 0) >= n for cause, n in total.lost.items()), record, "4.4: LOST under the rows")
        self.expect(set(lost) <= set(WORDS[CAUSE]), record, "4.4: LOST with a reserved cause")
        total.lost_tag = lost

    def end(self, record, tags):
        total = self.total
        total.end = record
        self.losses(record, tags)
        if not total.damaged:
            self.expect(+Counter(tags.get("KINDS")) == total.kinds, record, "3.2: KINDS are not those of the segment")
            self.expect(+Counter(tags.get("LOST")) == +total.lost, record, "4.4: LOST is not what the rows say")
            self.expect(tags.get("STEP_BACK", U64) >= total.step_back, record,
                        f"6.5: STEP_BACK is under {total.step_back}")

    def footer(self, record, tags):
        """3.7"""
        total = self.total
        total.footer = True
        size = record.end + (record.at - record.end) % 8 - record.at
        self.expect(size == 72, record, "3.7: a FOOTER of another size than 72")
        self.expect(total.end and self.before is total.end, record, "3.7: a FOOTER that is not right behind END")
        self.expect(not total.end or tags.get("END_AT") == total.end.at - total.start, record, "3.7: END_AT")
        self.expect(tags.get("SEGMENT_LEN") == record.at + size - total.start, record, "3.7: SEGMENT_LEN")


class RowsCheck:
    """Checks a row record."""
    def __init__(self, check, record, tags, rows):
        self.check, self.record, self.total, self.tags, self.rows = check, record, check.total, tags, rows
        self.times()
        self.streams()
        self.statistics()
        if STRINGS not in rows.missing:
            self.strings()
            self.comms()
        self.meanings()
        check.losses(record, tags)

    def expect(self, truth, what):
        self.check.expect(truth, self.record, what)

    def known(self, i):
        """The values of a column, if it is what 4.2 says."""
        return self.rows.values.get(i, ()) if self.rows.schema.get(i) == COLUMNS[i] else ()

    def times(self):
        """3.2, 3.6, 6.5: KINDS, TIME, REALTIME, LATEST, STEP_BACK."""
        rows, total, (moments, offsets) = self.rows, self.total, self.tags["OFFSETS"]
        known = set(rows.kinds) & set(WORDS[KIND])
        self.expect(known <= KINDS_OF_TYPE[self.record.type], "3.3: a kind in another type of record")
        total.kinds.update(rows.kinds)
        self.expect((min(rows.ts), max(rows.ts)) == (self.tags["TIME"][0], sum(self.tags["TIME"])), "3.2: TIME")

        def wall(ts):
            return wall_clock(ts, offsets[max(bisect_right(moments, ts) - 1, 0)])
        walls, latest = [wall(ts) for ts in rows.ts], self.tags.get("LATEST")
        first = total.newest is None and not total.damaged
        self.expect(not first or latest is None, "3.2: LATEST in the first row record")
        self.expect(total.newest is None or latest is not None, "3.2: no LATEST")
        if latest is not None:
            latest = signed(latest)
            self.expect(total.latest is None or latest >= total.latest, "6.5: LATEST gets smaller")
            self.expect(total.newest is None or latest >= total.newest, "6.5: LATEST is before a row that came before")
            total.step_back = max(total.step_back, latest - min(walls))
            total.latest = latest
        walls += [wall(ts) for ts in self.known(UNTIL) if ts is not None]
        total.newest = max(walls) if total.newest is None else max(total.newest, *walls)

    def streams(self):
        """5.1, 4.1, 5.3: no column of zeros, no flag over 1, and 0 for what first use has it for."""
        rows = self.rows
        for (i, part), stored in rows.stored.items():
            column, (stream, data) = rows.schema.get(i), rows.packed[i, part]
            if i not in (STRINGS, C_KIND, C_TS) and not part:
                self.expect(any(stored), f"5.1: column {i} is all zeros")
            if column and column.unit == 4 and column.type == UINT:
                self.expect(max(stored) <= 1, f"4.1: {column.name} is over 1")
            if stream.transform == FIRST_USE:
                largest = 0
                for packed, v in zip(unpack(stream, data), stored):
                    self.expect(not packed or v != largest + 1, f"5.3: column {i}: not first use")
                    largest = max(largest, v)

    def statistics(self):
        """5.5: STATS are true, and of columns that have rows."""
        for i, (n, values) in self.tags.get("STATS", ()):
            column = self.rows.schema.get(i)
            if column is None or i in self.rows.missing:
                continue
            found = set(self.rows.numbers(i, 0))
            self.expect(carriers(column, self.tags["KINDS"]), f"5.5: STATS of {column.name}, which no row has")
            true = found == set(values) if n else found and values[0] <= min(found) <= max(found) <= values[1]
            self.expect(not found or true, f"5.5: STATS of {column.name} are wrong")

    def comms(self):
        """5.5: COMMS are those of the column."""
        if self.rows.schema.get(COMM) != COLUMNS[COMM]:
            return
        comms = {zlib.crc32(name) & 0xffff for name in self.known(COMM) if name is not None}
        if "COMMS" in self.tags:
            self.expect(self.tags["COMMS"] == sorted(comms), "5.5: COMMS are not those of the rows")
        else:
            self.expect(not comms or len(comms) > 1024, "5.5: no COMMS")

    def strings(self):
        """5.4: strings differ, are numbered by first use, and are all used."""
        rows, used = self.rows, 0
        self.expect(len(set(rows.strings)) == len(rows.strings), "5.4: a string twice")
        for number in self.uses():
            self.expect(number <= used + 1, f"5.4: string {number} is used before {used + 1}")
            used = max(used, number)
        if not any(rows.schema[i].type > LIST for i in rows.schema):
            self.expect(used == len(rows.strings) - 1, "5.4: strings that no row uses")

    def uses(self):
        """The numbers of strings row by row, within a row by column id."""
        rows = self.rows
        columns = [(column, iter(rows.numbers(i, 0)), iter(rows.numbers(i, 1))) for i, column in rows.schema.items()
                   if column.type in (STR, LIST) and i not in rows.missing]
        for kind in rows.kinds:
            for column, numbers, items in columns:
                number = next(numbers) if column.kinds >> kind & 1 else 0
                if column.type == LIST:
                    yield from (next(items) for _ in range(number - 1))
                elif number:
                    yield number

    def meanings(self):
        """4.2, 4.4, 3.3: what single rows say."""
        broken = Counter()
        for kind, ts, (row, _) in zip(self.rows.kinds, self.rows.ts, self.rows.events()):
            row = {c.name: value for c, value in row if c == COLUMNS.get(c.id) and value is not None}
            broken.update(what for what, kept in self.rules(kind, ts, row) if not kept)
            if kind == LOST_KIND:
                self.total.lost[row.get("cause", 0)] += row.get("count", 0)
        for what, rows in broken.items():
            self.expect(False, f"{what} ({rows} rows)")

    def rules(self, kind, ts, row):
        argv, cut = row.get("argv", ()), row.get("argv_truncated") or row.get("argv_unreadable")
        env, env_cut = row.get("env", ()), row.get("env_truncated") or row.get("env_unreadable")
        yield "4.2: a reserved kind", kind in WORDS[KIND]
        yield "4.2: exec_ts behind ts", row.get("exec_ts", 0) <= ts
        yield "4.2: exec_ts of an exec is not its ts", kind != EXEC or row.get("exec_ts", ts) == ts
        yield "4.2: until before ts", row.get("until", ts) >= ts
        yield "4.2: a comm of over 15 bytes", len(row.get("comm", b"")) <= 15
        yield "4.2: argc or argv_bytes of a whole argv", cut or "argc" not in row and "argv_bytes" not in row
        yield "4.2: env_count or env_bytes of a whole env", env_cut or "env_count" not in row and "env_bytes" not in row
        yield "4.2: env_count under the items of env", row.get("env_count", len(env)) >= len(env)
        yield "4.2: argc under the items of argv", row.get("argc", len(argv)) >= len(argv)
        yield "4.2: both exit_code and signal", "exit_code" not in row or "signal" not in row
        yield "4.2: core without a signal", not row.get("core") or "signal" in row
        yield "4.4: a reserved cause", kind != LOST_KIND or row.get("cause", 0) in WORDS[CAUSE]
        yield ("3.3: argv or cwd of a proc row, where scope is command",
               kind != PROC_KIND or self.total.scope != b"command" or "argv" not in row and "cwd" not in row)


def main(path):
    with open(path, "rb") as file:
        check = Check(file.read())
    for at, what in check.faults:
        print(f"byte {at}: {what}")
    for at, what in check.notes:
        print(f"byte {at}: note: {what}")
    return 3 if check.faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) == 2 else "usage: spec_check.py FILE")

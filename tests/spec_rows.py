"""Row records of .etz captures, written from SPEC.md and nothing else: what spec_decoder.py reads events from.

Numbers are sections of SPEC.md. Needs the command zstd.
"""
import struct
import subprocess
from bisect import bisect_right
from collections import Counter, namedtuple

U64, MIB = (1 << 64) - 1, 1 << 20
UINT, OPT, STR, LIST = 1, 2, 3, 4                       # 4.1: types of columns
STRINGS, C_KIND, C_TS, C_PID = 0, 1, 2, 3               # 4.2, 5.1: columns
CONST, RAW, ZSTD = range(3)                             # 5.2
NONE, DELTA, BY_PID, FROM_PID, FIRST_USE = range(5)     # 5.3
Column = namedtuple("Column", "id type unit kinds name")
Stream = namedtuple("Stream", "column part width packing transform n stored")


class Corrupt(Exception):
    """What breaks SPEC.md: `SECTION: what`."""


def demand(truth, what):
    if not truth:
        raise Corrupt(what)


def ascend(numbers, low=0, high=U64):
    return not numbers or numbers == sorted(set(numbers)) and low <= numbers[0] and numbers[-1] <= high


def unzigzag(v):
    return v >> 1 ^ (U64 if v & 1 else 0)


def signed(v):
    return v - (v >> 63 << 64)


def wall_clock(ts, offset):
    """2.4: ns since 1970."""
    return min(max(ts + signed(offset & U64), -1 << 63), (1 << 63) - 1)


class Cursor:
    """2.1 to 2.3: takes values from the front of some bytes."""
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        demand(size <= len(self.data) - self.at, "3.2: something is longer than what it stands in")
        self.at += size
        return self.data[self.at - size:self.at]

    def one(self, letter):
        """v: a varint; n: a name; s: of STATS, 5.5; else an integer of so many bytes."""
        if letter == "n":
            name = self.take(self.one("v"))
            demand(len(name) <= 4096 and 0 not in name, "2.3: a name with a NUL, or of over 4096 bytes")
            return name
        if letter == "s":
            n = self.one("v")
            demand(n <= 16, "5.5: STATS of over 16 numbers")
            return n, [self.one("v") for _ in range(n or 2)]
        if letter != "v":
            return int.from_bytes(self.take(int(letter)), "little")
        value = shift = 0
        while True:
            byte = self.one("1")
            value |= (byte & 127) << shift
            demand(value <= U64 and shift < 70 and (byte or not shift), "2.2: a varint over 64 bits, or not shortest")
            if byte < 128:
                return value
            shift += 7

    def form(self, form):
        """What the letters name, all of it; behind a * again and again, as a list of lists."""
        once, star, again = form.partition("*")
        found, items = [self.one(letter) for letter in once], []
        while star and self.at < len(self.data):
            items.append([self.one(letter) for letter in again] if again[1:] else self.one(again))
        demand(self.at == len(self.data), "3.2: a value is not used up")
        found += [items] * len(star)
        return found if len(found) > 1 else found[0]


def check_directory(schema, tags, body_len):
    """5.1: the streams by (column, part), before anything is made of them."""
    streams, kinds = {(s.column, s.part): s for s in tags["COLUMNS"]}, tags["KINDS"]
    demand(ascend([(s.column, s.part) for s in tags["COLUMNS"]], (0, 0), (255, 255)), "5.1: the streams do not ascend")
    demand(sum(s.stored for s in streams.values()) == body_len, "5.1: the streams are not the body")
    demand(sum(s.n * s.width for s in streams.values()) <= 64 * MIB and tags["ROWS"] * len(schema) <= 1 << 24
           and sum(s.n for s in streams.values() if s.column) <= 1 << 24, "2.5: too many values")
    for (i, part), s in streams.items():
        column = schema.get(i, Column(STRINGS, LIST, 0, 0, "strings"))
        demand(i in schema or i == STRINGS, "5.1: a column that the schema lacks")
        demand(s.n and (s.n <= 1 << 22 or (i, part) == (STRINGS, 1)), "5.1: no values, or too many")
        demand(not part or part == 1 and not UINT <= column.type <= STR, "5.1: items of a column that is no LIST")
        demand(i == STRINGS or part or s.n == carriers(column, kinds), "5.1: n is not that of the rows")
        allowed = {NONE} if i in (STRINGS, C_KIND) or column.type == LIST and not part else set(range(FIRST_USE + 1))
        if part or i in (C_TS, C_PID) or column.kinds & ~schema.get(C_PID, Column(0, 0, 0, 0, "")).kinds:
            allowed -= {BY_PID, FROM_PID}
        demand(s.transform in allowed or s.transform > FIRST_USE, "5.3: a transform that is not allowed")
        demand((i, part) != (STRINGS, 1) or s.width == 1, "5.3: the bytes of strings in another width")
    demand(all((i, 0) in streams and streams[i, 0].n == tags["ROWS"] for i in (C_KIND, C_TS)), "5.1: no kind or no ts")
    return streams


def carriers(column, kinds):
    return sum(n for kind, n in kinds.items() if column.kinds >> kind & 1)


def unpack(stream, data):
    """5.2: the stored numbers of a stream."""
    width, n = stream.width, stream.n
    if stream.packing == ZSTD:
        demand(zstd_size(Cursor(data)) == n * width, "5.2: not one zstd frame of n values")
        done = subprocess.run(["zstd", "-dcq", "--long=31"], input=data, capture_output=True, check=False)
        demand(done.returncode == 0 and len(done.stdout) == n * width, "5.2: a damaged zstd frame")
        data = done.stdout
    demand(len(data) == width * (n if stream.packing else 1), "5.2: a stream that is not as long as its values")
    if stream.packing == CONST:
        return data * n if width == 1 else [int.from_bytes(data, "little")] * n
    mixed = bytearray(data)
    for i in range(width):
        mixed[i::width] = data[i * n:(i + 1) * n]
    return struct.unpack(f"<{n}{' BH I   Q'[width]}", mixed) if width > 1 else data


def zstd_size(cursor):
    """5.2: the content size of a zstd frame (RFC 8878, 3.1.1) that cursor has; None if that is not just one."""
    magic, flags, last = cursor.one("4"), cursor.one("1"), 0
    cursor.take(~flags >> 5 & 1)
    width = (flags >> 5 & 1, 2, 4, 8)[flags >> 6]
    size = cursor.one(str(width)) + 256 * (width == 2)
    while not last:
        block = cursor.one("3")
        last = block & 1
        cursor.take(1 if block & 6 == 2 else block >> 3)
    cursor.take(flags & 4)
    return size if magic == 0xFD2FB528 and not flags & 3 and width and cursor.at == len(cursor.data) else None


def restore(transform, stored, rows):
    """5.3: the numbers before the transform; rows: pid and ts of the row of each."""
    if transform == NONE:
        return stored
    found, before, largest, of_pid = [], 0, 0, {}
    for i, v in enumerate(stored):
        if transform == DELTA:
            v = before = before + unzigzag(v) & U64
        elif transform == BY_PID:
            pid, ts = rows[i]
            v = of_pid[pid] = of_pid.get(pid, ts) + unzigzag(v) & U64
        elif transform == FROM_PID:
            v = rows[i][0] + unzigzag(v) & U64
        else:
            v = v - 1 if v else largest + 1
            largest = max(largest, v)
        found.append(v)
    return found


class Rows:
    """Section 5. stored: of each stream the numbers before its transform, by (column, part); missing: the columns that
    cannot be shown, 5.2; values: of all others those of the rows that carry them, None where not known."""
    def __init__(self, schema, tags, body):
        self.schema, self.tags, self.stored, cursor = schema, tags, {}, Cursor(body)
        self.streams = check_directory(schema, tags, len(body))
        self.packed = {key: (s, cursor.take(s.stored)) for key, s in self.streams.items()}
        self.missing = {s.column for s in self.streams.values() if s.packing > ZSTD or s.transform > FIRST_USE}
        if C_PID in self.missing:
            self.missing |= {s.column for s in self.streams.values() if s.transform in (BY_PID, FROM_PID)}
        self.missing |= {i for i in schema if schema[i].type in (STR, LIST) and STRINGS in self.missing}
        demand(not self.missing & {C_KIND, C_TS}, "5.2: kind or ts in a reserved encoding")
        self.kinds = unpack(*self.packed[C_KIND, 0])
        demand(Counter(self.kinds) == Counter(tags["KINDS"]), "3.2: KINDS are not those of the rows")
        self.ts = [tags["TIME"][0] + v for v in self.numbers(C_TS, 0)]
        demand(max(self.ts) <= sum(tags["TIME"]), "5.3: a ts behind TIME")
        pids = iter(self.numbers(C_PID, 0) if C_PID in schema and C_PID not in self.missing else ())
        self.pids = [next(pids, 0) if C_PID in schema and schema[C_PID].kinds >> kind & 1 else 0 for kind in self.kinds]
        self.strings = self.table() if STRINGS not in self.missing else []
        self.values = {i: self.column(column) for i, column in schema.items() if i not in self.missing}

    def numbers(self, i, part):
        """5.3: of a stream; zeros where there is none."""
        if (i, part) in self.packed and (i, part) not in self.stored:
            stream, data = self.packed[i, part]
            rows = [(self.pids[row], self.ts[row]) for row, kind in enumerate(self.kinds)
                    if self.schema[i].kinds >> kind & 1] if stream.transform in (BY_PID, FROM_PID) else ()
            self.stored[i, part] = restore(stream.transform, unpack(stream, data), rows)
        absent = () if part or i == STRINGS else [0] * carriers(self.schema[i], self.tags["KINDS"])
        return self.stored.get((i, part), absent)

    def table(self):
        """5.4: the strings, the first behind a None."""
        lengths, text = self.numbers(STRINGS, 0), Cursor(bytes(self.numbers(STRINGS, 1)))
        demand(sum(lengths) == len(text.data) and 0 not in text.data, "5.4: a NUL, or not the lengths of the strings")
        demand(max(lengths, default=0) <= 2 * MIB, "2.5: a string of over 2 MiB")
        return [None, *map(text.take, lengths)]

    def column(self, column):
        """4.1, 5.4: what the stored numbers of a column stand for."""
        numbers, items = self.numbers(column.id, 0), iter(self.numbers(column.id, 1))
        if column.type == UINT:
            return self.ts if column.id == C_TS else numbers
        if column.type == OPT:
            return [v - 1 if v else None for v in numbers]
        if column.type == STR:
            demand(max(numbers, default=0) < len(self.strings), "5.4: a number over that of the last string")
            return [self.strings[v] for v in numbers]
        if column.type != LIST:
            return None
        uses = self.numbers(column.id, 1)
        demand(sum(v - 1 for v in numbers if v) == len(uses), "5.1: n is not the sum of the lengths of the lists")
        demand(not uses or 1 <= min(uses) and max(uses) < len(self.strings), "5.4: an item that is no string")
        lists = [[self.strings[next(items)] for _ in range(v - 1)] if v else None for v in numbers]
        demand(all(sum(map(len, v)) + len(v) <= 4 * MIB for v in lists if v), "2.5: a list of over 4 MiB")
        return lists

    def events(self):
        """The rows, each as the columns that it has and their values, and its wall-clock time (2.4, 3.6)."""
        shown = [(column, iter(self.values[i])) for i, column in self.schema.items() if self.values.get(i) is not None]
        moments, offsets = self.tags["OFFSETS"]
        for kind, ts in zip(self.kinds, self.ts):
            row = [(column, next(values)) for column, values in shown if column.kinds >> kind & 1]
            yield row, wall_clock(ts, offsets[bisect_right(moments, ts) - 1])

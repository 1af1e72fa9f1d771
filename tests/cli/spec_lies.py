"""Captures that are whole and wrong: records that were changed, with their checksums made right again."""
import struct
import zlib

import etz
import lab
import spec_check
import spec_decoder
import spec_rows


def records_of(data):
    at = 0
    while at < len(data):
        record = spec_decoder.frame(data, at)
        yield record
        at = record.end + (at - record.end) % 8


def bytes_of(record):
    """A record with its checksums right."""
    start = struct.pack("<8s8sQHHIIII", spec_decoder.MAGIC, record.file_id, record.seq, record.type, record.flags,
                        len(record.head), len(record.body), zlib.crc32(record.head), zlib.crc32(record.body))
    out = start + struct.pack("<I", zlib.crc32(start)) + record.head + record.body
    return out + bytes(-len(out) % 8)


def sealed(data, record, **changes):
    """data with a record of it changed."""
    return data[:record.at] + bytes_of(record._replace(**changes)) + data[record.end + (record.at - record.end) % 8:]


def last(data, kind):
    return [record for record in records_of(data) if record.type == kind][-1]


def tags_of(record):
    return dict(spec_decoder.split_head(record.head))


def joined(tags):
    return b"".join(etz.tag(number, tags[number]) for number in sorted(tags))


def tag(kind, number, change):
    """What changes a tag of the last record of a type; None for a value leaves it out."""
    def changed(data):
        record = last(data, kind)
        tags = tags_of(record)
        value = change(tags.get(number, b""))
        tags[number] = value
        return sealed(data, record, head=joined({i: v for i, v in tags.items() if v is not None}))
    return changed


def field(kind, **fields):
    return lambda data: sealed(data, last(data, kind), **fields)


def flip(at):
    def flipped(value):
        value = bytearray(value)
        value[at] ^= 1
        return bytes(value)
    return flipped


def value(new):
    return lambda _: new


def wider(told):
    """A TIME."""
    return told[:8] + etz.varint(spec_rows.Cursor(told[8:]).one("v") + 1)


def padding(data):
    record = next(record for record in records_of(data) if record.end % 8)
    return data[:record.end] + b"\1" + data[record.end + 1:]


def header(*changed, leave=()):
    """A FILE_HEADER with the columns of 4.2, some of them changed or left out."""
    columns = {**spec_check.COLUMNS, **{column.id: column for column in changed}}
    schema = b"".join(etz.varint(i) + bytes([c.type, c.unit]) + struct.pack("<H", c.kinds) + etz.name(c.name.encode())
                      for i, c in sorted(columns.items()) if i not in leave)
    return etz.record(etz.FILE_HEADER, joined({1: b"\1\0", 5: b"\7", 7: schema}))


def column(i, **fields):
    return spec_check.COLUMNS[i]._replace(**fields)


def one(*streams, kind=etz.EXEC, rows=1, head=None, **more):
    """A segment of one row record."""
    return (head or header()) + etz.chunk(rows, streams, kind=kind, **more) + etz.end(rows, kind)


def lost(*streams, **more):
    return one(*streams, kind=6, record_type=etz.LOST, **more)


def several(*latest):
    """A row at the same moment in each record."""
    return header() + b"".join(etz.chunk(1, [], seq=i, LATEST=None if wall is None else etz.u64(wall))
                               for i, wall in enumerate(latest)) + etz.end(len(latest))


def host(*pairs):
    body = b"".join(etz.name(key) + etz.name(text) for key, text in pairs)
    return header() + etz.record(etz.HOST, body=body) + etz.end(0)


def text(*texts):
    return etz.strings(*texts)


NOW = etz.BOOT + etz.OFFSET
ENDED = header() + etz.chunk(1, []) + etz.end(1)
# What is to be done to a capture of make_capture, or one of its own, and the fault that it is then found to have.
LIES = (
    (field(etz.HOST, flags=1), "3.1: flags are not 0"),
    (padding, "3.1: padding is not 0, or missing"),
    (lambda data: tag(etz.END, 20, value(data[:16]))(data), "3.1: magic and file_id stand in the record again"),
    (field(etz.END, body=b"x"), "3.3: a body"),
    (tag(etz.END, 9, value(None)), "3.2: no PLACE"),
    (tag(etz.END, 10, value(b"\1")), "3.2: ROWS in a record of type 8"),
    (tag(etz.CHUNK, 14, value(b"\1\0")), "3.2: a count of 0 in LOST"),
    (tag(etz.END, 20, value(b"\xff")), "3.2: REASON is not UTF-8"),
    (tag(etz.FILE_HEADER, 6, value(b"\xff")), "3.2: PROGRAM is not UTF-8"),
    (tag(etz.CHUNK, 9, flip(0)), "3.2: PLACE says"),
    (tag(etz.CHUNK, 9, flip(-1)), " back, not "),
    (tag(etz.CHUNK, 14, value(None)), "4.4: LOST shrinks"),
    (tag(etz.LOST, 14, value(None)), "4.4: LOST under the rows"),
    (header() + etz.chunk(1, [etz.const(31, 1, 1), etz.const(32, 1, 9)], kind=6, record_type=etz.LOST, LOST=b"\x09\1")
     + etz.end(1, 6, LOST=b"\x09\1"), "4.4: LOST with a reserved cause"),
    (tag(etz.END, 14, value(b"\1\x12")), "4.4: LOST is not what the rows say"),
    (tag(etz.END, 15, flip(1)), "3.2: KINDS are not those of the segment"),
    (tag(etz.END, 21, value(b"\0")), "6.5: STEP_BACK is under"),
    (tag(etz.FOOTER, 22, value(None)), "3.7: a FOOTER of another size than 72"),
    (tag(etz.FOOTER, 22, flip(0)), "3.7: END_AT"),
    (tag(etz.FOOTER, 23, flip(0)), "3.7: SEGMENT_LEN"),
    (tag(etz.CHUNK, 11, wider), "3.2: TIME"),
    (tag(etz.CHUNK, 13, value(etz.u64(0))), "6.5: LATEST gets smaller"),
    (tag(etz.CHUNK, 13, value(None)), "3.2: no LATEST"),
    (tag(etz.CHUNK, 16, flip(-1)), "5.5: STATS of"),
    (tag(etz.CHUNK, 17, flip(0)), "5.5: COMMS are not those of the rows"),
    (ENDED + etz.record(etz.HOST, seq=1), "6.2: a record behind END"),
    (ENDED + etz.footer(0, 0, 1) + etz.record(etz.HOST, seq=1), "3.7: a record behind FOOTER"),
    (header() + etz.footer(0, 0), "3.7: a FOOTER that is not right behind END"),
    (one(head=header(column(7, unit=6))), "4.2: column 7 is not uid as described"),
    (one(head=header(column(7, id=200), leave=(7,))), "4.1: uid as column 200"),
    (host((b"cpus", b"two")), "3.4: cpus is not decimal"),
    (host((b"utc_offset", b"+1")), "3.4: utc_offset"),
    (host((b"scope", b"some")), "3.4: scope"),
    (one(record_type=etz.PROC), "3.3: a kind in another type of record"),
    (several(NOW), "3.2: LATEST in the first row record"),
    (several(None, None), "3.2: no LATEST"),
    (several(None, NOW + 1, NOW), "6.5: LATEST gets smaller"),
    (several(None, NOW - 1), "6.5: LATEST is before a row that came before"),
    (one(etz.const(7, 1, 0)), "5.1: column 7 is all zeros"),
    (one(etz.const(20, 1, 2)), "4.1: argv_truncated is over 1"),
    (one(*text(b"a"), etz.const(13, 1, 2, etz.FIRST_USE)), "5.3: column 13: not first use"),
    (one(STATS=b"\x16\1\0"), "5.5: STATS of errno, which no row has"),
    (one(STATS=b"\7\1\1"), "5.5: STATS of uid are wrong"),
    (one(*text(b"a"), etz.const(11, 1, 1)), "5.5: no COMMS"),
    (one(*text(b"a"), etz.const(11, 1, 1), COMMS=b"\1\0"), "5.5: COMMS are not those of the rows"),
    (one(*text(b"a", b"a"), etz.const(11, 1, 1), etz.const(13, 1, 2)), "5.4: a string twice"),
    (one(*text(b"a", b"b"), etz.const(11, 1, 2), etz.const(13, 1, 1)), "5.4: string 2 is used before 1"),
    (one(*text(b"a")), "5.4: strings that no row uses"),
    (one(kind=7, head=header(column(1, kinds=254), column(2, kinds=254))), "4.2: a reserved kind"),
    (one(etz.const(33, 1, etz.BOOT + 2), kind=etz.EXIT), "4.2: exec_ts behind ts"),
    (one(etz.const(33, 1, etz.BOOT)), "4.2: exec_ts of an exec is not its ts"),
    (lost(etz.const(29, 1, etz.BOOT)), "4.2: until before ts"),
    (one(*text(b"16 bytes is a lot"[:16]), etz.const(11, 1, 1)), "4.2: a comm of over 15 bytes"),
    (one(etz.const(18, 1, 2)), "4.2: argc or argv_bytes of a whole argv"),
    (one(etz.const(19, 1, 2)), "4.2: argc or argv_bytes of a whole argv"),
    (one(*text(b"a"), etz.const(17, 1, 3), etz.const(17, 2, 1, part=1), etz.const(18, 1, 2), etz.const(20, 1, 1)),
     "4.2: argc under the items of argv"),
    (one(etz.const(49, 1, 2)), "4.2: env_count or env_bytes of a whole env"),
    (one(*text(b"a"), etz.const(48, 1, 3), etz.const(48, 2, 1, part=1), etz.const(49, 1, 2), etz.const(51, 1, 1)),
     "4.2: env_count under the items of env"),
    (one(etz.const(23, 1, 1), etz.const(24, 1, 10), kind=etz.EXIT), "4.2: both exit_code and signal"),
    (one(etz.const(25, 1, 1), kind=etz.EXIT), "4.2: core without a signal"),
    (lost(etz.const(32, 1, 9)), "4.4: a reserved cause"),
    (header() + etz.record(etz.HOST, body=etz.name(b"scope") + etz.name(b"command"))
     + etz.chunk(1, [etz.const(17, 1, 1)], kind=5, record_type=etz.PROC) + etz.end(1, 5),
     "3.3: argv or cwd of a proc row, where scope is command"),
)


def mutated(rng, data):
    """A capture with one thing changed in one record, and its checksums right."""
    record = rng.choice(list(records_of(data)))

    def change(old, ends):
        new = bytearray(old)
        place = rng.randrange(len(new)) if new else 0
        if not new or ends and rng.random() < 0.1:
            new.insert(place, rng.choice((0, 1, 127, 128, 255)))
        elif ends and rng.random() < 0.1:
            del new[place]
        else:
            new[place] = rng.choice((new[place] ^ 1 << rng.randrange(8), (new[place] + 1) % 256, 0, 255))
        return bytes(new)
    part = rng.random()
    if part < 0.3 and record.body:
        return sealed(data, record, body=change(record.body, False))
    if part < 0.5:
        return sealed(data, record, head=change(record.head, False))
    tags = tags_of(record)
    number = rng.choice(list(tags))
    if part < 0.6:
        tags[rng.choice((number + 1, 40))] = tags.pop(number)
    else:
        tags[number] = change(tags[number], True)
    return sealed(data, record, head=joined(tags))


def unpacked(data):
    """A capture with all streams as they are behind zstd, so that a changed byte is a changed number."""
    out, last_names, ended = b"", None, 0
    for record in records_of(data):
        tags, body = tags_of(record), record.body
        if record.type in spec_decoder.ROWS:
            cursor, directory, body = spec_rows.Cursor(record.body), b"", b""
            for column, part, code, n, stored in spec_rows.Cursor(tags[18]).form("*v11vv"):
                stream = cursor.take(stored)
                if code >> 2 & 3 == spec_rows.ZSTD:
                    code, stream = code & ~12 | spec_rows.RAW << 2, lab.run(["zstd", "-dcq"], input=stream).stdout
                directory += etz.varint(column) + bytes([part, code]) + etz.varint(n) + etz.varint(len(stream))
                body += stream
            tags[18] = directory
        if 9 in tags:
            tags[9] = etz.place(len(out), 0 if last_names is None else len(out) - last_names)
        ended = len(out) if record.type == etz.END else ended
        last_names = len(out) if record.type in spec_decoder.NAMES else last_names
        if record.type == etz.FOOTER:
            tags[22], tags[23] = etz.u64(ended), etz.u64(len(out) + 72)
        out += bytes_of(record._replace(head=joined(tags), body=body))
    return out

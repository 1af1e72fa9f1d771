"""BTF as far as a test changes it: where a member of a struct is said to lie."""
import struct

INT, ARRAY, STRUCT, UNION, ENUM, FUNC_PROTO, VAR, DATASEC, DECL_TAG, ENUM64 = 1, 3, 4, 5, 6, 13, 14, 15, 17, 19
# Words behind the three of each type, and words of each of its items.
WORDS = {INT: 1, ARRAY: 3, VAR: 1, DECL_TAG: 1}
ITEM_WORDS = {STRUCT: 3, UNION: 3, ENUM: 2, FUNC_PROTO: 2, DATASEC: 3, ENUM64: 3}


class Btf:
    def __init__(self, data):
        self.data = bytearray(data)
        _, _, _, head, types, size, strings, _ = struct.unpack_from("<HBBIIIII", data)
        self.strings = head + strings
        self.types = [None]	# where they begin
        self.structs = {}	# of each name the first one
        at, end = head + types, head + types + size
        while at < end:
            name, info, _ = struct.unpack_from("<III", data, at)
            kind, count = info >> 24 & 31, info & 0xffff
            if kind == STRUCT:
                self.structs.setdefault(self.text(name), at)
            self.types.append(at)
            at += 12 + 4 * (WORDS.get(kind, 0) + ITEM_WORDS.get(kind, 0) * count)

    def place(self, at, wanted):
        """Where the place of a member is told of the struct there, or of one in it that has no name."""
        _, info, _ = struct.unpack_from("<III", self.data, at)
        for item in range(at + 12, at + 12 + 12 * (info & 0xffff), 12):
            name, kind, _ = struct.unpack_from("<III", self.data, item)
            if self.text(name) == wanted:
                return item + 8
            found = None if name or not kind else self.place_within(kind, wanted)
            if found:
                return found
        return None

    def place_within(self, number, wanted):
        _, info, _ = struct.unpack_from("<III", self.data, self.types[number])
        return self.place(self.types[number], wanted) if info >> 24 & 31 in (STRUCT, UNION) else None

    def text(self, offset):
        at = self.strings + offset
        return self.data[at:self.data.index(0, at)].decode()

    def shifted(self, structure, member, size):
        """The same, but that this member lies so many bytes elsewhere."""
        at = self.place(self.structs[structure], member)
        changed = bytearray(self.data)
        place, = struct.unpack_from("<I", changed, at)
        struct.pack_into("<I", changed, at, place + 8 * size)
        return bytes(changed)


def made(words, strings=b"\0a\0\0"):
    """Of these words of types."""
    types = struct.pack(f"<{len(words)}I", *words)
    return struct.pack("<HBBIIIII", 0xeb9f, 1, 0, 24, 0, len(types), len(types), len(strings)) + types + strings

"""A segment put together record by record, which keeps the rules that the caller does not break.

Places, counts and what is latest are worked out here; a tag that is given takes the
place of it, None leaves it out. Numbers in comments are sections of SPEC.md.
"""
import collections

import etz


class Segment:
    def __init__(self, extra=(), columns=etz.EVERY_COLUMN, file_id=etz.FILE_ID, flags=0, **more):
        self.file_id = file_id
        self.data = etz.header(extra, columns, file_id, flags, **{
            "PROGRAM": b"generate.py", "STARTED": etz.u64(etz.BOOT) + etz.u64(etz.OFFSET), **more})
        self.seq = self.names_at = self.step_back = self.end_at = 0
        self.kinds = collections.Counter()
        self.lost = collections.Counter()
        self.latest = None

    def put(self, data):
        """Bytes as they are."""
        self.data += data
        return self

    def place(self):
        """3.2: where a record stands that is put here, and how far back the names are."""
        at = len(self.data)
        return etz.place(at, at - self.names_at if self.names_at else 0)

    def counted(self):
        """3.2: the value of LOST, as far as rows have told."""
        return etz.counts(sorted(self.lost.items())) if self.lost else None

    def record(self, kind, body=b"", head=b"", change=bytes, flags=0, **more):
        """One without rows; head: further tags, which are put behind the others."""
        tags = etz.tags(**{"PLACE": self.place(), **more}) + head
        at = len(self.data)
        self.put(change(etz.record(kind, tags, body, self.seq, self.file_id, flags)))
        if kind in (etz.HOST, etz.USERS, etz.CGROUPS, etz.EXES):
            self.names_at = at
        return self

    def rows(self, n, streams=(), kind=etz.EXEC, at=etz.BOOT, span=0, kinds=None, walls=None, lost=(),
             change=bytes, record_type=etz.CHUNK, **more):
        """5: kinds: how many of each; walls: first and last on the wall clock; lost: pairs of what the rows say."""
        kinds = kinds or {kind: n}
        low, high = walls or (at + etz.OFFSET, at + span + etz.OFFSET)
        self.lost.update(dict(lost))
        latest = None if self.latest is None else etz.u64(self.latest)
        tags = {"PLACE": self.place(), "LATEST": latest, "LOST": self.counted(),
                "KINDS": etz.counts(sorted(kinds.items())), **more}
        self.put(change(etz.chunk(n, streams, self.seq, at, span, kind, record_type, self.file_id, **tags)))
        if self.latest is not None:
            self.step_back = max(self.step_back, self.latest - low)
        self.latest = high if self.latest is None else max(self.latest, high)
        self.seq += n
        self.kinds.update(kinds)
        return self

    def end(self, **more):
        """3.2, 6.5."""
        self.end_at = len(self.data)
        self.put(etz.record(etz.END, etz.tags(**{
            "PLACE": self.place(), "LOST": self.counted(), "KINDS": etz.counts(sorted(self.kinds.items())),
            "END_TIME": etz.u64(2 * etz.BOOT) + etz.u64(etz.OFFSET), "REASON": b"made by hand",
            "STEP_BACK": etz.varint(self.step_back), **more}), seq=self.seq, file_id=self.file_id))
        return self

    def footer(self, **more):
        """3.7: 72 bytes."""
        head = etz.tags(**{"END_AT": etz.u64(self.end_at), "SEGMENT_LEN": etz.u64(len(self.data) + 72), **more})
        return self.put(etz.record(etz.FOOTER, head, seq=self.seq, file_id=self.file_id))

    def done(self):
        """With END and FOOTER, as bytes."""
        return self.end().footer().data

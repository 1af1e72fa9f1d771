"""A made-up machine: processes that fork, execute and end, every string of every event its own.

A World writes the text that the helper write_capture takes, and knows of each event
what it says, which strings are its own, and whose rows tell of its ancestors.
"""
import random
import struct
import subprocess
import zlib

import etz
import lab

BOOT = "00112233445566778899aabbccddeeff"
OFFSET = 1_790_000_000 * 10**9
SECOND = 10**9


class Process:
    def __init__(self, pid, start, parent, uid, comm):
        self.pid, self.start, self.parent, self.uid, self.comm = pid, start, parent, uid, comm
        self.creator = parent	# stays, when it is left to another
        self.birth = None	# its row of kind fork or proc
        self.execs = []		# its rows of kind exec
        self.told = None	# its parent, as its last row says
        self.alive = True


def quote(data):
    return "".join(chr(b) if b < 128 and chr(b).isalnum() else f"%{b:02X}" for b in data.encode())


class World:
    """rows: those the capture has, in the order of time; each a dictionary of fields."""

    def __init__(self, seed, events=300, start=5 * SECOND, boot=BOOT, offset=OFFSET, lose_forks=0.1, lost=0.03, pids=60):
        self.rng = random.Random(seed)
        self.boot, self.offset, self.now, self.begun = boot, offset, start, start
        self.prefix = f"{seed:x}"
        self.pids, self.count = pids, 0
        self.rows, self.extra = [], []	# extra: causes and numbers of losses without rows
        self.exes = {}	# by path: what EXES says
        self.uids = [self.rng.randrange(1 << 16, 1 << 31) for _ in range(6)]
        self.alive = {}
        init = self.born(1, None, 0)
        self.snapshot([init] + [self.born(self.pid(), init, self.rng.choice(self.uids)) for _ in range(6)])
        for _ in range(events):
            self.step(lose_forks, lost)

    def marker(self, what):
        self.count += 1
        return f"{what}{self.prefix}q{self.count:x}z"

    def tick(self):
        self.now += self.rng.choice((1, 50, 1000, 30000, 2000000, 40000000))
        return self.now

    def pid(self):
        while True:
            pid = self.rng.randrange(2, self.pids + 2)
            if pid not in self.alive:
                return pid

    def born(self, pid, parent, uid):
        process = Process(pid, self.now, parent, uid, self.marker("c"))
        self.alive[pid] = process
        return process

    def row(self, kind, process, **fields):
        fields = {"kind": kind, "ts": fields.pop("ts", None) or self.tick(), "pid": process.pid, "start": process.start,
                  "ppid": process.parent.pid if process.parent else 0, "uid": process.uid, "gid": process.uid + 1,
                  "cgroup": process.uid + 2, "comm": process.comm, **fields}
        fields["process"], fields["parent"] = process, process.parent
        process.told = process.parent
        self.rows.append(fields)
        return len(self.rows) - 1

    def argv(self):
        return [self.marker("a") for _ in range(self.rng.randrange(4))] + self.rng.choice(([], [""], ["-x", "é"]))

    def exe(self):
        """The fields of a row that name an executable of its own; the capture has more to say of it."""
        path = "/" + self.marker("e")
        self.exes[path] = {"dev": 8 << 20 | self.rng.randrange(9), "inode": self.rng.randrange(1 << 40),
                           "size": self.rng.randrange(1 << 20), "mtime": self.offset + self.rng.randrange(SECOND),
                           "build_id": self.marker("b"), "interpreter": "/" + self.marker("l")}
        return {"exe": path, "exe_dev": self.exes[path]["dev"], "exe_inode": self.exes[path]["inode"]}

    def snapshot(self, processes):
        self.tick()
        for process in self.rng.sample(processes, len(processes)):
            process.birth = self.row("proc", process, start=process.start // 10**7 * 10**7, argv=self.argv(),
                                     **self.exe(), cwd="/" + self.marker("d"))

    def step(self, lose_forks, lost):
        process = self.rng.choice(list(self.alive.values()))
        what = self.rng.random()
        if what < lost:
            # At the same moment as the event before, as the recorder has it.
            ts = self.now if self.rng.random() < .5 else self.tick()
            self.rows.append({"kind": "lost", "ts": ts, "until": ts + self.rng.randrange(1000), "cause": self.rng.choice((1, 2)),
                              "count": self.rng.randrange(1, 100), "cpu": 1})
        elif what < .35 and len(self.alive) < self.pids - 5:
            self.tick()
            child = self.born(self.pid(), process, process.uid)
            child.comm = process.comm
            if self.rng.random() >= lose_forks:
                child.birth = self.row("fork", child, ts=self.now)
        elif what < .55:
            process.uid, process.comm = self.rng.choice((process.uid, self.rng.choice(self.uids))), self.marker("c")
            ts = self.tick()
            process.execs.append(self.row("exec", process, ts=ts, exec_ts=ts, tid=process.pid, euid=process.uid,
                                          filename="/" + self.marker("f"), **self.exe(),
                                          cwd="/" + self.marker("d"), argv=self.argv(),
                                          **({"interpreter": self.marker("i")} if self.rng.random() < .2 else {})))
        elif what < .75:
            self.row("fail", process, filename="/" + self.marker("f"), argv=self.argv(), errno=2)
        elif process.pid != 1:
            self.row("exit", process, **self.rng.choice(({"exit_code": self.rng.randrange(3)}, {"signal": 9})))
            process.alive = False
            del self.alive[process.pid]
            for child in self.alive.values():
                if child.parent is process:
                    child.parent = self.alive[1]

    def ancestors(self, index):
        """Numbers of the rows that say who the ancestors of the event were, as far as rows tell."""
        row, found = self.rows[index], set()
        process = row.get("parent")
        while process is not None:
            rows = [i for i, r in enumerate(self.rows[:index]) if r.get("process") is process]
            if any(self.rows[i]["kind"] == "exit" for i in rows):
                break
            if process.birth is not None and (process.birth < index or self.rows[process.birth]["kind"] == "proc"):
                found.add(process.birth)
                rows.append(process.birth)
            found |= {i for i in process.execs[:] if i < index and i == max(e for e in process.execs if e < index)}
            if not rows:
                break
            process = self.rows[max(i for i in rows if i < index or i == process.birth)]["parent"]
        return found

    def owned(self, row):
        """The strings that only this event has."""
        texts = [row.get(name) for name in ("filename", "exe", "cwd", "interpreter")] + row.get("argv", [])
        exe = self.exes.get(row.get("exe"), {})
        texts += [exe.get("build_id"), exe.get("interpreter")]
        return {text.strip("/").encode() for text in texts if text and self.prefix + "q" in text}

    def names(self, row):
        """The strings that events have in common: comm and the names of ids."""
        ids = {row.get(name) for name in ("uid", "gid", "euid", "egid", "cgroup")} - {None}
        return {row.get("comm", "").encode()} | {self.name(i).encode() for i in ids} if row["kind"] != "lost" else set()

    def name(self, number):
        return f"n{self.prefix}q{number:x}z"

    def exe_text(self, path):
        return " ".join(["exe", quote(path)] + [f"{name}={quote(value) if isinstance(value, str) else value}"
                                                for name, value in self.exes[path].items()])

    def text(self, chunk=40, end="done", drop=()):
        """What write_capture takes; rows of a chunk step back in time a little, as the kernel's do."""
        out = [f"segment boot={self.boot} ts={self.begun} realtime={self.offset}",
               f"host hostname h{self.prefix}", f"host command cmd{self.prefix}z", f"host options opt{self.prefix}z",
               "host utc_offset 3600"]
        for uid in [0, *self.uids]:
            out += [f"user {uid} {self.name(uid)}", f"group {uid + 1} {self.name(uid + 1)}",
                    f"cgroup {uid + 2} {self.name(uid + 2)}"]
        waiting = []
        for i, row in enumerate(self.rows):
            if i in drop:
                continue
            words = ["lost_row" if row["kind"] == "lost" else row["kind"]]
            for name, value in row.items():
                if name == "argv":
                    words.append("argv=" + "".join(quote(item) + "," for item in value))
                elif name not in ("kind", "process", "parent"):
                    words.append(f"{name}={quote(value) if isinstance(value, str) else value}")
            out.append(" ".join(words))
            # What is known of an executable comes when it was looked at, which may be later.
            waiting += [row["exe"]] if "exe" in row else []
            if i % 7 == 6:
                out += map(self.exe_text, waiting)
                waiting = []
            if i % chunk == chunk - 1:
                out.append("chunk")
        out += map(self.exe_text, waiting)
        out += [f"lost {cause} {count}" for cause, count in self.extra]
        if end:
            out.append(f"end ts={self.now + 1} {quote(end)}")
        return "\n".join(out) + "\n"


def write(path, *texts):
    with open(path, "wb") as file:
        lab.run([lab.helper("write_capture")], input="".join(texts).encode(), stdout=file)
    return path


# ---- Every byte of a capture, unpacked: SPEC.md alone ------------------------------

def take_varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7f) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def varints(data):
    at, out = 0, []
    while at < len(data):
        value, at = take_varint(data, at)
        out.append(value)
    return out


def records(data):
    """(type, {tag: value}, body) of each record of a whole capture."""
    at = 0
    while at < len(data):
        assert data[at:at + 8] == etz.MAGIC, f"no record at {at}"
        kind, _, head_len, body_len = struct.unpack_from("<HHII", data, at + 24)
        head, body = data[at + 48:at + 48 + head_len], data[at + 48 + head_len:at + 48 + head_len + body_len]
        values, i = {}, 0
        while i < len(head):
            tag, i = take_varint(head, i)
            size, i = take_varint(head, i)
            values[tag] = head[i:i + size]
            i += size
        yield kind, values, body
        at += 48 + head_len + body_len
        at += -at % 8


def streams(directory, body):
    """(column, part, encoding, n, stored bytes) of a row record: 5.1."""
    i = at = 0
    while i < len(directory):
        column, i = take_varint(directory, i)
        part, encoding = directory[i], directory[i + 1]
        n, i = take_varint(directory, i + 2)
        stored, i = take_varint(directory, i)
        yield column, part, encoding, n, body[at:at + stored]
        at += stored
    assert at == len(body)


def unpacked(data):
    """All heads and bodies one behind the other, each column decompressed."""
    plain, packed = [], []
    for _, head, body in records(data):
        plain += head.values()
        if etz.COLUMNS_TAG not in head:
            plain.append(body)
            continue
        for _, _, encoding, _, stored in streams(head[etz.COLUMNS_TAG], body):
            (packed if encoding >> 2 & 3 == 2 else plain).append(stored)
    out = b"".join(packed)
    if out:
        out = subprocess.run(["zstd", "-dc"], input=out, stdout=subprocess.PIPE, check=True).stdout
    return b"\0".join(plain) + b"\0" + out


def statistics(data):
    """{column: stored numbers} that STATS of the heads name, and the hashes of COMMS: 5.5."""
    columns, comms = {}, set()
    for _, head, _ in records(data):
        numbers = iter(varints(head.get(16, b"")))
        for column in numbers:
            n = next(numbers)
            columns.setdefault(column, set()).update(next(numbers) for _ in range(n or 2))
        value = head.get(17, b"")
        comms |= set(struct.unpack(f"<{len(value) // 2}H", value))
    return columns, comms


def comm_hash(comm):
    return zlib.crc32(comm.encode()) & 0xffff

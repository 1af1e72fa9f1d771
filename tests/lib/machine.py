"""A made-up machine that knows how long each of its processes ran, as what, and whose child it was.

Unlike world.py, where strings tell what a capture may hold, this one is for what follows from many
events: what ran when, under whom, and what it took.
"""
import random

SECOND = 10**9
NAMES = ["make", "sh", "gcc", "cc1", "as", "ld", "a;b", "x y", "nl\nx", 'q"\\', "é", "\x1b[31m", "fifteen-letters"]
BOOT = "00112233445566778899aabbccddeeff"


def quote(text):
    return "".join(chr(b) if b < 128 and chr(b).isalnum() else f"%{b:02X}" for b in text.encode())


class Process:
    def __init__(self, pid, start, parent, comm):
        self.pid, self.start, self.parent, self.forked_by, self.comm = pid, start, parent, parent, comm
        self.uid = parent.uid if parent else 0
        self.base = parent.stack if parent else ()
        self.stack = self.base
        self.found = self.over = self.active = False
        self.execs = 0
        self.began = start
        self.end = None		# when; None: it runs at the end
        self.result = None
        self.fork_ts = None
        self.slice = None	# the one that is open
        # Of its own time: whether it counts, since when, and how many children live.
        self.counts, self.at, self.living = False, start, 0


class Machine:
    """slices, wall, cpu, count, processes: what a recording of it has to show."""

    def __init__(self, seed, events=400, pids=40, boot=BOOT, realtime=1_790_000_000 * SECOND, start=5 * SECOND, calm=False):
        self.rng = random.Random(seed)
        self.boot, self.realtime, self.now, self.begun = boot, realtime, start, start
        self.pids, self.calm = pids, calm
        self.rows, self.alive, self.processes, self.slices, self.lost = [], {}, [], [], []
        self.wall, self.cpu, self.count, self.fails = {}, {}, 0, []
        init = self.find(1, None, "init")
        self.find(7, self.find(5, init, "sshd"), "sh")
        for _ in range(events):
            self.step()
        self.last = self.now
        for process in self.processes:
            if not process.over:
                self.weigh(process)
                self.close(process, self.now, "running")

    # ---- What happens ---------------------------------------------------------------

    def tick(self):
        self.now += self.rng.choice((1, 7, 999, 1000, 30_001, 2_000_003, 40_000_000))
        return self.now

    def row(self, kind, process, ts, **fields):
        parent = process.parent.pid if process.parent else 0
        fields = {"kind": kind, "ts": ts, "pid": process.pid, "start": process.start, "ppid": parent,
                  "uid": process.uid, "comm": process.comm, **fields}
        self.rows.append(fields)

    def find(self, pid, parent, comm):
        """A process that ran before the recording began."""
        process = Process(pid, self.begun - SECOND, parent, comm)
        process.found = True
        process.stack = process.base + (comm,)
        self.alive[pid] = process
        self.processes.append(process)
        self.row("proc", process, self.begun, argv=[comm])
        if parent:
            parent.living += 1
        return process

    def step(self):
        what = self.rng.random()
        process = self.rng.choice(list(self.alive.values())[1:])
        if what < .35 and len(self.alive) < self.pids - 5:
            self.fork(process)
        elif what < .65:
            self.execute(process)
        elif what < .72:
            self.tick()
            process.active = True
            self.fails.append((process.pid, self.now))
            self.row("fail", process, self.now, filename="/no/" + process.comm, argv=["x", "y z"], errno=2)
        elif what < .74:
            ts = self.tick()
            until = ts + self.rng.randrange(10**6)
            self.lost.append((ts, until, 3))
            self.rows.append({"kind": "lost_row", "ts": ts, "until": until, "cause": 1, "count": 3, "cpu": 1})
        elif process.pid > 7:
            self.exit(process)

    def fork(self, parent):
        pid = self.rng.choice([n for n in range(10, self.pids + 10) if n not in self.alive])
        ts = self.tick()
        child = Process(pid, ts, parent, parent.comm)
        self.weigh(parent)
        parent.living += 1
        child.fork_ts, child.counts = ts, True
        child.parent_slice = parent.slice
        self.alive[pid] = child
        self.processes.append(child)
        self.row("fork", child, ts)

    def execute(self, process):
        ts = self.tick()
        self.weigh(process)
        self.close(process, ts, "exec")
        if self.rng.random() < .2 and not self.calm:
            process.uid = self.rng.choice((0, 1000))
        process.comm = self.rng.choice(NAMES[:6] if self.calm else NAMES)
        process.stack = process.base + (process.comm,)
        process.counts = process.active = True
        process.execs += 1
        self.count += 1
        process.slice = {"pid": process.pid, "start": process.start, "comm": process.comm, "begin": ts, "kind": "exec",
                         "uid": process.uid, "process": process}
        self.slices.append(process.slice)
        self.row("exec", process, ts, tid=process.pid, filename="/bin/" + process.comm, exe="/bin/" + process.comm,
                 cwd="/w", argv=[process.comm, "-a", ""], exec_ts=ts)

    def exit(self, process):
        ts = self.tick()
        self.weigh(process)
        process.over, process.end = True, ts
        utime, stime = self.rng.randrange(10**7), self.rng.randrange(10**6)
        self.cpu[process.stack] = self.cpu.get(process.stack, 0) + utime + stime
        process.result = self.rng.choice(({"exit_code": 0}, {"exit_code": 2}, {"signal": 9}))
        self.row("exit", process, ts, utime=utime, stime=stime, max_rss=4096, **process.result)
        self.close(process, ts, "exit")
        del self.alive[process.pid]
        for child in self.alive.values():
            if child.parent is process:
                child.parent = self.alive[1]
        if process.forked_by and not process.forked_by.over:
            self.weigh(process.forked_by)
        process.forked_by.living -= 1

    def close(self, process, ts, how):
        """The slice that is open ends; one that was forked and never executed anything has one now."""
        if process.slice is None and how != "exec" and process.fork_ts is not None and not process.execs:
            process.slice = {"pid": process.pid, "start": process.start, "comm": process.comm, "begin": process.fork_ts,
                             "kind": "fork", "uid": process.uid, "process": process}
            self.slices.append(process.slice)
        if process.slice is not None:
            process.slice["end"], process.slice["how"] = ts, how
        process.slice = None

    def weigh(self, process):
        """The time in which the process did what it is, while none of its children lived."""
        if process.counts and not process.living and not process.over:
            self.wall[process.stack] = self.wall.get(process.stack, 0) + self.now - process.at
        process.at = self.now

    # ---- The capture ----------------------------------------------------------------

    def text(self, chunk=50):
        """What the helper write_capture takes."""
        out = [f"segment boot={self.boot} ts={self.begun} realtime={self.realtime}", "host hostname machine", "user 1000 ann"]
        for i, row in enumerate(self.rows):
            words = [row["kind"]]
            for name, value in row.items():
                if name == "argv":
                    words.append("argv=" + "".join(quote(item) + "," for item in value))
                elif name != "kind":
                    words.append(f"{name}={quote(value) if isinstance(value, str) else value}")
            out.append(" ".join(words))
            out += ["chunk"] if i % chunk == chunk - 1 else []
        return "\n".join(out + [f"end ts={self.now + 1} done"]) + "\n"

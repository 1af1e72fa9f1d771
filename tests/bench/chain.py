"""What must hold of a recording in several files, looked at while it goes on.

Each file by itself is right to the last rule of the format, ended cleanly, and names every
process that it has events of, and that one's parent; no event is in two of them; and
together they have what happened.
"""
import collections
import json
import os

import lab

TICK = 20_000_000	# ns; /proc tells the start of a process in 10 ms
# ns that the recorder takes at most to read /proc when it begins; who ends before it comes to
# him is not known.
SNAPSHOT = 1_000_000_000


class Chain:
    """Counts the files that it is given, in their order; wrong: what is not as it should be."""

    def __init__(self, cgroup):
        self.cgroup = cgroup
        self.kept = collections.Counter()	# of our cgroup, by kind
        self.files = self.events = self.bytes = self.lost = 0
        self.lost_by_cause = collections.Counter()
        self.before = set()	# the events of the file before
        self.ended = []	# what each file says of its end
        self.wrong = []

    def add(self, path):
        name = os.path.basename(path)
        self.files += 1
        self.bytes += os.path.getsize(path)
        verdict = lab.exectrace("verify", path, code=None)
        if verdict.returncode != 0:
            self.wrong.append(f"{name}: verify: {lab.tail(verdict.stderr + verdict.stdout)}")
            return
        info = lab.info(path)
        self.lost += info["lost"]
        self.lost_by_cause.update(info["lost_by_cause"])
        self.ended.append(info.get("ended"))
        if info["state"] != "complete":
            self.wrong.append(f"{name}: {info['state']}, not complete")
        self.look_at(name, lab.exectrace("replay", "--json", path, timeout=None).stdout)

    def look_at(self, name, rows):
        alive, seen = {}, set()
        strangers = twice = known_from = 0
        rows = rows.splitlines()
        if self.files == 1:
            known_from = SNAPSHOT + next(json.loads(line)["ts"] for line in rows if line.startswith(b'{"kind":"proc"'))
        for line in rows:
            event = json.loads(line)
            kind, pid = event["kind"], event.get("pid")
            if kind == "lost":
                continue
            if kind != "proc":
                self.events += 1
                key = (kind, event["ts"], pid, event.get("tid"))
                twice += key in seen or key in self.before
                seen.add(key)
                if event.get("cgroup") == self.cgroup:
                    self.kept[kind] += 1
            if kind in ("proc", "fork"):
                alive[pid] = event["start"]
            elif event["ts"] < known_from:
                continue
            elif abs(alive.get(pid, -TICK) - event["start"]) > TICK:
                strangers += 1
                example = line
            # 0 begot the first, and the kernel's own ones.
            if kind != "proc" and event["ppid"] not in alive and event["ppid"] != 0:
                strangers += 1
                example = line
        self.before = seen
        if twice:
            self.wrong.append(f"{name}: {twice} events are there twice, or in the file before as well")
        if strangers:
            self.wrong.append(f"{name}: {strangers} events of processes, or of children of processes, that"
                              f" the file does not know, as {example.decode()}")

    def judge(self, happened):
        """When all files are there: what else is wrong."""
        if self.ended != ["the next file goes on"] * (len(self.ended) - 1) + ["signal"]:
            self.wrong.append(f"the files say that they ended: {collections.Counter(self.ended)}")
        missing = {kind: count - self.kept[kind] for kind, count in happened.items()}
        if any(count < 0 for count in missing.values()) or sum(missing.values()) > self.lost:
            self.wrong.append(f"happened {dict(happened)}, kept {dict(self.kept)}, counted as lost {self.lost}"
                              f" {dict(self.lost_by_cause)}")

#!/usr/bin/env python3
"""merge: all of several captures in one, in the order of time."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import etz  # noqa: E402
import lab  # noqa: E402
import world  # noqa: E402
from rewritten import compact, json_of, same_exes, same_rows, wall  # noqa: E402
from world import World  # noqa: E402


def not_lost(path):
    return [event for event in lab.replay(path) if event["kind"] != "lost"]


def merge_is_all_in_order():
    with lab.workdir() as work:
        whole = World(30, 1500, lost=0)
        whole.extra = [(1, 3)]
        # Three recorders of one boot, each missing some of it; their wall clocks differ a little.
        rows = range(len(whole.rows))
        parts, kept = [], []
        for k in range(3):
            drop = {i for i in rows if i % 3 != k}
            kept.append(set(rows) - drop)
            whole.offset = world.OFFSET + k * 1000
            whole.prefix, prefix = "1e", whole.prefix
            parts.append(world.write(os.path.join(work, f"p{k}.etz"), whole.text(drop=drop, end=f"end{k}")))
            whole.prefix = prefix
        whole.offset = world.OFFSET
        out = os.path.join(work, "m.etz")
        lab.exectrace("merge", "-o", out, *parts)
        same_rows(not_lost(out), whole.rows, whole, "merged parts")
        same_exes(out, whole.rows, whole, "merged parts")
        info = lab.info(out)
        lab.equal((info["segments"], info["lost_by_cause"].get("ring_full")), (1, 9), "segments and losses that add up")
        lab.equal([(e["cause"], e["count"], e["ts"]) for e in lab.replay("--kind", "lost", out)],
                  [("ring_full", 9, whole.begun)], "losses that only heads had counted")
        lab.demand(info["chunks"] <= 4, f"two clocks tear chunks: {info['chunks']}")
        lab.equal(info["properties"]["command"], "cmd1ez", "command of a merge")
        again, _ = compact(out)
        lab.demand(sorted(json_of(again).splitlines()) == sorted(json_of(out).splitlines()), "what only heads had counted is a row from then on")
        whole.extra = []
        # Sliced, several files are merged first, so ancestors are found across them.
        sliced = os.path.join(work, "s.etz")
        lab.exectrace("slice", "-o", sliced, "--kind", "exit", *parts)
        wanted = {i for i in rows if whole.rows[i]["kind"] == "exit"}
        wanted |= set().union(*(whole.ancestors(i) for i in wanted))
        same_rows(not_lost(sliced), [whole.rows[i] for i in sorted(wanted)], whole, "slice of parts")
        # One behind the other, as files of a recorder that rotates.
        third = len(whole.rows) // 3
        parts = [world.write(os.path.join(work, f"r{k}.etz"), whole.text(drop=set(rows) - set(range(k * third, (k + 1) * third if k < 2 else len(rows)))))
                 for k in range(3)]
        lab.exectrace("merge", "-f", "-o", out, *reversed(parts))
        same_rows(lab.replay(out), whole.rows, whole, "merged files in a row")
        lab.equal(lab.info(out)["segments"], 1, "segments")


def merge_unites_executables():
    """What one capture knows of an executable and another does not; and a file that was written anew."""
    row = "exec ts=%d pid=7 exe=%%2Fbin%%2Fls exe_dev=8388609 exe_inode=42\n"
    known = "exe %%2Fbin%%2Fls dev=8388609 inode=42 size=5 mtime=%d%s\n"
    # Of another device, of one whose device is not known, and of another path: no row names them.
    others = "exe %2Fbin%2Fls dev=8388610 inode=42\nexe %2Fbin%2Fls inode=42\nexe %2Fbin%2Fcp dev=8388609 inode=42\n"
    with lab.workdir() as work:
        one = world.write(os.path.join(work, "1"), f"segment boot={world.BOOT} ts=1\n", row % 10, known % (1, ""), others,
                          "end ts=50 x\n")
        two = world.write(os.path.join(work, "2"), f"segment boot={world.BOOT} ts=2\n", row % 20,
                          known % (1, " interpreter=ld"), known % (1, " build_id=AB interpreter=ld"),
                          known % (2, " build_id=CD"), "end ts=60 x\n")
        for order in ((one, two), (two, one)):
            out = os.path.join(work, "o.etz")
            lab.exectrace("merge", "-f", "-o", out, *order)
            same = {"path": "/bin/ls", "dev": "8:1", "inode": 42, "size": 5}
            wanted = [{**same, "mtime": wall(1), "build_id": "4142", "interpreter": "ld"},
                      {**same, "mtime": wall(2), "build_id": "4344"}]
            lab.equal(lab.info(out)["exes"], wanted, "executables")


def merge_keeps_boots_apart():
    with lab.workdir() as work:
        late = World(40, 200, boot="ff" * 16, offset=world.OFFSET + 3600 * world.SECOND)
        early, unknown = World(41, 200), World(42, 200, boot="00" * 16, offset=world.OFFSET + 1)
        paths = [world.write(os.path.join(work, f"{i}.etz"), w.text()) for i, w in enumerate((late, early, unknown, unknown))]
        out = os.path.join(work, "m.etz")
        lab.exectrace("merge", "-o", out, *paths)
        lab.equal(lab.info(out)["segments"], 4, "segments")
        compacted = sorted(json_of(out).splitlines())
        lab.equal(compacted, sorted(line for path in paths for line in json_of(path).splitlines()), "events")
        begins = [int.from_bytes(head[8][:8], "little") + int.from_bytes(head[8][8:], "little")
                  for kind, head, _ in world.records(lab.contents(out)) if kind == etz.FILE_HEADER]
        lab.equal(begins, sorted(begins), "order of the segments")
        # The name and the host of the capture named first.
        one, two = ("segment boot=" + world.BOOT + f" ts=5\nhost hostname {name}\nhost only{name} {name}\nuser 7 {name}\n"
                    f"exec ts={ts} pid=5 uid=7\nend ts=9 done\n" for name, ts in (("ann", 8), ("bob", 6)))
        paths = [world.write(os.path.join(work, f"n{i}.etz"), text) for i, text in enumerate((one, two))]
        for first, order in (("ann", paths), ("bob", paths[::-1])):
            lab.exectrace("merge", "-f", "-o", out, *order)
            info = lab.info(out)
            lab.equal((info["host"], info["properties"]["onlyann"], info["properties"]["onlybob"]), (first, "ann", "bob"),
                      "what is told of the host")
            lab.equal([event["user"] for event in lab.replay(out)][-1], first, "name of a user")


if __name__ == "__main__":
    lab.need_tool("zstd")
    lab.main(merge_is_all_in_order, merge_unites_executables, merge_keeps_boots_apart)

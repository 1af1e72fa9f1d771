#!/usr/bin/env python3
"""The soak runs, and would notice what it is for. tests/bench/soak says what that is."""
import collections
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import lab  # noqa: E402
import loads  # noqa: E402
import chain  # noqa: E402


def soak_runs():
    done = lab.run([sys.executable, os.path.join(HERE, "soak"), "--time", "8s", "--rotate-time", "2", "--seed", "1"])
    print("   " + lab.tail(done.stdout).strip().replace("\n", "\n   "))


def faults_are_seen():
    with lab.workdir() as work:
        path = os.path.join(work, "capture.etz")
        with loads.cgroup() as (directory, group), lab.recording(path) as recorder:
            did = loads.Loads(work, directory, 1).scripts().done()
            lab.stop(recorder)
        rows = lab.exectrace("replay", "--json", path).stdout.splitlines()
        right = chain.Chain(group)
        right.add(path)
        right.judge(did)
        lab.equal(right.wrong, [], "what is wrong with a capture that is right")
        lab.equal(right.kept, did, "kept of it")
        for kind in loads.KINDS:
            for more in (-1, 1):
                judged = chain.Chain(group)
                judged.kept, judged.ended = right.kept, right.ended
                judged.judge(right.kept + collections.Counter({kind: 1}) if more > 0
                             else right.kept - collections.Counter({kind: 1}))
                lab.equal(len(judged.wrong), 1, f"faults when there was {more:+} {kind}")
        right.add(path)
        right.judge(did + did)
        lab.demand(any("ended" in text for text in right.wrong), f"a file in the middle that ends all: {right.wrong}")
        lab.demand(any("file before" in text for text in right.wrong), f"events in two files: {right.wrong}")
        # Neither fork nor row of /proc, in a file that is not the first.
        for kind in ("fork", "proc"):
            later = chain.Chain(group)
            later.files = 2
            later.look_at("later.etz", b"\n".join(row for row in rows if json.loads(row)["kind"] != kind))
            lab.demand(any("does not know" in text for text in later.wrong), f"no {kind}: {later.wrong}")
        cut = lab.written(work, "cut.etz", lab.contents(path)[:-100])
        broken = chain.Chain(group)
        broken.add(cut)
        lab.demand(any("cut.etz" in text for text in broken.wrong), f"a file that was cut: {broken.wrong}")


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(faults_are_seen, soak_runs)

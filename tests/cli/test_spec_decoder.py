#!/usr/bin/env python3
"""tests/spec_decoder.py and spec_check.py, written from SPEC.md alone, say of captures what exectrace says."""
import glob
import json
import os
import random
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..")]
import etz  # noqa: E402
import lab  # noqa: E402
import spec_check  # noqa: E402
import spec_decoder  # noqa: E402
import spec_rows  # noqa: E402
from spec_lies import LIES, last, mutated, records_of, sealed, tag, tags_of, unpacked, wider  # noqa: E402

DECODER, CHECK = (os.path.join(HERE, "..", name) for name in ("spec_decoder.py", "spec_check.py"))
FILES = os.path.join(HERE, "..", "files")
# What replay works out, and no capture holds.
DERIVED = ("duration", "error", "signal_name", "container")

# What spec_check.py finds and verify does not, and why that is right.
UNJUDGED = (
    ("3.1: flags", "unused bits: a later version may use them"),
    ("3.1: padding", "unused bits; of a capture that was cut it may be missing"),
    ("3.2: no ", "a reader needs few tags, and what lacks the others is read as whole"),
    ("in a record of type", "a tag that a later version may write in more records"),
    ("a count of 0", "says the same as none"),
    ("is not UTF-8", "shown as any string is"),
    ("3.3: a body", "ignored"),
    ("3.4:", "text for people"),
    ("is over 1", "all but 0 says yes"),
    ("as column", "the schema says what a column is, and is taken at its word"),
    ("4.2:", "verify judges how rows are kept, not what they say of the machine"),
    ("3.3: argv or cwd", "the same"),
    ("reserved cause", "causes of a later version are counted as other"),
    ("6.2: a record behind END", "a reader reads on"),
    ("is all zeros", "zeros that are written are zeros as well"),
    ("not first use", "another form of the same numbers"),
    ("5.5: no COMMS", "costs a reader time alone"),
    ("LATEST in the first", "there is nothing before it"),
)
# Of columns that only a later version can show, spec_decoder.py makes a fault, as verify does; replay is content with
# saying so, since nothing is missing that a later version would not find.
LEFT_OUT = ("5.2: column", "8: column")
# Captures of which the two say different things, with what is different: both follow SPEC.md.
DIFFERENT = {
    "good-seek.etz": ("names", "names change in it: 3.3 leaves to a reader which it shows at once"),
    "unsupported-first.etz": ("events", "exectrace reads nothing behind a first segment that it refuses"),
    "unsupported-host-keys.etz": ("fault", "exectrace keeps as many names as 2.5 asks for, the other keeps all"),
}


# Executes what is awkward, as few things as show it.
ODD = r"""
import os, resource, signal, time
def run(argv, path=b"/bin/true", before=lambda: None):
    pid = os.fork()
    if pid == 0:
        try:
            before()
            os.execve(path, argv, {})
        except OSError:
            os._exit(9)
    return os.waitpid(pid, 0)
def nobody():
    os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
def bare():
    os._exit(3)
def killed():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.kill(os.getpid(), signal.SIGSEGV)
run([b"e", b""])
run([b"e", b"", b"", b"\xff\xfe", b"caf\xc3\xa9", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"])
run([b"\xc0\x80", b"\xe2\x82", b"\xf0\x9f\x98\x80"])
run([b"a\nb\t\x1b[31m\x7f\\ \"'", b"\xe2\x80\xae\xc2\x85\xef\xbb\xbf"])
run([b"long"] + [b"x" * 1000] * 200)
run([b"many"] + [b""] * 5000)
run([b"one", b"\xff" * 100000])
run([b"no"], b"/nonexistent/\xff/program")
run([b"no"], b"/")
run([b"no"], b"")
run([b"no"], b"/etc/passwd")
run([b"nobody"], before=nobody)
run([b"bare"], before=bare)
run([b"killed"], before=killed)
name = os.fsencode(os.getcwd()) + b"/dir \xe9\n"
os.mkdir(name)
with open(name + b"/script \xff", "wb") as file:
    file.write(b"#!/bin/sh -e\nexit 5\n")
os.chmod(name + b"/script \xff", 0o755)
run([b"renamed", b"$1"], name + b"/script \xff")
run([b"elsewhere"], before=lambda: os.chdir(name))
for i in range(40):
    run([b"again", b"%d" % (i % 7)])
time.sleep(0.3)
run([b"later"])
"""


def decoded(data):
    """What spec_decoder.py makes of a capture: its events, and whether it found a fault."""
    events, faults = [], []

    def told(at, what, missing):
        faults.extend([f"byte {at}: {what}"] * missing)
    try:
        events.extend(spec_decoder.Reader(data, told).events())
    except spec_rows.Corrupt as error:
        faults.append(str(error))
    return events, faults


def exes_of(data):
    """The executables of a capture of one segment as info --json tells them."""
    reader, out = spec_decoder.Reader(data, lambda *_: None), []
    list(reader.records())
    for exe in reader.segment.exes.values():
        shown = {}
        spec_decoder.put_text(shown, "path", exe["path"])
        shown.update({"dev": f"{exe['dev'] >> 20}:{exe['dev'] & 0xfffff}"} if "dev" in exe else {})
        shown.update({name: exe[name] for name in ("inode", "size") if name in exe})
        if "mtime" in exe:
            shown["mtime"] = spec_decoder.timestamp(exe["mtime"])
        shown.update({"build_id": exe["build_id"].hex()} if "build_id" in exe else {})
        if "interpreter" in exe:
            spec_decoder.put_text(shown, "interpreter", exe["interpreter"])
        out.append(shown)
    return out


def reads_executables():
    """info --json and spec_decoder.py say the same of those of the corpus, also behind a record that is wrong."""
    paths = sorted(glob.glob(os.path.join(FILES, "*exes*.etz")))
    lab.demand(len(paths) > 10, f"only {paths}")
    found = 0
    for path in paths:
        done = lab.exectrace("info", "--json", path, code=None)
        exes = exes_of(lab.contents(path))
        lab.equal(json.loads(done.stdout)["exes"], exes, f"executables of {path}")
        found += len(exes)
    lab.demand(found > 6, f"only {found} executables in all")


def order(event):
    return event.get("ts", 0), json.dumps(event, sort_keys=True)


def comparable(events, without=()):
    """Of each event what both readers show, in one order: replay sorts by ts what the file has nearly sorted."""
    for event in events:
        # Of an exec replay does not show the ts of the last exec: it is its own.
        drop = DERIVED + tuple(without) + (("exec_ts",) if event["kind"] == "exec" else ())
        for name in drop:
            event.pop(name, None)
    return sorted(events, key=order)


def differences(path, without=()):
    """(what spec_decoder.py and replay tell differently, the events of replay); damage of the process itself raises."""
    events, faults = decoded(lab.contents(path))
    done = lab.exectrace("replay", "--json", path, code=None)
    lab.demand(done.returncode in (0, 1, 3), f"{path}: exit code {done.returncode}: {lab.tail(done.stderr)}")
    expected = comparable(lab.lines(done.stdout), without)
    found, told = comparable(events, without), []
    if found != expected:
        pairs = [pair for pair in zip(found, expected) if pair[0] != pair[1]][:1]
        told.append(("events", f"{len(found)} and {len(expected)} events; the first that differ: {pairs}"))
    faults = [fault for fault in faults if not any(known in fault for known in LEFT_OUT)]
    if bool(faults) != (done.returncode != 0):
        told.append(("code", f"faults {faults[:3]}, and of replay {lab.tail(done.stderr)}"))
    return told, expected


def judgement(path):
    """Why spec_check.py and verify disagree on whether there is a fault; None if they agree."""
    faults = spec_check.Check(lab.contents(path)).faults
    judged = [what for _, what in faults if not any(known in what for known, _ in UNJUDGED)]
    done = lab.exectrace("verify", path, code=None)
    lab.demand(done.returncode in (0, 1, 3), f"{path}: exit code {done.returncode}: {lab.tail(done.stderr)}")
    if bool(judged) == (done.returncode != 0):
        return None
    return f"spec_check.py: {faults[:3]}, verify: {lab.tail(done.stdout + done.stderr)}"


def demand_same(path):
    """No difference at all between the readers, nor between the judges; returns how many events there are."""
    told, events = differences(path)
    lab.equal([what for _, what in told], [], f"differences about {path}")
    lab.equal(judgement(path), None, f"judgements about {path}")
    return len(events)


def faults_of(data):
    return [what for _, what in spec_check.Check(data).faults]


MADE = (("0",), ("1",), ("2000",), ("300", "lost"), ("300", "unclean"), ("300", "lost", "clock"))


def reads_made_captures():
    with lab.workdir() as work:
        paths = [lab.made(work, *args) for args in MADE]
        paths.append(lab.written(work, "joined.etz", b"".join(map(lab.contents, paths))))
        counts = [demand_same(path) for path in paths]
        lab.equal(counts[-1], sum(counts[:-1]), "events of all together")
        for path in paths:
            check = spec_check.Check(lab.contents(path))
            lab.equal(check.faults, [], f"faults of {path}")
            lab.equal(any("no END" in what for _, what in check.notes), "unclean" in path or "joined" in path,
                      f"whether {path} has END: {check.notes}")


def programs_say_the_same_as_modules():
    with lab.workdir() as work:
        data = lab.contents(lab.made(work, "30", "lost"))
        good, cut = lab.written(work, "good", data), lab.written(work, "cut", data[:-100])
        for path, code in ((good, 0), (cut, 3), (DECODER, 1)):
            done = lab.run([sys.executable, DECODER, path], code=code)
            lab.equal(lab.lines(done.stdout), decoded(lab.contents(path))[0], "events")
            lab.equal(code != 0, b":" in done.stderr, f"messages {done.stderr}")
            done = lab.run([sys.executable, CHECK, path], code=3 if code else 0)
            lab.equal(code != 0, b"byte " in done.stdout, f"faults {done.stdout}")


def reads_damaged_captures():
    with lab.workdir() as work:
        one, two = lab.contents(lab.made(work, "600", "lost")), lab.contents(lab.made(work, "500"))
        third, half = len(one) // 3, len(one) // 2
        rows = {"cut": one[:half], "zeros": one[:half] + bytes(5000),
                "flipped": one[:half] + b"\xa5" * 64 + one[half + 64:],
                "hole": one[:third] + bytes(4096) + one[third + 4096:], "removed": one[:third] + one[third + 4096:],
                "inserted": one[:third] + etz.MAGIC * 9 + one[third:], "repeated": one[:half] + one[third:],
                "mixed": one[:third] + two[third:], "joined": one[:half] + bytes(99) + two}
        for name, data in rows.items():
            path = lab.written(work, name, data)
            lab.demand(demand_same(path), f"{name}: no event is left")
            lab.demand(decoded(data)[1] and faults_of(data), f"{name}: no fault")


def reads_truncated_captures():
    """Cut at every end of a record and within each of its parts, alone and behind a whole capture."""
    with lab.workdir() as work:
        data = lab.contents(lab.made(work, "20", "lost"))
        places = set()
        for record in records_of(data):
            head = record.at + spec_decoder.FRAME.size
            places |= {record.at, record.at + 5, record.at + 12, record.at + 30, head, head + len(record.head) // 2,
                       head + len(record.head), record.end - len(record.body) // 2, record.end}
        for at in sorted(place for place in places if place <= len(data)):
            demand_same(lab.written(work, f"cut-{at}", data[:at]))
            demand_same(lab.written(work, f"behind-{at}", data + data[:at]))


def reads_the_corpus():
    paths = sorted(glob.glob(os.path.join(FILES, "*.etz")))
    lab.demand(paths or not os.path.isdir(FILES), f"no captures in {FILES}")
    for path in paths:
        part, _ = DIFFERENT.get(os.path.basename(path), (None, ""))
        told, judged = [what for what, _ in differences(path)[0]], judgement(path)
        if part is None:
            demand_same(path)
        elif part == "fault":
            lab.equal((told, bool(judged)), (["code"], True), f"what differs about {path}")
        else:
            lab.equal((told, judged), (["events"], None), f"what differs about {path}")
            without = {"names": ("user", "group", "login_user", "cgroup", "cgroup_id")}.get(part)
            lab.equal(differences(path, without)[0] if without else [], [], f"what else differs about {path}")


def records():
    """Names and options of captures that a live kernel fills."""
    yield "followed", ("--max-args", "2048")
    yield "all", ("--all", "--flush-interval", "50ms", "--level", "19")
    yield "lossy", ("--ring-size", "4K")	# an exec with long arguments is larger


def reads_live_captures():
    if os.geteuid() != 0 or not os.path.exists(lab.RECORDER):
        print("   nothing was recorded: that needs root and the recorder")
        return
    try:
        lab.need_bpf()
    except SystemExit as end:
        lab.demand(end.code == 77, "nothing can be recorded here, but CI=true")
        return
    for name, options in records():
        with lab.workdir() as work:
            path = os.path.join(work, name + ".etz")
            lab.record(path, *options, "--", sys.executable, "-c", ODD, cwd=work)
            found, data = demand_same(path), lab.contents(path)
            check = spec_check.Check(data)
            lab.equal((check.faults, check.notes), ([], []), f"what spec_check.py says of {name}")
            lab.demand(found > 150, f"{name}: only {found} events")
            lab.demand(name != "lossy" or any(event["kind"] == "lost" for event in decoded(data)[0]), "no loss")


def every_byte_is_checked():
    with lab.workdir() as work:
        good = lab.contents(lab.made(work, "11", "lost"))
        lab.equal(faults_of(good), [], "faults of the good one")
        for at in range(len(good)):
            bad = bytearray(good)
            bad[at] ^= 1 << at % 7
            lab.demand(faults_of(bytes(bad)), f"byte {at} was changed: no fault")


def lies_are_found():
    """What no checksum tells: records that are whole and wrong. verify finds them too, but for UNJUDGED."""
    with lab.workdir() as work:
        good, found = lab.contents(lab.made(work, "40", "lost", "clock")), []
        lab.equal(sealed(good, last(good, etz.CHUNK)), good, "what is sealed again unchanged")
        lab.equal(faults_of(good), [], "faults of the good one")
        moments = [spec_decoder.parse_tags(record.type, tags_of(record))["REALTIME"][1] for record in records_of(good)
                   if record.type in spec_decoder.ROWS]
        lab.demand(max(map(len, moments)) > 1, "the wall clock was set only once within a record")
        for change, about in LIES:
            data = change if isinstance(change, bytes) else change(good)
            faults = faults_of(data)
            lab.demand(any(about in fault for fault in faults), f"{about!r} is not found, only {faults}")
            told = judgement(lab.written(work, "lie", data))
            lab.equal(told, None, f"judgements about what is wrong in {about!r}")
            found += faults
        unseen = [rule for rule in rules_of(lab.contents(CHECK).decode()) if not any(rule in fault for fault in found)]
        lab.equal(unseen, [], "rules of spec_check.py that nothing breaks here")


def rules_of(source):
    """The longest fixed part of each text of a fault in spec_check.py."""
    texts = re.findall(r'(?:expect|yield).*?"(\d\.\d: [^"]*)"', re.sub(r"\n\s+", " ", source))
    return {max(re.split(r"\{[^}]*\}", one), key=len).strip() for one in texts}


def reads_changed_captures():
    """One byte or tag is another, and the checksums are right: both read, or refuse, the same."""
    rng = random.Random(20)
    with lab.workdir() as work:
        good = unpacked(lab.contents(lab.made(work, "9", "lost", "clock")))
        demand_same(lab.written(work, "good", good))
        refused = 0
        for number in range(400):
            data = mutated(rng, good)
            path = lab.written(work, f"changed-{number % 2}", data)
            faults, (told, _) = faults_of(data), differences(path)
            refused += bool(faults)
            # What exectrace knows by id it shows as it knows it.
            told = [] if any("as described" in fault for fault in faults) else [what for _, what in told]
            lab.equal(told, [], f"differences about change {number}")
            lab.equal(judgement(path), None, f"judgements about change {number}")
        lab.demand(100 < refused < 400, f"{refused} of 400 have a fault")


def differences_are_found():
    """What the comparisons are worth: one field of one event, and one rule, are noticed."""
    with lab.workdir() as work:
        path = lab.made(work, "50")
        events = comparable(decoded(lab.contents(path))[0])
        expected = comparable(lab.replay(path))
        lab.equal(events, expected, "events")
        for name in ("pid", "comm", "time", "argv", "cgroup"):
            changed = json.loads(json.dumps(expected))
            event = next(event for event in changed if name in event)
            event[name] = event[name] + 1 if name == "pid" else event[name] + event[name]
            lab.demand(events != comparable(changed), f"another {name} is not noticed")
        lab.demand(events != expected[:-1], "an event less is not noticed")
        bad = tag(etz.CHUNK, 11, wider)(lab.contents(path))
        lab.demand(judgement(lab.written(work, "bad", bad)) is None, "verify and spec_check.py disagree")
        lab.demand(lab.exectrace("verify", os.path.join(work, "bad"), code=3), "no fault")


if __name__ == "__main__":
    lab.need_tool("zstd")
    lab.main(reads_made_captures, programs_say_the_same_as_modules, reads_damaged_captures, reads_truncated_captures,
             reads_the_corpus, reads_executables, every_byte_is_checked, lies_are_found,
             reads_changed_captures, differences_are_found, reads_live_captures)

#!/usr/bin/env python3
"""compact, and what slice, merge and compact share: damage, pipes, later versions, and what they leave behind."""
import os
import pty
import resource
import signal
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import etz  # noqa: E402
import lab  # noqa: E402
import world  # noqa: E402
from rewritten import compact, json_of  # noqa: E402
from world import World  # noqa: E402


def header(columns):
    """A file header whose schema has these columns in the place of the usual of their ids."""
    schema = {column[0]: column for column in (*etz.COLUMNS, *columns)}
    return etz.record(etz.FILE_HEADER, etz.tags(SCHEMA=b"".join(
        etz.varint(number) + bytes([kind, unit]) + kinds.to_bytes(2, "little") + etz.name(text.encode())
        for number, text, kind, unit, kinds in (schema[n] for n in sorted(schema))), VERSION=b"\1\0", CLOCK=b"\7"))


def header_of(kind):
    """One whose first columns are those of one more kind."""
    return header([(*column[:4], column[4] | 1 << kind) for column in etz.COLUMNS[:3]])


def compact_changes_nothing():
    with lab.workdir() as work:
        many = [lab.made(work, "3000"), lab.made(work, "3000", "lost"), lab.made(work, "300", "unclean")]
        for seed in range(3):
            path = os.path.join(work, f"world{seed}.etz")
            many.append(world.write(path, World(seed, 2000).text()))
        joined = os.path.join(work, "joined.etz")
        with open(joined, "wb") as file:
            for path in many[-2:]:
                file.write(lab.contents(path))
        many.append(joined)
        for path in many:
            before = json_of(path)
            for options in ([], ["--chunk-rows", "7", "--level", "1"], ["--chunk-rows", "262144"]):
                out, said = compact(path, *options)
                lab.demand(json_of(out) == before, f"compact {options} of {path} changes events")
                was, now = lab.info(path), lab.info(out)
                for name in ("kinds", "lost", "lost_by_cause", "complete", "host", "start", "end", "properties", "segments",
                             "missing", "damaged", "clock_steps", "exes"):
                    if name == "end" and "unclean" in path:
                        continue
                    lab.equal(now.get(name), was.get(name), f"{name} of {path} after compact {options}")
                lab.equal(now["boot_id"] if "boot_id" in now else None, was.get("boot_id"), "boot id")
                if not options:
                    lab.demand(now["bytes"] < was["bytes"], f"{path} became larger: {now['bytes']} of {was['bytes']}")
                    lab.demand(str(now["bytes"]).encode() in said, f"the last line does not tell: {said}")
            lab.demand(now["chunks"] < was["chunks"] or was["chunks"] < 3, f"{path} has as many chunks")
            # Done again it is the same.
            again, _ = compact(out)
            lab.demand(json_of(again) == before, "compact twice changes events")


def what_was_not_read_is_told():
    with lab.workdir() as work:
        capture = World(50, 1200, lost=0)
        capture.extra = []
        path = world.write(os.path.join(work, "w.etz"), capture.text())
        good = lab.contents(path)
        places, at = [], 0
        for kind, head, body in world.records(good):
            size = 48 + sum(len(etz.tag(t, v)) for t, v in head.items())
            places.append((kind, at, size, len(body)))
            at += size + len(body)
            at += -at % 8
        chunks = [p for p in places if p[0] == etz.CHUNK]
        _, at, size, _ = chunks[len(chunks) // 2]
        rows = lab.replay(path)
        for where, what in ((at + size + 30, "body"), (at + 60, "head"), (at, "frame")):
            bad = os.path.join(work, "bad.etz")
            with open(bad, "wb") as file:
                file.write(good[:where] + bytes(b ^ 0x55 for b in good[where:where + 8]) + good[where + 8:])
            left = lines = lab.lines(json_of(bad, code=3))
            for command in (["compact"], ["merge"], ["slice", "--no-ancestors"], ["slice"]):
                out = os.path.join(work, "o.etz")
                done = lab.exectrace(*command, "-f", "-o", out, bad, code=3)
                lab.demand(b"at byte" in done.stderr, f"{command} does not tell of damage: {done.stderr}")
                events = lab.replay(out)
                gaps = [event for event in events if event["kind"] == "lost"]
                lab.equal([event for event in events if event["kind"] != "lost"], left, f"{command}, {what}: events that are left")
                lab.equal([(gap["cause"], gap["count"]) for gap in gaps], [("damaged", len(rows) - len(left))],
                          f"{command}, {what}: the gap")
                missing = [row["ts"] for row in rows if row["ts"] not in {event["ts"] for event in lines}]
                lab.demand(gaps[0]["ts"] <= missing[0] and missing[-1] <= gaps[0]["until"], f"{command}, {what}: {gaps}")
                around = [row["ts"] for row in lines if gaps[0]["ts"] < row["ts"] < gaps[0]["until"]]
                lab.equal(around, [], f"{command}, {what}: events inside of the gap")
                info = lab.info(out)
                lab.equal((info["complete"], info["lost_by_cause"]["damaged"], info["missing"]),
                          (False, len(rows) - len(left), 0), f"{command}, {what}: info")
            done = lab.exectrace("slice", "-f", "-o", out, "--until", f"+{rows[5]['ts'] - capture.begun}ns", bad)
            lab.equal([e for e in lab.replay(out) if e["kind"] == "lost"], [], "gap outside of the times")
        # A damaged record of names is told, and nothing is missing.
        users = next(p for p in places if p[0] == etz.USERS)
        with open(bad, "wb") as file:
            file.write(good[:users[1] + users[2] + 2] + b"\xff" + good[users[1] + users[2] + 3:])
        lab.exectrace("compact", "-f", "-o", out, bad, code=3)
        lab.equal(len(lab.replay(out)), len(rows), "events behind damaged names")


def an_end_is_not_invented():
    with lab.workdir() as work:
        path = lab.made(work, "300", "unclean")
        cut = os.path.join(work, "cut.etz")
        with open(cut, "wb") as file:
            file.write(lab.contents(path)[:-500])
        for source, code in ((path, 0), (cut, 3)):
            out = source
            for command in (["compact"], ["merge"], ["slice", "--no-ancestors"], ["slice", "--kind", "exit"]):
                to = os.path.join(work, "o" + command[0] + command[-1] + os.path.basename(out))
                lab.exectrace(*command, "-f", "-o", to, out, code=code)
                info = lab.info(to)
                lab.equal(info["complete"], False, f"complete after {command}")
                lab.demand("not ended" in info["state"] and info["ended"].startswith("not ended"), f"{command}: {info['state']}")
                lab.exectrace("replay", "--fail-on-loss", to, code=3)
                out, code = to, 0	# and of that one again
        done = lab.info(compact(lab.made(work, "30"))[0])
        lab.equal((done["complete"], done["ended"]), (True, "done"), "a capture that was ended")


def pipes_in_and_out():
    with lab.workdir() as work:
        path = lab.made(work, "2000", "lost")
        shell = 'cat "$2" | "$1" slice -q - -o - --comm ls | "$1" compact -q -o - - | "$1" merge -q -o - - "$2" | "$1" replay -q --json -'
        out = os.path.join(work, "s.etz")
        lab.exectrace("slice", "-o", out, "--comm", "ls", path)
        lab.exectrace("merge", "-f", "-o", out, out, path)
        done = lab.run(["bash", "-c", "set -o pipefail; " + shell, "bash", lab.EXECTRACE, path])
        # Segments of one time lie one behind the other in a pipe, and side by side in a file.
        in_order = lab.run(["bash", "-c", 'cat "$2" | "$1" replay -q --json -', "bash", lab.EXECTRACE, out])
        lab.demand(done.stdout == in_order.stdout, "events through pipes")
        lab.demand(sorted(done.stdout.splitlines()) == sorted(json_of(out).splitlines()), "events of the file")
        done = lab.run(["bash", "-c", 'cat "$2" | TMPDIR=/nonexistent "$1" slice -o /dev/null -', "bash", lab.EXECTRACE, path], code=1)
        lab.demand(b"/nonexistent" in done.stderr, f"no word of TMPDIR: {done.stderr}")
        lab.run(["bash", "-c", '"$1" compact -q -o - "$2" | true; test ${PIPESTATUS[0]} = 1', "bash", lab.EXECTRACE,
                 lab.made(work, "30000")])


def output_is_whole_or_not_there():
    with lab.workdir() as work:
        path = lab.made(work, "3000")
        folder = os.path.join(work, "d")
        os.mkdir(folder)
        out = os.path.join(folder, "out.etz")

        def old_one_stands(**kwargs):
            lab.equal(sorted(os.listdir(folder)), ["out.etz"], "files")
            lab.equal(lab.contents(out), b"old", "the old file")
        with open(out, "wb") as file:
            file.write(b"old")
        done = lab.exectrace("compact", "-o", out, path, code=1)
        lab.demand(b"--force" in done.stderr, f"an existing file: {done.stderr}")
        old_one_stands()
        # Limits, a full disk, damage at the beginning, a later version: all fail late.
        later = os.path.join(work, "later.etz")
        with open(later, "wb") as file:
            file.write(header_of(9) + etz.chunk(3, [], kind=9) + etz.end(3, kind=9))
        for command, kwargs in (
                (["compact", path], {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))}),
                (["slice", later], {}), (["merge", path, "/nonexistent"], {}), (["compact", "/dev/null"], {}),
                # Who ignores that its children end has nothing to wait for.
                (["compact", "/dev/null"], {"preexec_fn": lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)})):
            done = lab.exectrace(*command, "-f", "-o", out, code=1, **kwargs)
            lab.equal(done.stderr.count(b"\n"), 1, f"lines of {command}: {done.stderr}")
            old_one_stands()
        if os.geteuid() == 0 and lab.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], code=None).returncode == 0:
            try:
                with open(out, "wb") as file:
                    file.write(b"old")
                done = lab.exectrace("compact", "--level", "1", "--chunk-rows", "100", "-f", "-o", out, path, code=1)
                lab.demand(b"No space left" in done.stderr, f"a full disk: {done.stderr}")
                old_one_stands()
            finally:
                lab.run(["umount", folder])
        else:
            print("   no tmpfs to fill")
        # An interrupt.
        big = lab.made(work, "60000")
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with lab.started([lab.EXECTRACE, "compact", "-f", "-o", out, big]) as process:
                lab.wait_until(lambda: len(os.listdir(folder)) == 2, "the file beside")
                mode = stat.S_IMODE(os.stat(os.path.join(folder, min(os.listdir(folder)))).st_mode)
                lab.equal(mode, 0o600, "mode while it grows")
                process.send_signal(sig)
                process.communicate(timeout=lab.TIMEOUT)
                lab.equal(process.returncode, -sig, "exit code")
            old_one_stands()
        # What is no place for it.
        os.symlink(out, os.path.join(work, "link"))
        os.mkfifo(os.path.join(work, "fifo"))
        for name, word in (("link", b"symbolic link"), ("fifo", b"pipe"), ("d", b"directory"), ("no/x", b"no")):
            done = lab.exectrace("merge", "-f", "-o", os.path.join(work, name), path, code=1)
            lab.demand(word in done.stderr, f"{name}: {done.stderr}")
        master, slave = pty.openpty()
        lab.run([lab.EXECTRACE, "compact", "-o", "-", path], code=2, stdout=slave)
        os.close(master)
        os.close(slave)
        old_one_stands()
        # And it works: in the place of the old one, then in its own place.
        lab.exectrace("compact", "-f", "-o", out, path)
        lab.equal((sorted(os.listdir(folder)), stat.S_IMODE(os.stat(out).st_mode)), (["out.etz"], 0o600), "files and mode")
        lab.exectrace("slice", "-f", "-o", out, "--comm", "ls", out)
        lab.demand(json_of(out, "--comm", "ls") == json_of(path, "--comm", "ls"), "a capture sliced in its own place")
        for args in (["slice", path], ["compact", "-o", out, "-f", path, path], ["compact", "-o", out, "--level", "20", path],
                     ["compact", "-o", out, "--chunk-rows", "0", path], ["merge", path, "-o"], ["merge", "-f", "-o", out]):
            lab.exectrace(*args, code=2)


def a_later_version():
    """What cannot be written is named and refused, or left out and named."""
    row = etz.raw(etz.PID, 4, bytes((5, 6, 7, 8)))
    extra = (200, "seccomp", etz.UINT, 0, 0x7e)
    cases = (
        ("column seccomp", etz.header([extra]) + etz.chunk(4, [row, etz.const(200, 4, 9)]) + etz.end(4), 4),
        ("of a kind", header_of(9) + etz.chunk(2, [], kind=9) + etz.chunk(4, [row], seq=2) +
         etz.record(etz.END, etz.tags(KINDS=b"\1\4\x09\2", END_TIME=etz.u64(9) + etz.u64(9), REASON=b"x"), seq=6), 4),
        ("type 77", etz.header() + etz.chunk(4, [row]) + etz.record(77, b"", b"x", seq=4) + etz.end(4), 4),
        ("column uid", etz.header() + etz.chunk(4, [row, (etz.UID, 0, 0xf0, 4, b"x")]) + etz.end(4), 4),
        ("column filename", header([(13, "filename", etz.STR, 0, 0x0e)]) + etz.chunk(4, [row]) + etz.end(4), 4),
    )
    with lab.workdir() as work:
        path, out = os.path.join(work, "x.etz"), os.path.join(work, "o.etz")
        for word, data, events in cases:
            with open(path, "wb") as file:
                file.write(data)
            for command in ("compact", "slice", "merge"):
                done = lab.exectrace(command, "-o", out, path, code=1)
                lab.demand(word.encode() in done.stderr and b"--drop-unknown" in done.stderr, f"{word}: {done.stderr}")
                lab.demand(not os.path.exists(out), "something was written")
                done = lab.exectrace(command, "--drop-unknown", "-o", out, path)
                lab.demand(word.encode() in done.stderr, f"{word} is dropped in silence: {done.stderr}")
                lab.equal(len(lab.replay(out)), events, f"events without {word}")
                os.unlink(out)


def names_told_late_or_anew():
    text = """segment ts=5
exec ts=10 pid=5 uid=7 cgroup=9
chunk
host hostname one
user 7 early
exec ts=20000000000 pid=5 uid=7 cgroup=9
chunk
user 7 renamed
cgroup 9 late
host hostname two
user 8 unused
end ts=30000000000 done
"""
    with lab.workdir() as work:
        path = world.write(os.path.join(work, "w.etz"), text)
        out, _ = compact(path)
        lab.equal(lab.info(out)["host"], "two", "host told last")
        events = lab.replay("--limit", "1", out)
        everything = world.unpacked(lab.contents(out))
        for word, there in ((b"renamed", True), (b"late", True), (b"unused", False)):
            lab.equal(word in everything, there, f"{word} in the file")
        lab.demand(events, "no events")


def hostile_captures():
    """Any damage gives a capture that can be read, or a message; under a limit of memory."""
    with lab.workdir() as work:
        capture = World(60, 300)
        good = lab.contents(world.write(os.path.join(work, "g.etz"), capture.text(chunk=25)))
        path, out = os.path.join(work, "x.etz"), os.path.join(work, "o.etz")
        rng, written = capture.rng, 0

        def limits():
            if not lab.SANITIZED:
                resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        for i in range(150):
            data = bytearray(good)
            for _ in range(rng.choice((1, 1, 3, 20))):
                at = rng.randrange(len(data))
                data[at] ^= 1 << rng.randrange(8)
            if i % 5 == 0:
                del data[rng.randrange(len(data)):]
            if i % 7 == 0:
                at = rng.randrange(len(data) + 1)
                data[at:at] = good[rng.randrange(len(good)):]
            with open(path, "wb") as file:
                file.write(data)
            command = rng.choice((["compact"], ["merge"], ["slice", "--failed"], ["slice", "--no-ancestors", "--uid", str(capture.uids[0])]))
            done = lab.exectrace(*command, "-f", "-o", out, path, code=None, preexec_fn=limits)
            lab.demand(done.returncode in (0, 1, 3), f"{command}: {done.returncode} {lab.tail(done.stderr)}")
            there = os.path.exists(out)
            lab.demand(there or b"damaged at its beginning" in done.stderr, f"{command}: {done.stderr}")
            if there:
                shown_now = lab.exectrace("replay", "-q", "--json", out)	# what we write is never damaged
                lab.demand(b"at byte" not in shown_now.stderr, f"damage in what was written: {shown_now.stderr}")
            if there and command in (["compact"], ["merge"]):
                was = set(json_of(path, code=None).splitlines())
                now = {line for line in shown_now.stdout.splitlines() if line in was or b'"kind":"lost"' not in line}
                lab.demand(now == was, f"events of a damaged capture ({i}, {command}): more {list(now - was)[:2]}, "
                           f"less {list(was - now)[:2]}")
            if there:
                written += 1
                os.unlink(out)
        lab.demand(written > 100, f"only {written} could be read")
        # A circle of parents and a line of thousands end.
        text = "segment ts=5\n" + "".join(f"fork ts={10 + i} pid={i + 2} ppid={i + 1} start=0\n" for i in range(6000))
        text += "".join(f"exec ts={9000 + i} pid={i} ppid={i ^ 1} start=0 uid=7\n" for i in range(10, 20)) + "end ts=10000 x\n"
        world.write(path, text)
        lab.exectrace("slice", "-f", "-o", out, "--uid", "7", path)


if __name__ == "__main__":
    lab.need_tool("zstd")
    lab.main(compact_changes_nothing, what_was_not_read_is_told, an_end_is_not_invented, pipes_in_and_out,
             output_is_whole_or_not_there, a_later_version, names_told_late_or_anew, hostile_captures)

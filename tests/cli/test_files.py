#!/usr/bin/env python3
"""tests/files: what the commands make of each capture there, and that all are as they are generated."""
import json
import os
import resource
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
FILES = os.path.join(HERE, "..", "files")
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib"), FILES]
import expected_files as expected  # noqa: E402
import generate  # noqa: E402
import lab  # noqa: E402

MEMORY = 256 << 20
DONE, FAILED, DAMAGED = 0, 1, 3
# Whatever a capture says, a program is at its end long before; a hung one is ended by it.
SECONDS = 60


def limited():
    # Sanitizers reserve terabytes of addresses and use none of them.
    if not lab.SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def run(*args):
    """Exit code, output and messages without names; none but the codes of exectrace, so no crash."""
    done = lab.exectrace(*args, code=None, preexec_fn=limited)
    told = done.stderr.decode()
    lab.demand(done.returncode in (DONE, FAILED, DAMAGED), f"{args}: exit code {done.returncode}: {told}")
    lab.demand("out of memory" not in told, f"{args}: {told}")
    return done.returncode, done.stdout, told


def path_of(name):
    return os.path.join(FILES, name + ".etz")


def names():
    return sorted(entry[:-4] for entry in os.listdir(FILES) if entry.endswith(".etz"))


def faults(name):
    """What verify finds: pairs of offset and text."""
    code, out, told = run("verify", "--json", path_of(name))
    found = [(line["at"], line["fault"]) for line in lab.lines(out) if "fault" in line]
    lab.demand(code == FAILED or (code == DAMAGED) == bool(found) or not out, f"verify {name}: {code}, {found}, {told}")
    return code, found, told


def shown(name, code, message, events):
    """replay: its exit code, a part of what it says, and the events, or their process ids."""
    found, out, told = run("replay", "--json", path_of(name))
    lab.equal(found, code, f"exit code of {name}, which says {told!r}")
    lab.demand(message in told, f"{name}: {message!r} is not in {told!r}")
    if isinstance(events, tuple):
        lab.equal(tuple(event.get("pid") for event in lab.lines(out)), events, f"process ids of {name}")
    else:
        lab.equal(out.decode(), events, f"events of {name}")


def stored(name):
    with open(path_of(name)[:-4] + ".json", encoding="utf-8") as file:
        return file.read()


def judge(name):
    """One file against what is expected of it."""
    if name in expected.REFUSED:
        code, message = expected.REFUSED[name]
        shown(name, code, message, ())
        found, at_all, told = faults(name)
        lab.demand(found == code and not at_all and message in told, f"verify {name}: {found}, {at_all}, {told!r}")
        return
    if name.startswith("bad-"):
        at, fault, pids = expected.BAD[name]
        shown(name, DAMAGED, expected.REPLAY_SAYS.get(name, f"at byte {at}: {fault}"), pids)
    elif name.startswith("lie-"):
        at, fault, pids = expected.LIES[name]
        shown(name, DONE, "complete", pids)
    elif name.startswith("unsupported-"):
        code, message, at, fault = expected.UNSUPPORTED[name]
        shown(name, code, message, stored(name))
    else:
        if name in expected.LARGE:
            expected.LARGE[name](run("replay", "--json", path_of(name))[1])
            shown_code, _, told = run("replay", "--count", path_of(name))
            lab.equal(shown_code, DONE, f"exit code of {name}: {told}")
        else:
            shown(name, DONE, expected.GOOD.get(name, ": complete, "), stored(name))
        lab.equal(faults(name)[:2], (DONE, []), f"what verify finds in {name}")
        return
    code, found, _ = faults(name)
    lab.equal(code, DAMAGED, f"exit code of verify {name}")
    lab.equal(found[:1], [(at, fault)], f"what verify finds first in {name}")


def all_are_as_expected():
    failed = []
    for name in names():
        try:
            judge(name)
        except (lab.Failure, KeyError, FileNotFoundError) as error:
            failed.append(f"{name}: {error!r}")
    lab.demand(not failed, "\n".join(failed))


def all_are_known():
    """No file without an expectation, no expectation without a file."""
    known = {*expected.BAD, *expected.LIES, *expected.UNSUPPORTED, *expected.REFUSED}
    there = names()
    lab.equal(sorted(known - set(there)), [], "expectations of files that are not there")
    lab.equal(sorted(name for name in there if not name.startswith("good-") and name not in known), [], "unknown files")
    texts = {entry[:-5] for entry in os.listdir(FILES) if entry.endswith(".json")}
    wanted = {name for name in there if name.startswith(("good-", "unsupported-"))}
    lab.equal(texts, wanted - set(expected.LARGE) - set(expected.REFUSED), "files with events")


def all_commands_end():
    """info, summary, tree and replay as text, also where the capture is wrong."""
    for name in names():
        for command in (("info",), ("info", "--json"), ("summary", "--json"), ("tree",), ("replay", "--wide")):
            if name in expected.LARGE and command[0] == "replay":
                continue
            code, out, told = run(*command, path_of(name))
            lab.demand(out or told, f"{command} {name} says nothing")
            if "--json" in command and out:
                json.loads(out)
            lab.demand(code == DONE or told, f"{command} {name}: {code} and no message")


def halving_finds_the_same():
    """Rows between two moments, from a file and through a pipe that cannot be halved."""
    with open(path_of("good-seek"), "rb") as file:
        data = file.read()
    for since, until in ((0, 1), (4, 9), (7, 8), (19, 30), (30, 40)):
        limits = ("--utc", "--since", f"2023-11-14T22:13:{20 + since:02}Z",
                  "--until", f"2023-11-14T22:{13 + (20 + until) // 60}:{(20 + until) % 60:02}Z")
        one = lab.exectrace("replay", "--json", *limits, path_of("good-seek"))
        two = lab.exectrace("replay", "--json", *limits, "-", input=data)
        lab.equal(one.stdout, two.stdout, f"events from {since} s to {until} s")
        lab.equal([event["pid"] for event in lab.lines(one.stdout)], list(range(since + 1, min(until, 20) + 1)), "pids")


def recovered_ones_are_clean():
    """What recover makes of each file has no fault but those that it cannot judge."""
    with lab.workdir() as work:
        for name in names():
            out = os.path.join(work, name + ".etz")
            code, _, told = run("recover", "-o", out, path_of(name))
            if not os.path.exists(out) or not os.path.getsize(out):
                lab.demand(code != DONE, f"recover {name} writes nothing and says nothing: {told!r}")
                continue
            code, found, told = run("verify", out)
            lab.demand(code == DONE or name in expected.UNSUPPORTED, f"recovered {name}: {code}, {found!r}, {told!r}")
        # Without END events may be missing, which is no fault.
        for options, code in (((), DONE), (("--fail-on-loss",), DAMAGED)):
            lab.equal(run("recover", "-f", "-o", out, *options, path_of("good-header-alone"))[0], code, f"exit code, {options}")


def files_are_generated():
    """The committed files are what generate.py writes, and it notices what is not."""
    lab.equal(generate.check(), [], "files that generate.py would write otherwise")
    with lab.workdir() as work:
        for entry in [*generate.contents(), "good-empty.etz"]:
            shutil.copy(os.path.join(FILES, entry), work)
        lab.equal(generate.check(work), [], "files of a copy")
        with open(os.path.join(work, "good-empty.etz"), "r+b") as file:
            file.seek(20)
            file.write(b"\1")
        os.rename(os.path.join(work, "good-kinds.etz"), os.path.join(work, "good-other.etz"))
        lab.equal(sorted(generate.check(work)), ["good-empty.etz", "good-kinds.etz", "good-other.etz"],
                  "what it notices")
    sizes = [len(data) for data in generate.contents().values()]
    lab.demand(sum(sizes) < 400 << 10, f"{sum(sizes)} bytes of captures")


def mistakes_are_noticed():
    """What the table is worth: another offset, text, exit code or event fails."""
    at, fault, pids = expected.BAD["bad-body-crc"]
    code, message, where, why = expected.UNSUPPORTED["unsupported-packing"]
    for table, name, wrong in (
            (expected.BAD, "bad-body-crc", (at + 8, fault, pids)),
            (expected.BAD, "bad-body-crc", (at, fault, pids[:1])),
            (expected.BAD, "bad-body-crc", (at, "a record's head is damaged", pids)),
            (expected.LIES, "lie-place", (at, "PLACE is right", pids)),
            (expected.UNSUPPORTED, "unsupported-packing", (DAMAGED, message, where, why)),
            (expected.GOOD, "good-empty", "incomplete")):
        before = table.get(name)
        table[name] = wrong
        try:
            judge(name)
            raise AssertionError(f"{name}: {wrong} was taken")
        except lab.Failure:
            pass
        finally:
            if before is None:
                del table[name]
            else:
                table[name] = before


if __name__ == "__main__":
    lab.main(files_are_generated, all_are_known, all_are_as_expected, all_commands_end, halving_finds_the_same,
             recovered_ones_are_clean, mistakes_are_noticed)

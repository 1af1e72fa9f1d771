#!/usr/bin/env python3
"""Wrong input and wrong usage: one clear line on stderr, and the right exit code."""
import gzip
import os
import pwd
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402

FAILED, USAGE, DAMAGED = 1, 2, 3
READERS = ("replay", "tree", "summary", "info")


def complains(*args, code, about, lines=1, **kwargs):
    """Runs exectrace and demands its exit code, nothing on stdout, and one line about something."""
    done = lab.exectrace(*args, code=code, **kwargs)
    told = done.stderr.decode()
    lab.equal(done.stdout, b"", f"output of {args}")
    lab.equal(len(told.splitlines()), lines, f"lines of the complaint of {args}: {told!r}")
    lab.demand(told.startswith("exectrace"), f"does not say who complains: {told!r}")
    lab.demand(about.lower() in told.lower(), f"{args} says {told!r}, nothing of {about!r}")
    lab.demand(all(c == "\n" or " " <= c < "\x7f" for c in told), f"control bytes in {told!r}")


def bad_files():
    with lab.workdir() as work:
        def write(name, data):
            path = os.path.join(work, name)
            with open(path, "wb") as file:
                file.write(data)
            return path
        with open(lab.made(work, "50"), "rb") as file:
            good = file.read()
        rows = (
            (os.path.join(work, "missing.etz"), "No such file"),
            (work, "directory"),
            (write("empty.etz", b""), "empty"),
            (write("text.etz", b"hello, world\n" * 10), "not a capture"),
            (write("one-byte.etz", b"x"), "not a capture"),
            (write("elf.etz", open(lab.EXECTRACE, "rb").read(4096)), "not a capture"),
            (write("gzip.etz", gzip.compress(b"hello")), "not a capture"),
            (write("zeros.etz", bytes(4096)), "not a capture"),
            (write("\x1b[31m.etz", b"text"), "not a capture"),
            (write("headless.etz", good[8:]), "not a capture"),
            (os.path.join(work, "text.etz", "below"), "Not a directory"),
        )
        for command in READERS:
            for path, about in rows:
                complains(command, path, code=FAILED, about=about)
            complains(command, "-", code=FAILED, about="empty", input=b"")
            complains(command, "-", code=FAILED, about="not a capture", input=b"some text\n")
            # One bad file among good ones does not hide the good ones.
            done = lab.exectrace(command, lab.made(work, "5"), rows[0][0], code=FAILED)
            lab.demand(b"No such file" in done.stderr, f"{command} of two files: {done.stderr!r}")


def no_permission():
    with lab.workdir() as work:
        capture = lab.made(work, "5")
        os.chmod(capture, 0)
        kwargs = {}
        program = lab.EXECTRACE
        if os.geteuid() == 0:
            # Root may read everything: ask as somebody else, who can reach the program.
            program = os.path.join(work, "exectrace")
            shutil.copy(lab.EXECTRACE, program)
            kwargs["user"] = pwd.getpwnam("nobody").pw_uid
        for command in READERS:
            done = lab.run([program, command, capture], code=FAILED, **kwargs)
            lab.demand(b"ermission denied" in done.stderr, f"{command}: {done.stderr!r}")
            lab.equal(len(done.stderr.splitlines()), 1, "lines of the complaint")


def damaged_files():
    """What could be read was read, and the exit code says that it was not all."""
    with lab.workdir() as work:
        path = lab.made(work, "3000")
        whole = len(lab.replay(path))
        with open(path, "rb") as file:
            good = file.read()
        for name, data in (("cut", good[:len(good) // 2]),
                           ("flipped", good[:len(good) // 2] + b"\xa5" * 64 + good[len(good) // 2 + 64:]),
                           ("hole", good[:len(good) // 3] + bytes(4096) + good[len(good) // 3 + 4096:])):
            bad = os.path.join(work, name + ".etz")
            with open(bad, "wb") as file:
                file.write(data)
            done = lab.exectrace("replay", "--json", bad, code=DAMAGED)
            found = len(lab.lines(done.stdout))
            lab.demand(0 < found < whole, f"{name}: {found} of {whole} events")
            lab.demand(done.stderr, f"{name}: says nothing")
            lab.equal(lab.info(bad, code=DAMAGED)["complete"], False, f"complete of {name}")


def unclean_and_lossy_files():
    with lab.workdir() as work:
        unclean, lossy = lab.made(work, "100", "unclean"), lab.made(work, "100", "lost")
        for path, word in ((unclean, b"unclean"), (lossy, b"17 events lost")):
            done = lab.exectrace("replay", "--count", path)
            lab.demand(word.split()[-1] in done.stderr or b"end" in done.stderr, f"{path}: says {done.stderr!r}")
            lab.equal(lab.info(path)["complete"], False, "complete")
            lab.exectrace("replay", "--count", "--fail-on-loss", path, code=DAMAGED)
        lab.equal(lab.info(lossy)["lost"], 17, "lost")
        lab.exectrace("replay", "--count", "--fail-on-loss", lab.made(work, "100"), code=0)


def usage():
    with lab.workdir() as work:
        good = lab.made(work, "5")
        for args, about in (
                ((), "command"),
                (("rewind",), "rewind"),
                (("--nonsense",), "nonsense"),
                (("help", "rewind"), "rewind"),
                *(((command, "--nonsense", good), "--nonsense") for command in READERS),
                *(((command, "-Z", good), "Z") for command in READERS),
                (("replay", good, "--uid"), "--uid"),
                (("replay", "--kind", "birth", good), "birth"),
                (("replay", "--pid", "abc", good), "abc"),
                (("replay", "--pid", "-1", good), "-1"),
                (("replay", "--pid", "99999999999999999999999", good), "--pid"),
                (("replay", "--exit-code", "x", good), "x"),
                (("replay", "--limit", "many", good), "many"),
                (("replay", "--since", "yesterdayish", good), "yesterdayish"),
                (("replay", "--until", "", good), "--until"),
                (("replay", "--json=yes", good), "json"),
                (("record", "--nonsense"), "--nonsense"),
                (("record", "--level", "99"), "99"),
                (("record", "--ring-size", "big"), "big"),
                (("record", "--duration", "-5"), "-5"),
                (("record", "--max-args", "1T"), "1T"),
                (("record", "stray"), "stray"),
                (("record", "--user", "nobody"), "--user")):
            if args[:1] == ("record",) and not os.path.exists(lab.RECORDER):
                continue
            complains(*args, code=USAGE, about=about)
        # Nothing named, and none of the usual name in this directory.
        for command in READERS:
            complains(command, code=USAGE, about="capture", cwd=work)


def full_output():
    with lab.workdir() as work:
        good = lab.made(work, "2000")
        for command in READERS:
            with open("/dev/full", "wb") as full:
                done = lab.exectrace(command, good, code=FAILED, stdout=full)
            lab.demand(b"No space left" in done.stderr, f"{command}: {done.stderr!r}")


def without_the_recorder():
    """exectrace alone says what is missing."""
    with lab.workdir() as work:
        alone = os.path.join(work, "exectrace")
        shutil.copy(lab.EXECTRACE, alone)
        for command in ("record", "live"):
            done = lab.run([alone, command], code=FAILED)
            lab.equal(len(done.stderr.splitlines()), 1, f"lines of the complaint {done.stderr!r}")
            lab.demand(b"exectrace-record" in done.stderr, f"says {done.stderr!r}")


if __name__ == "__main__":
    lab.main(bad_files, no_permission, damaged_files, unclean_and_lossy_files, usage, full_output,
             without_the_recorder)

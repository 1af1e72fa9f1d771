#!/usr/bin/env python3
"""What runs in several threads, under ThreadSanitizer: the library, how the recorder's threads hand on parcels, and reading."""
import glob
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import lab  # noqa: E402

CC = os.environ.get("ET_CC", "cc")


def need_sanitizer():
    with lab.workdir() as work:
        empty = lab.written(work, "empty.c", b"int main(void) { return 0; }\n")
        if lab.run([CC, "-fsanitize=thread", "-o", os.path.join(work, "empty"), empty], code=None).returncode:
            lab.skip(f"{CC} has no ThreadSanitizer")


def built(work, *sources, wrap=()):
    """A program of these files and the library, and what to put before it."""
    program = os.path.join(work, "program")
    files = [os.path.join(lab.SOURCE, name) for name in sources]
    library = glob.glob(os.path.join(lab.SOURCE, "format", "*.c"))
    flags = [f"-iquote{os.path.join(lab.SOURCE, folder)}" for folder in ("capture", "common", "replay", "tests/unit")]
    libs = lab.run(["pkg-config", "--cflags", "--libs", "libzstd", "zlib"]).stdout.decode().split()
    lab.run([CC, "-std=gnu11", "-D_GNU_SOURCE", "-DEXECTRACE_NO_SANDBOX",
             *(f'-DEXECTRACE_{name}="none"' for name in ("VERSION", "LIBEXECDIR", "LIBEXEC_FROM_BIN")), "-O1", "-g", "-fsanitize=thread",
             "-I", os.path.join(lab.SOURCE, "format", "include"), *flags, *(f"-Wl,--wrap={name}" for name in wrap),
             "-o", program, *files, *library, *libs], timeout=4 * lab.TIMEOUT)
    # The sanitizer of older compilers does not bear all layouts that a kernel may draw.
    fixed = ["setarch", "-R"] if not lab.run(["setarch", "-R", "true"], code=None).returncode else []
    return [*fixed, program]


def threads_do_not_meet():
    """Different objects in different threads share nothing; packers work for one writer."""
    with lab.workdir() as work:
        program = built(work, "tests/cli/threads.c")
        capture = lab.made(work, 2000, "lost")
        done = lab.run([*program, capture])
        lab.equal(done.stdout, b"%d events\n" % len(lab.replay(capture)), "what both threads read")
        done = lab.run([*program, capture, "race"], code=None)
        lab.demand(done.returncode == 66 and b"data race" in done.stderr, f"a race is not noticed: {done.returncode}")


def parcels_are_handed_on():
    with lab.workdir() as work:
        lab.run(built(work, "tests/unit/test_packers.c", "capture/packers.c", "capture/queue.c", "capture/ids.c",
                      "capture/privilege.c", "capture/thread.c", wrap=["et_packer_pack"]))


def captures_are_read():
    """The whole program, in several threads; it says the same as the one that is judged elsewhere."""
    with lab.workdir() as work:
        sources = [os.path.relpath(path, lab.SOURCE) for folder in ("replay", "common")
                   for path in sorted(glob.glob(os.path.join(lab.SOURCE, folder, "*.c")))]
        program = built(work, *sources)
        one, hurt = lab.made(work, 4000, "lost"), bytearray(lab.generated(4000, "lost"))
        hurt[len(hurt) // 2] ^= 4
        hurt = lab.written(work, "hurt.etz", bytes(hurt))
        copies = lab.written(work, "copies.etz", lab.contents(one) + bytes(lab.generated(3000, "shift=900")))
        for files in ([one], [hurt], [copies], [hurt, one]):
            for question in (["replay", "--csv", "--reverse"], ["replay", "--format", "{time} {command}", "--time", "delta"],
                             ["replay", "--json"], ["replay", "--json", "--limit", "5"], ["replay", "--comm", "sh"],
                             ["replay", "--count", "--uid", "0"], ["replay", "--count", "--where", 'argv has "-o"'],
                             ["summary", "--json"], ["summary", "--by", "pid,comm", "--sort", "p99"]):
                done = lab.run([*program, *question, "-j", "4", *files], code=None)
                expected = lab.exectrace(*question, "-j", "1", *files, code=None)
                lab.demand(b"ThreadSanitizer" not in done.stderr, f"{question}: {lab.tail(done.stderr, 4000)}")
                lab.equal((done.returncode, done.stdout), (expected.returncode, expected.stdout), f"{question} {files}")


def a_crew_works():
    with lab.workdir() as work:
        lab.run(built(work, "tests/unit/test_crew.c", "replay/crew.c"))


if __name__ == "__main__":
    lab.need_tool("pkg-config")
    need_sanitizer()
    lab.main(threads_do_not_meet, parcels_are_handed_on, a_crew_works, captures_are_read)

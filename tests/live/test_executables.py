#!/usr/bin/env python3
"""The executables of a capture are exactly the files that ran, as readelf and stat know them."""
import ctypes
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402

CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000
LIBC = ctypes.CDLL(None, use_errno=True)


def readelf(path):
    """Build-id and interpreter of a file."""
    text = lab.run(["readelf", "-nlW", path]).stdout.decode(errors="replace")
    build_id = re.search(r"Build ID: ([0-9a-f]+)", text)
    interpreter = re.search(r"interpreter: (\S+)\]", text)
    return build_id and build_id[1], interpreter and interpreter[1].encode().hex()


def facts(path, name=None):
    """What the capture should say of a file that lies at path; its name in the capture."""
    st = os.stat(path)
    build_id, interpreter = readelf(path)
    found = {"path": os.fsencode(name or os.path.realpath(path)).hex(), "inode": st.st_ino,
             "dev": os.major(st.st_dev) << 20 | os.minor(st.st_dev), "size": st.st_size,
             "mtime": st.st_mtime_ns}
    if build_id:
        found["build_id"] = build_id
    if interpreter:
        found["interpreter"] = interpreter
    return found


def executables(capture):
    return lab.lines(lab.run([lab.helper("executables"), capture]).stdout)


def recorded(work, *options, run):
    capture = os.path.join(work, "capture.etz")
    with lab.recording(capture, *options) as process:
        run()
        process.terminate()
        lab.equal(process.wait(lab.TIMEOUT), 0, "exit code of the recorder")
    return capture, executables(capture)


def rows_have_theirs(capture, found):
    """Each row that names a file has it in the table; nothing is in the table twice or without rows."""
    table = [(exe["path"], "%d:%d" % (exe["dev"] >> 20, exe["dev"] & 0xfffff), exe["inode"])
             for exe in found]
    rows = {(lab.raw(event, "exe").hex(), event["exe_dev"], event["exe_inode"])
            for event in lab.replay(capture) if "exe" in event and "exe_inode" in event}
    lab.equal(rows - set(table), set(), "files of rows that are not in the table")
    lab.equal(set(table) - rows, set(), "files of the table that no row has")
    lab.equal(len({tuple(sorted(exe.items())) for exe in found}), len(found), "different entries")


def as_readelf_says():
    with lab.workdir() as work:
        lab.need_tool("readelf")
        copy = shutil.copy("/bin/sleep", os.path.join(work, "caf\udce9\n\x1b[1m"))
        script = os.path.join(work, "script")
        with open(script, "w", encoding="ascii") as file:
            file.write("#!/bin/sh\n:\n")
        os.chmod(script, 0o755)
        expected = [facts("/bin/sleep"), facts(copy), facts("/bin/sh")]

        def run():
            for program in ("/bin/sleep", copy):
                lab.run([program, "0"])
            for _ in range(3):
                lab.run([script])
        capture, found = recorded(work, run=run)
        for fact in expected:
            lab.demand("build_id" in fact and "interpreter" in fact, "the test had nothing to compare")
            same = [exe for exe in found if exe["path"] == fact["path"]]
            lab.equal(same, [fact], f"what is known of {bytes.fromhex(fact['path'])}")
        lab.demand(not any(exe["path"] == os.fsencode(script).hex() for exe in found), "a script is no executable")
        rows_have_theirs(capture, found)


def of_what_ran_before():
    """The snapshot's are there as well, also those that have no name any more."""
    with lab.workdir() as work:
        gone = shutil.copy("/bin/sleep", os.path.join(work, "gone"))
        expected = [facts("/bin/sleep"), facts(gone)]
        with lab.started(["/bin/sleep", "60"]), lab.started([gone, "60"]):
            os.unlink(gone)
            capture, found = recorded(work, run=lambda: lab.run(["/bin/sleep", "0"]))
        for fact in expected:
            lab.equal([exe for exe in found if exe["path"] == fact["path"]], [fact],
                      f"what is known of {bytes.fromhex(fact['path'])}")
        rows_have_theirs(capture, found)


def replaced():
    """Programs that follow each other under one name, often with the same inode: each is there."""
    sources = ["/bin/sleep", "/bin/true", "/bin/false", "/bin/echo"]
    ids = {readelf(source)[0] for source in sources}
    with lab.workdir() as work:
        path = os.path.join(work, "conftest")
        expected = []

        def run():
            for i in range(40):
                if i % 3:
                    os.unlink(path)
                shutil.copy(sources[i % 4], path)
                expected.append(facts(path))
                lab.run([path, "0"], code=None)
                if i % 8 == 0:
                    time.sleep(0.3)
            os.unlink(path)
        _, found = recorded(work, run=run)
        mine = [exe for exe in found if exe["path"] == os.fsencode(path).hex()]
        lab.equal(len(mine), 40, "entries of a file that was replaced 40 times")
        read = 0
        for fact in expected:
            same = [exe for exe in mine if exe["inode"] == fact["inode"] and exe["mtime"] == fact["mtime"]]
            lab.equal(len(same), 1, f"entries of {fact}")
            # It may have been replaced before it was read; but then nothing else is told of it.
            if "build_id" in same[0]:
                lab.equal(same[0], fact, "a file that was replaced")
                lab.demand(fact["build_id"] in ids, "the test had no build-id")
                read += 1
            else:
                lab.equal(same[0], {key: value for key, value in fact.items()
                                    if key not in ("build_id", "interpreter")}, "one that was too fast")
        print(f"   {read} of 40 were read before they were replaced")
        lab.demand(read >= 4, "nothing was read of those that stayed")


def out_of_sight():
    """A file that only the process can see is read by way of the process, while it lives."""
    with lab.workdir() as work:
        hidden = os.path.join(work, "hidden")
        os.mkdir(hidden)
        source, sink = os.pipe()
        expected = readelf("/bin/sleep")

        def run():
            pid = os.fork()
            if not pid:
                LIBC.unshare(CLONE_NEWNS)
                LIBC.mount(b"none", b"/", b"none", MS_REC | MS_PRIVATE, None)
                LIBC.mount(b"tmpfs", os.fsencode(hidden), b"tmpfs", 0, None)
                path = shutil.copy("/bin/sleep", os.path.join(hidden, "sleep"))
                memory = os.memfd_create("sleep")
                with open(path, "rb") as file:
                    os.write(memory, file.read())
                if not os.fork():
                    os.execve(memory, ["sleep", "2"], {})
                os.close(source)
                os.close(sink)
                os.execv(path, [path, "2"])
            os.waitpid(pid, 0)
        _, found = recorded(work, run=run)
        os.close(source)
        os.close(sink)
        for name in ("hidden/sleep", "memfd:sleep"):
            same = [exe for exe in found if os.fsdecode(bytes.fromhex(exe["path"])).endswith(name)
                    or bytes.fromhex(exe["path"]) == b"/sleep"]
            same = [exe for exe in same if (b"memfd" in bytes.fromhex(exe["path"])) == ("memfd" in name)]
            lab.equal(len(same), 1, f"entries of {name} in {found}")
            lab.equal((same[0].get("build_id"), same[0].get("interpreter")), expected, name)


def never_waits():
    """A FIFO or a file system that hangs holds nothing up: here a pipe is where the program was."""
    with lab.workdir() as work:
        path = os.path.join(work, "program")

        def run():
            for _ in range(20):
                shutil.copy("/bin/true", path)
                subprocess.run([path], check=True)
                os.unlink(path)
                os.mkfifo(path)
                os.unlink(path)
            os.mkfifo(path)
        before = lab.boottime()
        capture, found = recorded(work, run=run)
        lab.equal(lab.info(capture)["lost"], 0, "lost")
        lab.equal(sum(exe["path"] == os.fsencode(path).hex() for exe in found), 20, "entries")
        lab.demand(lab.boottime() - before < 30 * 10**9, "the recorder was held up")


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(as_readelf_says, of_what_ran_before, replaced, out_of_sight, never_waits)

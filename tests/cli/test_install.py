#!/usr/bin/env python3
"""`cmake --install` puts everything where it belongs, and what it put there works."""
import os
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402


def cache(name):
    with open(os.path.join(lab.BUILD, "CMakeCache.txt"), encoding="utf-8") as file:
        for line in file:
            if line.startswith(name + ":"):
                return line.split("=", 1)[1].strip()
    raise lab.Failure(f"CMakeCache.txt has no {name}")


def layout():
    with lab.workdir() as work:
        lab.run(["cmake", "--install", lab.BUILD], env=os.environ | {"DESTDIR": work})
        prefix = work + cache("CMAKE_INSTALL_PREFIX")
        found = {os.path.relpath(os.path.join(where, file), prefix)
                 for where, _, files in os.walk(work) for file in files}
        expected = {"bin/exectrace", "share/man/man1/exectrace.1"}
        if os.path.exists(lab.RECORDER):
            expected |= {"libexec/exectrace/exectrace-record", "share/man/man1/exectrace-record.1"}
        lab.demand(expected <= found, f"missing: {expected - found}, installed: {found}")
        strangers = {path for path in found if not path.startswith(("bin/", "libexec/", "share/", "lib", "include/"))}
        lab.equal(strangers, set(), "files where none belong")
        for path in found:
            mode = stat.S_IMODE(os.stat(os.path.join(prefix, path)).st_mode)
            lab.equal(mode, 0o755 if path in ("bin/exectrace", "libexec/exectrace/exectrace-record") else 0o644,
                      f"mode of {path}")
        replays(os.path.join(prefix, "bin", "exectrace"), work)


def replays(program, work):
    capture = os.path.join(work, "c.etz")
    with open(capture, "wb") as file:
        lab.run([lab.helper("make_capture"), "10"], stdout=file)
    lab.equal(lab.run([program, "replay", "--json", capture]).stdout,
              lab.exectrace("replay", "--json", capture).stdout, "what the installed program replays")


def installed_recorder_is_found():
    """Under a prefix of its own; the program must not look into the build tree."""
    if not os.path.exists(lab.RECORDER):
        print("   the recorder was not built; not checked")
        return
    with lab.workdir() as work:
        lab.run(["cmake", "--install", lab.BUILD, "--prefix", os.path.join(work, "usr")])
        program = os.path.join(work, "usr", "bin", "exectrace")
        recorder = os.path.join(work, "usr", "libexec", "exectrace", "exectrace-record")
        lab.demand(b"--ring-size" in lab.run([program, "record", "--help"]).stdout, "does not find its recorder")
        os.rename(recorder, recorder + ".gone")
        done = lab.run([program, "record", "--help"], code=None)
        lab.demand(done.returncode == 1 and b"exectrace-record" in done.stderr,
                   f"without its recorder: {done.returncode}, {done.stderr!r}")


if __name__ == "__main__":
    lab.need_tool("cmake")
    lab.main(layout, installed_recorder_is_found)

#!/usr/bin/env python3
"""`cmake --install` puts everything where it belongs, and what it put there works."""
import os
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402


def library():
    """What libexectrace brings; a sanitized build leaves it out."""
    if lab.SANITIZED:
        return set()
    libdir = lab.cache("CMAKE_INSTALL_LIBDIR")
    version = lab.cache("CMAKE_PROJECT_VERSION")
    kind = (lab.cache("CMAKE_BUILD_TYPE") or "Release").lower()
    return {"include/exectrace.h"} | {f"{libdir}/{name}" for name in (
        "libexectrace.a", "libexectrace.so", "libexectrace.so.0", f"libexectrace.so.{version}", "pkgconfig/exectrace.pc",
        "cmake/exectrace/exectrace-config.cmake", f"cmake/exectrace/exectrace-config-{kind}.cmake",
        "cmake/exectrace/exectrace-config-version.cmake")}


def service():
    """Where systemd is, or it was asked for; below the prefix all the same."""
    wanted = lab.cache("EXECTRACE_SYSTEMD")
    if wanted == "OFF" or wanted == "AUTO" and lab.cache("EXECTRACE_SYSTEMCTL").endswith("-NOTFOUND"):
        return set()
    return {"lib/systemd/system/exectrace.service", "lib/sysusers.d/exectrace.conf", "lib/tmpfiles.d/exectrace.conf"}


def layout():
    with lab.workdir() as work:
        lab.run(["cmake", "--install", lab.BUILD], env=os.environ | {"DESTDIR": work})
        prefix = work + lab.cache("CMAKE_INSTALL_PREFIX")
        found = {os.path.relpath(os.path.join(where, file), prefix)
                 for where, _, files in os.walk(work) for file in files}
        expected = {"bin/exectrace", "share/man/man1/exectrace.1"} | library()
        if os.path.exists(lab.RECORDER):
            expected |= {"libexec/exectrace/exectrace-record", "share/man/man1/exectrace-record.1"} | service()
        lab.equal(sorted(found), sorted(expected), "installed files")
        for path in found:
            mode = stat.S_IMODE(os.stat(os.path.join(prefix, path)).st_mode)
            # Whether a shared library is executable is each distribution's own custom.
            if ".so" in path:
                mode &= ~0o111
            lab.equal(mode, 0o755 if path in ("bin/exectrace", "libexec/exectrace/exectrace-record") else 0o644,
                      f"mode of {path}")
        replays(os.path.join(prefix, "bin", "exectrace"), work)


def replays(program, work):
    capture = lab.made(work, 10)
    lab.equal(lab.run([program, "replay", "--json", capture]).stdout,
              lab.exectrace("replay", "--json", capture).stdout, "what the installed program replays")


def prefix_of_the_installation():
    """`cmake --install --prefix` has the last word: pkg-config must point there."""
    if lab.SANITIZED:
        return
    with lab.workdir() as work:
        prefix = os.path.join(work, "usr")
        lab.run(["cmake", "--install", lab.BUILD, "--prefix", prefix])
        pkgconfig = os.path.join(prefix, lab.cache("CMAKE_INSTALL_LIBDIR"), "pkgconfig")
        said = lab.run(["pkg-config", "--variable=prefix", "exectrace"],
                       env=os.environ | {"PKG_CONFIG_PATH": pkgconfig}).stdout.decode().strip()
        lab.equal(said, prefix, "prefix that exectrace.pc says")
        if os.path.exists(lab.RECORDER) and service():
            unit = lab.contents(os.path.join(prefix, "lib/systemd/system/exectrace.service")).decode()
            lab.demand(f"\nExecStart={prefix}/bin/exectrace record " in unit, f"the unit starts another: {unit}")


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
    lab.main(layout, prefix_of_the_installation, installed_recorder_is_found)

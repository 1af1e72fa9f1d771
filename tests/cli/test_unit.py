#!/usr/bin/env python3
"""What systemd says of the service's files, without a manager that runs them."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
import manager  # noqa: E402

# Tenths of systemd's level of exposure; 10.0 is a service of root's with nothing shut off.
EXPOSURE = 20


def installed(work):
    """Where the files are that an installation brings."""
    lab.run(["cmake", "--install", lab.BUILD, "--prefix", os.path.join(work, "usr")])
    return {kind: os.path.join(work, "usr/lib", path) for kind, path in (
        ("unit", "systemd/system/exectrace.service"), ("users", "sysusers.d/exectrace.conf"),
        ("files", "tmpfiles.d/exectrace.conf"))}


def verified(unit):
    """What there is to say against it."""
    done = lab.run(["systemd-analyze", "--man=no", "verify", unit], code=None, env=os.environ | {"SYSTEMD_COLORS": "0"})
    return (done.stdout + done.stderr).decode()


def unit_is_right():
    with lab.workdir() as work:
        unit = installed(work)["unit"]
        lab.equal(verified(unit), "", "what systemd-analyze says")
        with open(unit, encoding="utf-8") as file:
            text = file.read()
        wrong = os.path.join(work, "wrong.service")
        for broken, said in ((text.replace("WatchdogSec", "WatchdogSecs"), "WatchdogSecs"),
                             (text.replace("/bin/exectrace", "/bin/exectraces"), "exectraces")):
            with open(wrong, "w", encoding="utf-8") as file:
                file.write(broken)
            lab.demand(said in verified(wrong), f"that check cannot fail: {said}")


def unit_is_confined():
    with lab.workdir() as work:
        unit = installed(work)["unit"]
        lab.run(["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", unit])
        lab.run(["systemd-analyze", "security", "--offline=true", "--threshold=1", unit], code=1)


def recorder_takes_the_options():
    """All of those of ExecStart, or it would not come to the last one."""
    with lab.workdir() as work:
        words = manager.command_line(manager.unit(installed(work)["unit"]))
        lab.equal(words[:2], [os.path.join(work, "usr/bin/exectrace"), "record"], "the program")
        lab.demand(lab.run([*words, "--help"]).stdout.startswith(b"Usage: exectrace record"), f"{words}")
        lab.run([*words, "--no-such-option", "--help"], code=2)


def user_and_directories_are_made():
    with lab.workdir() as work:
        paths, root = installed(work), os.path.join(work, "root")
        os.makedirs(os.path.join(root, "etc"))
        os.makedirs(os.path.join(root, "var/log"))
        for tool, path, options in (("systemd-sysusers", paths["users"], []),
                                    ("systemd-tmpfiles", paths["files"], ["--create"])):
            lab.run([tool, f"--root={root}", *options, path])
        with open(os.path.join(root, "etc/passwd"), encoding="utf-8") as file:
            user = dict(line.split(":", 1) for line in file)["exectrace"].strip().split(":")
        lab.equal(user[4:], ["/var/log/exectrace", "/usr/sbin/nologin"], "home and shell")
        made = os.stat(os.path.join(root, "var/log/exectrace"))
        lab.equal([made.st_mode & 0o7777, str(made.st_uid), str(made.st_gid)], [0o750, user[1], user[2]], "captures")


if __name__ == "__main__":
    if not os.path.exists(lab.RECORDER):
        lab.skip("the recorder was not built")
    for program in ("cmake", "systemd-analyze", "systemd-sysusers", "systemd-tmpfiles"):
        lab.need_tool(program)
    lab.need_root()
    lab.main(unit_is_right, unit_is_confined, recorder_takes_the_options, user_and_directories_are_made)

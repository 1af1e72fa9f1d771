#!/usr/bin/env python3
"""record --check, and what the recorder says where something is missing."""
import ctypes
import json
import os
import platform
import re
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402

NOBODY = 65534
VERDICTS = ("can record everything", "can record, but not everything", "cannot record")
BPF_CALL = {"x86_64": 321, "s390x": 351}.get(platform.machine(), 280)


def check(*prefix, code=None, **kwargs):
    """Lines of --check as what -> (ok or missing, text), and its last line."""
    done = lab.run([*prefix, lab.EXECTRACE, "record", "--check", *kwargs.pop("options", ())], code=code, **kwargs)
    lab.equal(done.stderr, b"", "standard error")
    *lines, verdict = done.stdout.decode().splitlines()
    found = {}
    for line in lines:
        state, rest = line[:9].rstrip(), line[9:]
        what, colon, text = rest.partition(": ")
        lab.demand(state in ("ok", "missing") and colon and text, f"a line {line!r}")
        lab.demand(what not in found, f"two lines about {what}")
        found[what] = (state, text)
    states = {state for state, _ in found.values()}
    lab.demand(verdict in VERDICTS, f"verdict {verdict!r}")
    lab.equal(verdict == VERDICTS[0], states == {"ok"}, "says that nothing is missing")
    lab.equal(done.returncode, 0 if verdict == VERDICTS[0] else 1, "exit code")
    return found, verdict


def missing(found):
    return {what for what, (state, _) in found.items() if state == "missing"}


def machine_is_judged_as_it_records():
    with lab.workdir() as work:
        found, verdict = check(cwd=work)
        lab.equal(os.listdir(work), [], "files made")
        lab.equal(verdict, VERDICTS[0], f"verdict for root: {found}")
        lab.equal(missing(found), set(), "missing for root")
        lab.demand(os.uname().release in found["kernel"][1], f"kernel {found['kernel']}")
        capture = os.path.join(work, "c.etz")
        lab.record(capture, "--", "/bin/true")
        features = re.search(r"^Features +(.*)$", lab.exectrace("info", capture).stdout.decode(), re.M)[1]
        lab.demand(found["programs"][1].endswith(features), f"programs {found['programs']}, recorded with {features}")
        found, _ = check(options=["--no-failed", "--no-fork", "--ring-size", "64K"], cwd=work)
        lab.demand("failed" not in found["programs"][1] and "fork" not in found["programs"][1], f"{found['programs']}")
        lab.demand("64.0 KiB" in found["memory"][1], f"{found['memory']}")


def filters_are_looked_up():
    found, _ = check()
    lab.demand("filters" not in found, "tells of filters that are not there")
    with lab.started(["/bin/sleep", "60"]) as sleeper:
        found, verdict = check(options=["--pid", str(sleeper.pid), "--uid", "root", "--comm", "sleep"])
    lab.equal((found["filters"][0], found["programs"][0], verdict), ("ok", "ok", VERDICTS[0]), "filters that do")
    for options, words in ((["--uid", "nosuchuser"], "nosuchuser"), (["--pid", str(sleeper.pid)], str(sleeper.pid)),
                           (["--cgroup", "/no/such/cgroup"], "/no/such/cgroup")):
        found, verdict = check(code=1, options=options)
        lab.demand(found["filters"][0] == "missing" and words in found["filters"][1], f"said {found['filters']}")
        lab.equal(verdict, "cannot record", f"verdict with {options}")


def programs_do_not_stay():
    bpftool = lab.need_tool("bpftool")

    def shown():
        return {entry["id"] for entry in json.loads(lab.run([bpftool, "--json", "prog", "show"]).stdout)}
    before = shown()
    with lab.workdir() as work:
        trace = os.path.join(work, "trace")
        check(lab.need_tool("strace"), "-f", "-E", "ASAN_OPTIONS=detect_leaks=0", "-e", "trace=bpf", "-o", trace)
        with open(trace, encoding="utf-8", errors="replace") as file:
            calls = file.read()
    for name in ("et_exec", "et_fork", "et_exit"):
        lab.demand(re.search(rf'BPF_PROG_LOAD.*prog_name="{name}".* = \d+$', calls, re.M), f"did not load {name}")
    lab.demand(re.search(r"BPF_(RAW_TRACEPOINT_OPEN|LINK_CREATE).* = \d+$", calls, re.M), "did not attach")
    lab.wait_until(lambda: not shown() - before, "the programs to go")


def wrong_use():
    done = lab.exectrace("record", "--check", "--", "/bin/true", code=2)
    lab.equal(done.stderr.count(b"\n"), 1, "lines")
    with open("/dev/full", "wb") as full:
        done = lab.exectrace("record", "--check", code=1, stdout=full)
    lab.demand(b"cannot write standard output" in done.stderr, f"said {done.stderr!r}")


def recording_fails_with(why, *prefix, **kwargs):
    """A recording says the same in one line, and leaves nothing."""
    with lab.workdir() as work:
        os.chmod(work, 0o777)
        done = lab.run([*prefix, lab.EXECTRACE, "record", "-o", os.path.join(work, "c.etz")], code=1, **kwargs)
        lab.equal(os.listdir(work), [], "files left")
        lab.equal(done.stderr.decode(), f"exectrace record: {why}\n", "said")


def without_capabilities():
    with lab.workdir() as work:
        # nobody must be able to reach the programs.
        for name in ("exectrace", "exectrace-record"):
            lab.run(["cp", os.path.join(lab.BIN, name), work])
        as_nobody = [lab.need_tool("setpriv"), "--reuid", str(NOBODY), "--clear-groups"]
        for allowed, named in (("-all", "CAP_BPF and CAP_PERFMON missing"),
                               ("-all,+cap_38", "CAP_BPF missing"), ("-all,+cap_39", "CAP_PERFMON missing")):
            argv = [*as_nobody, "--inh-caps", allowed, "--ambient-caps", allowed, os.path.join(work, "exectrace")]
            done = lab.run([*argv, "record", "--check"], code=1)
            lab.demand(f"no permission to load BPF programs: {named}".encode() in done.stdout, f"said {done.stdout!r}")
            lab.equal(done.stdout.splitlines()[-1].decode(), VERDICTS[2], "verdict")
            done = lab.run([*argv, "record", "-o", "/tmp/exectrace-test-none.etz"], code=1)
            lab.demand(named.encode() in done.stderr and b"sudo" in done.stderr and done.stderr.count(b"\n") == 1,
                       f"said {done.stderr!r}")


def in_a_user_namespace():
    found, verdict = check(lab.need_tool("unshare"), "--user", "--map-root-user")
    lab.equal((missing(found), verdict), ({"user namespace", "programs"}, VERDICTS[2]), "missing in a user namespace")
    recording_fails_with(found["user namespace"][1], "unshare", "--user", "--map-root-user")


def in_a_pid_namespace():
    unshare = [lab.need_tool("unshare"), "--pid", "--fork", "--mount-proc"]
    found, verdict = check(*unshare)
    lab.equal((found["what runs already"][0], verdict), ("missing", VERDICTS[1]), "in a pid namespace")
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        done = lab.run([*unshare, lab.EXECTRACE, "record", "-o", capture, "--", "/bin/true"], code=1)
        lab.demand(b"pid namespace" in done.stderr and b"--all" in done.stderr, f"said {done.stderr!r}")
        lab.run([*unshare, lab.EXECTRACE, "record", "--all", "-o", capture, "--", "/bin/true"])


def without_cgroups():
    found, _ = check(lab.need_tool("unshare"), "--mount", "/bin/sh", "-c",
                     "for m in $(grep ' cgroup2 ' /proc/self/mounts | cut -d' ' -f2); do umount $m || exit 9; done; "
                     "exec \"$@\"", "sh")
    lab.equal(missing(found), {"names of cgroups"}, "without cgroup2")


def without_sys():
    """As far as a kernel without BTF can be imitated."""
    hidden = ["unshare", "--mount", "/bin/sh", "-c", "mount -t tmpfs none /sys/kernel && exec \"$@\"", "sh"]
    found, verdict = check(*hidden)
    lab.equal((missing(found), verdict), ({"BTF", "programs"}, VERDICTS[2]), "missing without BTF")
    lab.demand("CONFIG_DEBUG_INFO_BTF" in found["BTF"][1] and "--btf FILE" in found["BTF"][1], f"BTF {found['BTF']}")
    recording_fails_with(found["BTF"][1], *hidden)
    with lab.workdir() as work:
        brought = os.path.join(work, "brought.btf")
        lab.run(["cp", "/sys/kernel/btf/vmlinux", brought])
        options = ["--btf", brought]
        found, _ = check(*hidden, options=options)
        lab.equal((missing(found) - {"lockdown"}, found["BTF"]), (set(), ("ok", f"'{brought}', given")), "with BTF given")
        lab.demand(found["programs"][1].endswith("raw_tp, by BTF that was given"), f"programs {found['programs']}")
        capture = os.path.join(work, "c.etz")
        lab.run([*hidden, lab.EXECTRACE, "record", *options, "-o", capture, "--", "/bin/true"])
        lab.equal([event["argv"] for event in lab.replay("--kind", "exec", capture)], [["/bin/true"]], "execs")
    hidden[4] = "mount -t tmpfs none /sys && exec \"$@\""
    found, _ = check(*hidden)
    lab.demand("mount -t sysfs" in found["BTF"][1], f"BTF {found['BTF']}")


def under_lockdown():
    """A file like the kernel's stands in for it; the true thing is the matrix's to try."""
    for text, state in (("none integrity [confidentiality]", "missing"), ("none [integrity] confidentiality", "ok")):
        found, verdict = check("unshare", "--mount", "/bin/sh", "-c",
                               "mount -t tmpfs none /sys/kernel/security && "
                               f"echo '{text}' > /sys/kernel/security/lockdown && exec \"$@\"", "sh")
        lab.equal((found["lockdown"][0], verdict == VERDICTS[2]), (state, state == "missing"), f"with {text}")
        if state == "missing":
            lab.demand("lockdown=integrity" in found["lockdown"][1], f"lockdown {found['lockdown']}")


def refuse_bpf():
    """A seccomp filter as containers have it: bpf() is not permitted."""
    code = [(0x20, 0, 0, 0), (0x15, 0, 1, BPF_CALL), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7fff0000)]
    filters = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *one) for one in code))
    program = ctypes.create_string_buffer(struct.pack("=HxxxxxxQ", len(code), ctypes.addressof(filters)))
    libc = ctypes.CDLL(None, use_errno=True)
    # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
    if libc.prctl(22, 2, program, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no filter")


def where_a_filter_forbids_bpf():
    found, verdict = check(preexec_fn=refuse_bpf)
    lab.equal((missing(found), verdict), ({"programs"}, VERDICTS[2]), "missing under a filter")
    text = found["programs"][1]
    lab.demand("Operation not permitted" in text and "seccomp" in text, f"programs {text}")
    recording_fails_with(text, preexec_fn=refuse_bpf)


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(machine_is_judged_as_it_records, filters_are_looked_up, programs_do_not_stay, wrong_use, without_capabilities,
             in_a_user_namespace, in_a_pid_namespace, without_cgroups, without_sys, under_lockdown,
             where_a_filter_forbids_bpf)

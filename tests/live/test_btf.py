#!/usr/bin/env python3
"""record --btf: BTF of this kernel serves, from any file that has it; all other files are refused."""
import os
import platform
import re
import signal
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import btf  # noqa: E402
import lab  # noqa: E402

OWN = "/sys/kernel/btf/vmlinux"

# A member, by how many bytes its place is wrong, and what the recorder finds not to be so.
CALLS = {"x86_64": (("pt_regs", "orig_ax", 8), ("pt_regs", "di", 8), ("pt_regs", "si", -8), ("pt_regs", "r10", 8)),
         "aarch64": (("pt_regs", "syscallno", -8), ("pt_regs", "orig_x0", -8))}.get(platform.machine(), ())
WRONG = [(*row, "system calls") for row in CALLS] + [
    ("task_struct", "pid", 8, "ids"),
    ("task_struct", "tgid", 8, "ids"),
    ("task_struct", "thread_pid", 8, "id in its namespace"),
    ("pid", "numbers", 8, "id in its namespace"),
    ("task_struct", "real_parent", -8, "parent"),
    ("task_struct", "comm", 4, "name"),
    ("task_struct", "start_boottime", 8, "start"),
    ("task_struct", "group_leader", -8, "start"),
    ("cred", "uid", -8, "users and groups"),
    ("task_struct", "cgroups", 8, "cgroup"),
    ("kernfs_node", "id", -8, "cgroup"),
    ("task_struct", "nsproxy", 8, "namespaces"),
    ("nsproxy", "mnt_ns", 8, "namespaces"),
    ("ns_common", "inum", -8, "id in its namespace"),
    ("mm_struct", "arg_start", 8, "memory"),
    ("mm_struct", "env_end", -8, "memory"),
    ("mm_struct", "end_code", 8, "memory"),
    ("task_struct", "blocked", 8, "signals"),
    ("task_struct", "sighand", -8, "signals"),
    ("inode", "i_size", 16, "executable"),
    ("file", "f_inode", 8, "executable"),
    ("dentry", "d_parent", 8, "executable's path"),
    ("fs_struct", "pwd", -16, "working directory"),
    ("task_struct", "thread_node", 8, "threads"),
    ("sched_entity", "sum_exec_runtime", -8, "run time"),
    ("task_struct", "min_flt", -8, "use of memory"),
]


def write(work, name, data):
    path = os.path.join(work, name)
    with open(path, "wb") as file:
        file.write(data)
    return path


def own_btf():
    with open(OWN, "rb") as file:
        return file.read()


def refused(path, work, **kwargs):
    """What a recording with it says, in one line, leaving nothing."""
    before = sorted(os.listdir(work))
    done = lab.record(os.path.join(work, "c.etz"), "--btf", path, "--", "/bin/true", code=1, cwd=work, **kwargs)
    lab.equal(sorted(os.listdir(work)), before, "files left")
    lab.equal(done.stderr.count(b"\n"), 1, f"lines of {done.stderr!r}")
    return done.stderr.decode(errors="replace")


def serves(path, work):
    capture = os.path.join(work, "served.etz")
    done = lab.record(capture, "-f", "--verbose", "--btf", path, "--", "/bin/true", "served")
    lab.demand(b"raw_tp, by BTF that was given" in done.stderr, f"said {done.stderr!r}")
    lab.demand("raw_tp, by BTF that was given" in lab.info(capture)["properties"]["features"], "features")
    found = [event["argv"] for event in lab.replay("--kind", "exec", capture)]
    lab.equal(found, [["/bin/true", "served"]], "execs recorded")


def with_section(work, name, data):
    """An ELF file with data as its .BTF."""
    path = os.path.join(work, name)
    lab.run([lab.need_tool("objcopy"), "--add-section", f".BTF={write(work, 'section', data)}", "/bin/true", path])
    return path


def files_that_serve():
    own = own_btf()
    with lab.workdir() as work:
        serves(OWN, work)
        serves(write(work, "copy.btf", own), work)
        serves(with_section(work, "elf", own), work)
        capture = os.path.join(work, "plain.etz")
        lab.record(capture, "--", "/bin/true")
        lab.demand("tp_btf" in lab.info(capture)["properties"]["features"], "features without --btf")
        # While it is running: what serves is the copy that was checked.
        path = write(work, "soon-gone.btf", own)
        with lab.recording(os.path.join(work, "long.etz"), "--btf", path) as process:
            os.truncate(path, 0)
            lab.run(["/bin/true", "after-it-was-gone"])
            code, _, err = lab.stop(process)
            lab.equal(code, 0, f"exit code; {err!r}")
        found = [event["argv"] for event in lab.replay("--kind", "exec", os.path.join(work, "long.etz"))]
        lab.demand(["/bin/true", "after-it-was-gone"] in found, f"execs {found}")


def live_takes_it():
    done = lab.exectrace("live", "--btf", OWN, "--", "/bin/true", "through-live")
    lab.demand(b"/bin/true through-live" in done.stdout, f"said {done.stdout!r}")
    done = lab.exectrace("live", "--btf", "/nonexistent", "--", "/bin/true", code=1)
    lab.demand(b"cannot open '/nonexistent'" in done.stderr, f"said {done.stderr!r}")


def files_that_do_not():
    own = own_btf()
    with lab.workdir() as work:
        fifo = os.path.join(work, "fifo")
        os.mkfifo(fifo)
        large = write(work, "large", own)
        os.truncate(large, (64 << 20) + 1)
        elf = write(work, "cut-elf", open("/bin/true", "rb").read()[:4096])
        # A program's own types are BTF, too; those of ours even have a task_struct.
        objects = os.path.join(lab.BUILD, "bpf", "probe.bpf.o")
        rows = [("/nonexistent", "cannot open '/nonexistent': No such file"), (work, "not a regular file"),
                (fifo, "not a regular file"), (write(work, "empty", b""), "is empty"),
                (write(work, "text", b"CONFIG_DEBUG_INFO_BTF=y\n"), "neither BTF nor an ELF file"),
                (write(work, "cut", own[:len(own) // 2]), "is cut off"), (write(work, "cut2", own[:20]), "is cut off"),
                (write(work, "swapped", own[1::-1] + own[2:]), "other byte order"),
                (write(work, "program", btf.made([1, 1 << 24, 4, 32])), "no task_struct"),
                (write(work, "dangling", btf.made([1, 8 << 24, 99])), "does not have"),
                (write(work, "endless", btf.made([1, 8 << 24, 1])), "no end"),
                (large, "64 MiB"), ("/bin/true", "without a section .BTF"), (elf, "cut off"),
                (with_section(work, "elf-with-text", b"text"), "neither BTF"), (objects, "another kernel")]
        for path, words in rows:
            said = refused(path, work)
            lab.demand(words in said and (path in said or len(path) > 200), f"{path}: said {said!r}")
        done = lab.exectrace("record", "--check", "--btf", fifo, code=1)
        lab.demand(re.search(rb"^missing  BTF: '.*' is not a regular file", done.stdout, re.M), f"said {done.stdout!r}")
        done = lab.exectrace("record", "--check", "--btf", "\033[2J", code=1)
        lab.demand(b"'\\033[2J'" in done.stdout and b"\033" not in done.stdout, f"said {done.stdout!r}")
        # Its name neither reaches the terminal nor takes the room of what to do.
        said = refused(os.path.join(work, "\033[2J" + "x" * 250), work)
        lab.demand("\\033[2J" in said and "\033" not in said and len(said) < 400, f"said {said!r}")


def of_another_machine():
    with lab.workdir() as work:
        elf = bytearray(open("/bin/true", "rb").read())
        elf[4] = 1	# ELFCLASS32
        lab.demand("another machine" in refused(write(work, "elf32", elf), work), "a 32-bit file")
        # A kernel whose pointers have 4 bytes: its long has.
        strings = b"\0task_struct\0pid\0long\0"
        words = [17, 1 << 24, 4, 32, 1, 4 << 24 | 1, 4, 13, 1, 0]
        said = refused(write(work, "kernel32", btf.made(words, strings)), work)
        lab.demand("another kind of machine" in said, f"said {said!r}")


def of_another_kernel():
    """Each member that is read elsewhere is found out, by what it is to tell."""
    own = btf.Btf(own_btf())
    lab.demand(len(WRONG) > 25, "members of this machine")
    with lab.workdir() as work:
        for structure, member, size, what in WRONG:
            path = write(work, "shifted.btf", own.shifted(structure, member, size))
            said = refused(path, work)
            row = f"{structure}.{member} by {size}"
            lab.demand(f"'{path}' is the BTF of another kernel" in said, f"{row}: said {said!r}")
            lab.demand(f"process's own {what} is wrong" in said, f"{row}: said {said!r}, not {what}")
            lab.demand(os.uname().release in said, f"{row}: said {said!r}")
        done = lab.exectrace("record", "--check", "--btf", path, code=1)
        lab.demand(b"missing  programs: '" in done.stdout and b"another kernel" in done.stdout, f"said {done.stdout!r}")


def in_a_pid_namespace():
    unshare = [lab.need_tool("unshare"), "--pid", "--fork", "--mount-proc"]
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        lab.run([*unshare, lab.EXECTRACE, "record", "--all", "--btf", OWN, "-o", capture, "--", "/bin/true", "inside"])
        found = [event["argv"] for event in lab.replay("--kind", "exec", capture)]
        lab.demand(["/bin/true", "inside"] in found, f"execs {found}")


def where_clocks_differ():
    """In a time namespace, this process began at another time than the kernel says."""
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        lab.run([lab.need_tool("unshare"), "--time", "--boottime", "86400", "--fork", lab.EXECTRACE, "record", "--btf", OWN,
                 "-o", capture, "--", "/bin/true"])


def on_a_terminal_and_elsewhere():
    """Whatever the recorder is like itself, it fits."""
    with lab.workdir() as work:
        copy = os.path.join(work, "recorder")
        subprocess.run(["cp", lab.RECORDER, copy], check=True)
        capture = os.path.join(work, "c.etz")
        rows = [(["script", "-qec", f"{lab.RECORDER} -f -o {capture} --btf {OWN} -- /bin/true", "/dev/null"], "/"),
                ([copy, "-f", "-o", capture, "--btf", OWN, "--", "/bin/true"], work),
                (["/bin/sh", "-c", f"mkdir gone && cd gone && rmdir ../gone && exec {lab.RECORDER} -f -o {capture} "
                  f"--btf {OWN} -- /bin/true"], work),
                (["setpriv", "--regid", "7", "--clear-groups", lab.RECORDER, "-f", "-o", capture, "--btf", OWN,
                  "--", "/bin/true"], work)]
        for argv, cwd in rows:
            lab.run(argv, cwd=cwd)
            os.unlink(capture)
        with lab.started([copy, "-f", "-o", capture, "--btf", OWN]) as process:
            lab.until_attached(process, capture)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=lab.TIMEOUT)


def not_with_more_rights_than_the_caller():
    """A file says where programs read: it must not be that of somebody who may not read there."""
    with lab.workdir() as work:
        os.chmod(work, 0o777)
        for name in ("exectrace", "exectrace-record"):
            subprocess.run(["cp", os.path.join(lab.BIN, name), work], check=True)
        # CAP_PERFMON and CAP_BPF, permitted and effective (struct vfs_cap_data, revision 2).
        os.setxattr(os.path.join(work, "exectrace-record"), "security.capability",
                    struct.pack("<5I", 0x02000001, 0, 0, 1 << 6 | 1 << 7, 0))
        argv = [lab.need_tool("setpriv"), "--reuid", "65534", "--regid", "65534", "--clear-groups",
                os.path.join(work, "exectrace"), "record", "-o", os.path.join(work, "c.etz")]
        lab.run([*argv, "--", "/bin/true"], cwd=work)
        done = lab.run([*argv, "-f", "--btf", OWN, "--", "/bin/true"], code=1, cwd=work)
        lab.demand(b"more rights than its caller" in done.stderr and b"sudo" in done.stderr and
                   done.stderr.count(b"\n") == 1, f"said {done.stderr!r}")


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(files_that_serve, live_takes_it, files_that_do_not, of_another_machine, of_another_kernel,
             in_a_pid_namespace, where_clocks_differ, on_a_terminal_and_elsewhere, not_with_more_rights_than_the_caller)

"""One boot: the steps go in with the initramfs, the results come out of a serial port."""
import collections
import ctypes
import gzip
import io
import os
import re
import shlex
import signal
import subprocess
import sys
import tarfile
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
from arch import accelerator  # noqa: E402
from initramfs import Initramfs  # noqa: E402

# Seconds until a guest that says nothing any more is given up, beside what its steps may take.
# Software emulation on a busy machine is slow; a boot takes 5 s or so.
BOOT_SECONDS = 120

# How often at most. Where one processor patches code that another one runs, software
# emulation may go wrong while a kernel begins: that is not what is tested here.
BOOTS = 3

# settings: of init.c. seconds: that it may take. exit: how it has to end.
Step = collections.namedtuple("Step", ["name", "argv", "settings", "seconds", "exit"],
                              defaults=[(), 120, "exit 0"])


PR_SET_PDEATHSIG = 1


def die_with_parent():
    """A test may be killed; its guest must not stay."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Guest:
    """work: a folder for what goes in and comes out; it is kept."""

    def __init__(self, arch, kernel, work, memory=512, cpus=2, accel=None, append=""):
        self.arch = arch
        self.kernel = kernel
        self.work = work
        self.memory = memory
        self.cpus = cpus
        self.accel = accel or accelerator(arch)
        self.append = append
        self.initramfs = Initramfs(arch)
        self.initramfs.add(lab.helper("vm_init"), "/init")
        for path in kernel.modules():
            self.initramfs.module(path)
        os.makedirs(work, exist_ok=True)

    def path(self, name):
        return os.path.join(self.work, name)

    def command(self):
        ports = [port.format(console=self.path("console.log"), results=self.path("results.tar.gz"))
                 for port in self.arch.ports]
        accel = "tcg,thread=multi" if self.accel == "tcg" else self.accel
        return [self.arch.qemu, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
                *self.arch.options, "-accel", accel, "-m", str(self.memory), "-smp", str(self.cpus),
                *ports, "-kernel", self.kernel.image, "-initrd", self.path("initramfs.cpio"),
                "-append", f"console={self.arch.console} results={self.arch.results} panic=-1 loglevel=4 "
                           f"{self.arch.append} {self.append}".rstrip()]

    def run(self, steps):
        """{name: bytes} of what the steps wrote; lab.Failure where the guest did not get that far."""
        self.initramfs.steps(steps)
        with open(self.path("initramfs.cpio"), "wb") as file:
            file.write(self.initramfs.cpio.bytes())
        with open(self.path("boot"), "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nexec {shlex.join(self.command())} \"$@\"\n")
        os.chmod(self.path("boot"), 0o755)
        seconds = BOOT_SECONDS + sum(step.seconds for step in steps)
        self.boot(seconds)
        for _ in range(BOOTS - 1):
            if self.began() or "Kernel panic" not in self.console():
                break
            print(f"{self.kernel.name}: the kernel panicked before anything of ours ran; once more")
            self.boot(seconds)
        return self.results()

    def began(self):
        return re.search(r"init: \S+ begins", self.console())

    def boot(self, seconds):
        for name in ("console.log", "results.tar.gz"):
            with open(self.path(name), "wb"):
                pass
        command = self.command()
        try:
            done = subprocess.run(command, timeout=seconds, check=False, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  preexec_fn=die_with_parent)
        except subprocess.TimeoutExpired:
            raise lab.Failure(self.tell(f"the guest hangs: nothing came in {seconds} s")) from None
        if done.returncode:
            raise lab.Failure(self.tell(f"{self.arch.qemu}: {lab.tail(done.stdout).strip()}"))

    def results(self):
        try:
            with gzip.open(self.path("results.tar.gz")) as file:
                data = file.read()
            if not data:
                raise EOFError("nothing came")
        except (OSError, EOFError, zlib.error) as error:
            panic = "Kernel panic" in self.console()
            raise lab.Failure(self.tell("the kernel panics" if panic else
                                        f"the results are not whole: {error}")) from None
        found = {}
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for member in archive:
                found[member.name] = archive.extractfile(member).read()
        for name, content in found.items():
            with open(self.path(name), "wb") as file:
                file.write(content)
        return found

    def console(self):
        with open(self.path("console.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def tell(self, what):
        log = "\n".join("  | " + line for line in self.console().splitlines()[-25:])
        return f"{what}\n  boot it again: {self.path('boot')}\n  end of {self.path('console.log')}:\n{log}"

    def demand_end(self, step, results):
        end = results.get(f"{step.name}.end", b"did not run").decode().strip()
        if end != step.exit:
            said = lab.tail(results.get(f"{step.name}.err")).strip()
            raise lab.Failure(f"{step.name}: {end}, expected {step.exit}\n  ran: {shlex.join(step.argv)}\n"
                              f"  said: {said}\n  boot it again: {self.path('boot')}")

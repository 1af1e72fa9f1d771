"""The machines that a guest can be: all that differs between them."""
import collections
import os

Arch = collections.namedtuple("Arch", [
    "name",         # Debian's name of it
    "machine",      # uname -m
    "package",      # what depends on the newest kernel of a release
    "qemu",         # the program, of the package qemu_package
    "qemu_package",
    "options",      # of qemu: the machine, and the processor that software emulates
    "append",       # to the kernel's command line
    "console",      # the kernel's name of the first serial port
    "results",      # where init writes the results: of the second one
    "ports",        # options of qemu for both, with {console} and {results}
    "libraries",    # where the shared libraries of its programs are
    "may_skip",     # what hostile_exec has no program for
])

ARCHES = {arch.name: arch for arch in [
    Arch(name="amd64", machine="x86_64", package="linux-image-amd64",
         qemu="qemu-system-x86_64", qemu_package="qemu-system-x86",
         # Five levels of page tables would only cost time.
         options=["-machine", "q35", "-cpu", "max,la57=off"],
         # Where the emulator waits for a processor, the kernel's look at its timer fails.
         append="no_timer_check tsc=reliable", console="ttyS0", results="/dev/ttyS1",
         ports=["-serial", "file:{console}", "-serial", "file:{results}"],
         libraries=["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64"],
         may_skip=()),
    # The one serial port of its board, and one on a PCI card. A newer processor signs
    # pointers, which takes software emulation several times as long.
    Arch(name="arm64", machine="aarch64", package="linux-image-arm64",
         qemu="qemu-system-aarch64", qemu_package="qemu-system-arm",
         options=["-machine", "virt", "-cpu", "cortex-a57"],
         append="", console="ttyAMA0", results="/dev/ttyS0",
         ports=["-serial", "file:{console}", "-chardev", "file,id=results,path={results}",
                "-device", "pci-serial,chardev=results"],
         libraries=["/usr/aarch64-linux-gnu/lib", "/lib/aarch64-linux-gnu"], may_skip=("32-bit programs",)),
]}

# The one that needs no cross compiler.
OWN = next((arch.name for arch in ARCHES.values() if arch.machine == os.uname().machine), "amd64")


def accelerator(arch):
    """kvm where it can run a kernel of Debian. /dev/kvm may be there and do nothing."""
    if os.uname().machine == arch.machine and os.access("/dev/kvm", os.R_OK | os.W_OK):
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            flags = set(file.read().split())
        if flags & {"vmx", "svm"} or arch.machine == "aarch64":
            return "kvm"
    return "tcg"

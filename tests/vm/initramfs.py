"""The guest's first and only file system, as the kernel unpacks it: newc cpio."""
import os
import re
import stat
import subprocess

S_CHARACTER = stat.S_IFCHR


class Cpio:
    """Paths without a leading slash; the folders above each are made on the way."""

    def __init__(self):
        self.parts = []
        self.names = set()

    def entry(self, name, mode, data=b"", device=(0, 0)):
        name = name.strip("/")
        if name in self.names:
            return
        parent = os.path.dirname(name)
        if parent:
            self.entry(parent, stat.S_IFDIR | 0o755)
        self.names.add(name)
        self.raw(name, mode, data, device)

    def raw(self, name, mode, data, device):
        path = os.fsencode(name) + b"\0"
        numbers = [len(self.parts) + 1, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(path), 0]
        head = b"070701" + b"".join(b"%08X" % number for number in numbers) + path
        self.parts += [head, b"\0" * (-len(head) % 4), data, b"\0" * (-len(data) % 4)]

    def file(self, name, data, mode=0o755):
        self.entry(name, stat.S_IFREG | mode, data)

    def bytes(self):
        self.raw("TRAILER!!!", 0, b"", (0, 0))
        return b"".join(self.parts)


def needed(path):
    """The interpreter's path (or None) and the names of the libraries that a program needs."""
    done = subprocess.run(["readelf", "-W", "-l", "-d", path], check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8",
                          errors="replace")
    loader = re.search(r"\[Requesting program interpreter: (.*)\]", done.stdout)
    return loader and loader.group(1), re.findall(r"\(NEEDED\).*\[(.*)\]", done.stdout)


class Initramfs:
    def __init__(self, arch):
        self.arch = arch
        self.cpio = Cpio()
        self.cpio.entry("dev/console", S_CHARACTER | 0o600, device=(5, 1))
        self.cpio.entry("tmp", stat.S_IFDIR | 0o1777)
        self.cpio.file("etc/passwd", b"root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n", 0o644)
        self.cpio.file("etc/group", b"root:x:0:\nnogroup:x:65534:\n", 0o644)

    def library(self, name):
        for folder in self.arch.libraries:
            path = os.path.join(folder, name)
            if os.path.exists(path):
                return path
        raise FileNotFoundError(f"{name} is in none of {', '.join(self.arch.libraries)}")

    def add(self, path, name=None):
        """A file under a name of its own, with the libraries that it needs where it is a program."""
        with open(path, "rb") as file:
            self.cpio.file(name or path, file.read(), stat.S_IMODE(os.stat(path).st_mode))
        loader, names = needed(path)
        if loader:
            self.add_library(os.path.basename(loader), loader)
        for library in names:
            self.add_library(library)

    def add_library(self, name, to=None):
        to = to or os.path.join("/lib", name)
        if to.strip("/") not in self.cpio.names:
            self.add(self.library(name), to)

    def steps(self, steps):
        strings = []
        for step in steps:
            strings += [step.name, "".join(f"{word}," for word in step.settings), str(step.seconds),
                        str(len(step.argv)), *step.argv]
        self.cpio.file("steps", b"".join(os.fsencode(text) + b"\0" for text in strings), 0o644)

    def module(self, path):
        with open(path, "rb") as file:
            self.cpio.file(os.path.join("modules", os.path.basename(path)), file.read(), 0o644)

"""Debian's kernels by release, fetched by apt and kept outside the repository.

Below ${EXECTRACE_VM_CACHE:-${XDG_CACHE_HOME:-~/.cache}/exectrace/kernels}, for each machine:
apt/ (lists of its own, for all releases), VERSION/ (vmlinuz, modules/, `package`, `lacks`) and
RELEASE.json (which VERSION that release has). All of it may be deleted at any time.
"""
import contextlib
import fcntl
import glob
import json
import lzma
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
DAY = 24 * 3600

# The name that a kernel has here, and the release whose kernel it is.
RELEASES = {"5.10": "bullseye", "6.1": "bookworm", "6.12": "trixie", "sid": "sid"}

# What the guest may load. What of it a kernel has built in, or lacks, is no fault.
MODULES = ["overlay", "zram"]


class Unreachable(Exception):
    """A kernel cannot be had here: one line."""


class Kernel:
    def __init__(self, name, path):
        self.name = name
        self.path = path
        self.image = os.path.join(path, "vmlinuz")
        with open(os.path.join(path, "package"), encoding="utf-8") as file:
            self.package, self.version = file.read().split()
        with open(os.path.join(path, "lacks"), encoding="utf-8") as file:
            self.lacks = file.read().split()

    def modules(self):
        """Paths, each behind those it depends on."""
        folder = os.path.join(self.path, "modules")
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]


def cache_path(arch):
    top = os.environ.get("EXECTRACE_VM_CACHE")
    if not top:
        home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        top = os.path.join(home, "exectrace", "kernels")
    return os.path.join(os.path.abspath(top), arch.name)


@contextlib.contextmanager
def locked(folder):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_aside(path, text):
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


class Apt:
    """apt with lists of its own, of the mirror that this machine's apt uses. Needs no root."""

    def __init__(self, arch, folder):
        self.folder = folder
        self.lists = os.path.join(folder, "sources.list")
        self.options = [
            "-q", "-o", f"APT::Architecture={arch.name}", "-o", f"APT::Architectures={arch.name}",
            "-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none",
            "-o", "Acquire::Retries=3", "-o", f"Dir::State={folder}",
            "-o", "Dir::State::status=/dev/null", "-o", f"Dir::Cache={folder}",
            "-o", f"Dir::Etc::SourceList={self.lists}", "-o", "Dir::Etc::SourceParts=/dev/null"]

    def run(self, program, *args, cwd=None):
        try:
            return subprocess.run([program, *self.options, *args], cwd=cwd, timeout=900, check=False,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, encoding="utf-8", errors="replace")
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unreachable(f"{program}: {error}") from error

    def mirror(self):
        done = subprocess.run(
            ["apt-get", "indextargets", "--format", "$(REPO_URI) $(SUITE) $(CODENAME)",
             "Created-By: Packages", "Origin: Debian", "Label: Debian", "Component: main"],
            check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, encoding="utf-8")
        lines = sorted(set(done.stdout.split("\n")) - {""})
        if not lines:
            raise Unreachable("apt knows no mirror of Debian here; run apt-get update first")
        return lines[0].split()[0]

    def update(self):
        """Newer lists, where they are older than a day."""
        stamp = os.path.join(self.folder, "updated")
        if os.path.exists(stamp) and time.time() - os.path.getmtime(stamp) < DAY:
            return
        for name in ("lists", "archives"):
            os.makedirs(os.path.join(self.folder, name, "partial"), exist_ok=True)
        mirror = self.mirror()
        write_aside(self.lists, "".join(f"deb [signed-by={KEYS}] {mirror} {release} main\n"
                                        for release in RELEASES.values()))
        done = self.run("apt-get", "update", "-o", "APT::Update::Error-Mode=any")
        if done.returncode:
            raise Unreachable(f"{mirror} cannot be read: {last_line(done.stderr)}")
        write_aside(stamp, "")

    def show(self, package):
        """The fields of a package, by NAME, NAME=VERSION or NAME/RELEASE."""
        done = self.run("apt-cache", "show", "--no-all-versions", package)
        fields = dict(re.findall(r"^([A-Z][\w-]*): (.*)$", done.stdout.split("\n\n")[0], re.M))
        if "Version" not in fields:
            raise Unreachable(f"there is no package {package}: {last_line(done.stderr)}")
        return fields

    def kernel_packages(self, package):
        """(name, version) of it and those that hold the kernel: newer releases have several."""
        fields = self.show(package)
        version = fields["Version"]
        found = [(fields["Package"], version)]
        for name in re.findall(r"\b(linux-(?:image|base|binary|modules)-\d\S*)", fields.get("Depends", "")):
            found += self.kernel_packages(f"{name}={version}")
        return found

    def download(self, packages, folder):
        done = self.run("apt-get", "download", *(f"{name}={version}" for name, version in packages),
                        cwd=folder)
        if done.returncode:
            raise Unreachable(f"{packages[0][0]} cannot be downloaded: {last_line(done.stderr)}")


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def module_needs(data):
    """Names of the modules that a module depends on; its .modinfo is strings."""
    found = re.search(rb"\0depends=([^\0]*)\0", data)
    return [name for name in found.group(1).decode().split(",") if name] if found else []


def pick_modules(root, folder):
    """Writes MODULES and what they need, numbered as they have to be loaded.

    Returns those of them that the kernel does not have, not even built in.
    """
    paths = {}
    builtin = set()
    for path in glob.glob(os.path.join(root, "**", "modules.builtin"), recursive=True):
        with open(path, encoding="utf-8") as file:
            builtin |= {os.path.basename(line.strip()).split(".")[0] for line in file}
    for path in glob.glob(os.path.join(root, "**", "*.ko*"), recursive=True):
        paths[os.path.basename(path).split(".")[0].replace("-", "_")] = path
    done = []

    def pick(name):
        name = name.replace("-", "_")
        if name in done or name not in paths:
            return
        with open(paths[name], "rb") as file:
            data = file.read()
        if paths[name].endswith(".xz"):
            data = lzma.decompress(data)
        for other in module_needs(data):
            pick(other)
        with open(os.path.join(folder, f"{len(done):02}-{name}.ko"), "wb") as file:
            file.write(data)
        done.append(name)

    os.mkdir(folder)
    for name in MODULES:
        pick(name)
    return [name for name in MODULES if name not in done and name not in builtin]


def unpack(apt, packages, folder):
    """Makes folder, whole or not at all."""
    with tempfile.TemporaryDirectory(prefix="unpack-", dir=os.path.dirname(folder)) as work:
        apt.download(packages, work)
        root = os.path.join(work, "root")
        for deb in sorted(glob.glob(os.path.join(work, "*.deb"))):
            subprocess.run(["dpkg-deb", "-x", deb, root], check=True)
            os.unlink(deb)
        new = os.path.join(work, "new")
        os.mkdir(new)
        # Below boot/, or beside the modules.
        files = glob.glob(os.path.join(root, "**", "vmlinuz*"), recursive=True)
        if len(files) != 1:
            raise Unreachable(f"{packages[0][0]} has {len(files)} files vmlinuz, not one")
        shutil.copyfile(files[0], os.path.join(new, "vmlinuz"))
        lacks = pick_modules(root, os.path.join(new, "modules"))
        write_aside(os.path.join(new, "package"), " ".join(packages[0]))
        write_aside(os.path.join(new, "lacks"), " ".join(lacks))
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(new, folder)


# What a folder of the cache has. Another version of this script may have made it.
PARTS = ("vmlinuz", "modules", "package", "lacks")


def is_whole(folder):
    return all(os.path.exists(os.path.join(folder, part)) for part in PARTS)


def known_folder(cache, known):
    """Where the last kernel of a release is that was fetched, or None."""
    try:
        with open(known, encoding="utf-8") as file:
            folder = os.path.join(cache, json.load(file)["folder"])
    except (OSError, ValueError):
        return None
    return folder if is_whole(folder) else None


def find(arch, name):
    """The kernel of that name: the newest of its release, fetched where that is not here yet.

    Where the mirror does not answer, the last one that was fetched serves.
    """
    cache = cache_path(arch)
    known = os.path.join(cache, f"{RELEASES[name]}.json")
    with locked(cache):
        try:
            apt = Apt(arch, os.path.join(cache, "apt"))
            os.makedirs(apt.folder, exist_ok=True)
            apt.update()
            # Without the first, which has nothing in it.
            packages = apt.kernel_packages(f"{arch.package}/{RELEASES[name]}")[1:]
            if not packages:
                raise Unreachable(f"{arch.package} of {RELEASES[name]} depends on no kernel")
            folder = os.path.join(cache, packages[0][1])
            if not is_whole(folder):
                unpack(apt, packages, folder)
            write_aside(known, json.dumps({"folder": os.path.basename(folder)}))
        except (Unreachable, OSError, subprocess.CalledProcessError) as error:
            folder = known_folder(cache, known)
            if not folder:
                raise Unreachable(f"kernel {name}: {error}") from error
            print(f"kernel {name}: {error}; the last one fetched serves", file=sys.stderr)
    return Kernel(name, folder)

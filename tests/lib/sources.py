"""Debian source packages, from where this machine's packages come."""
import os
import re
import subprocess


def apt_with_sources(work):
    """apt-get as configured here, but for source packages, with lists of its own."""
    parts, lists = os.path.join(work, "apt-parts"), os.path.join(work, "apt-lists")
    os.makedirs(parts)
    os.makedirs(os.path.join(lists, "partial"))
    found = ["/etc/apt/sources.list"]
    found += [entry.path for entry in os.scandir("/etc/apt/sources.list.d")]
    for path in found:
        if not os.path.exists(path) or not path.endswith((".list", ".sources")):
            continue
        with open(path, encoding="utf-8") as file:
            text = file.read()
        text = re.sub(r"^Types:.*$", "Types: deb-src", text, flags=re.M)
        text = re.sub(r"^deb(-src)?(?=\s)", "deb-src", text, flags=re.M)
        with open(os.path.join(parts, os.path.basename(path)), "w", encoding="utf-8") as file:
            file.write(text)
    apt = ["apt-get", "-q", "-o", f"Dir::Etc::sourceparts={parts}", "-o", "Dir::Etc::sourcelist=/dev/null",
           "-o", f"Dir::State::lists={lists}"]
    subprocess.run([*apt, "update"], check=True, stdout=subprocess.DEVNULL)
    return apt


def unpack(name, work):
    """Fetches a source package below the directory work; returns where its tree is."""
    where = os.path.join(work, "source")
    os.mkdir(where)
    os.chmod(where, 0o777)
    subprocess.run([*apt_with_sources(work), "source", name], cwd=where, check=True, stdout=subprocess.DEVNULL)
    return next(entry.path for entry in os.scandir(where) if entry.is_dir())

#!/usr/bin/env python3
"""What may be linked to what: exectrace and libbpf, and the arrows between the folders."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
import objects  # noqa: E402

PRIVILEGED = re.compile(r"^(bpf|btf|ring_buffer|perf_buffer|elf|gelf|libbpf)_")


def privileged_parts(program):
    """What of libbpf and libelf a program needs or holds."""
    found = {name for name in objects.needed(program) if name.startswith(("libbpf", "libelf"))}
    undefined, defined = objects.symbols(program)
    return found | {name for name in undefined | defined if PRIVILEGED.match(name)}


def front_never_links_libbpf():
    lab.equal(privileged_parts(lab.EXECTRACE), set(), "what exectrace has of libbpf")
    for name in ("common", "format", "replay"):
        paths = objects.folder(name)
        lab.demand(paths, f"no objects of {name}/")
        undefined, defined = objects.merged(paths)
        lab.equal({s for s in undefined | defined if PRIVILEGED.match(s)}, set(), f"symbols in {name}/")


def that_check_can_fail():
    if not os.path.exists(lab.RECORDER):
        print("   the recorder was not built; not checked")
        return
    found = privileged_parts(lab.RECORDER)
    lab.demand(any(name.startswith("libbpf") for name in found), f"exectrace-record shows no libbpf: {found}")
    undefined, _ = objects.merged(objects.folder("capture"))
    lab.demand(any(PRIVILEGED.match(name) for name in undefined), "capture/ shows no symbol of libbpf")


def public():
    header = os.path.join(lab.SOURCE, "format", "include", "exectrace.h")
    with open(header, encoding="utf-8") as file:
        text = file.read()
    names = set(re.findall(r"\b(et_[a-z0-9_]+)\s*(?:\(|\[)", text))
    lab.demand({"et_reader_next", "et_writer_batch", "et_fields"} <= names, f"header was not understood: {names}")
    return names


def wrong_arrows(parts):
    """parts: folder -> (undefined, defined). Symbols that cross where none may."""
    names = public()
    found = set()
    for user, (undefined, _) in parts.items():
        for owner, (_, defined) in parts.items():
            if user == owner:
                continue
            crossing = undefined & defined
            if owner == "format" and user in ("capture", "common", "replay"):
                crossing -= names
            if owner == "common" and user in ("capture", "replay"):
                continue
            found |= {f"{user} -> {owner}: {name}" for name in crossing}
    return found


def built():
    parts = {name: objects.merged(objects.folder(name)) for name in ("common", "format", "replay", "capture")}
    for name in ("common", "format", "replay"):
        lab.demand(parts[name][1], f"no objects of {name}/")
    return parts


def arrows_are_as_designed():
    lab.equal(wrong_arrows(built()), set(), "arrows between the folders")


def arrows_can_fail():
    parts = built()
    private = sorted(name for name in parts["format"][1] - public() if re.match(r"^[a-z]", name))
    lab.demand(private, "format/ has nothing private")
    with lab.workdir() as work:
        source, made = os.path.join(work, "bad.c"), os.path.join(work, "bad.o")
        with open(source, "w", encoding="ascii") as file:
            file.write(f"extern char {private[0]}; const void *bad = &{private[0]};\n")
        lab.run([os.environ.get("ET_CC", "cc"), "-c", "-o", made, source])
        undefined, defined = objects.symbols(made)
    bad = dict(parts)
    bad["replay"] = (parts["replay"][0] | undefined, parts["replay"][1] | defined)
    lab.equal(wrong_arrows(bad), {f"replay -> format: {private[0]}"}, "arrows with a wrong one")
    bad = dict(parts)
    bad["format"] = (parts["format"][0] | {"only_replay"}, parts["format"][1])
    bad["replay"] = (parts["replay"][0], parts["replay"][1] | {"only_replay"})
    lab.equal(wrong_arrows(bad), {"format -> replay: only_replay"}, "arrows with a wrong one")
    shared = sorted(parts["common"][1])[0]
    bad = dict(parts)
    bad["format"] = (parts["format"][0] | {shared}, parts["format"][1])
    lab.equal(wrong_arrows(bad), {f"format -> common: {shared}"}, "arrows with a wrong one")


def includes_are_as_designed():
    """The same from the sources: replay/ and capture/ see one header of format/, and all of common/."""
    headers = {name: set(os.listdir(os.path.join(lab.SOURCE, name)))
               for name in ("common", "format", "replay", "capture", "bpf")}
    for user in ("replay", "capture", "format", "common"):
        for name in sorted(headers[user]):
            if not name.endswith((".c", ".h")):
                continue
            with open(os.path.join(lab.SOURCE, user, name), encoding="utf-8") as file:
                used = re.findall(r'^\s*#\s*include\s+"([^"]+)"', file.read(), re.M)
            for header in used:
                base = os.path.basename(header)
                lab.demand(not header.startswith(".."), f"{user}/{name} includes {header}")
                if base in headers[user] or base == "exectrace.h":
                    continue
                for owner in headers:
                    if base in headers[owner] and owner != user:
                        shared = (user, base) == ("capture", "wire.h") or owner == "common" and user != "format"
                        lab.demand(shared, f"{user}/{name} includes {owner}/{base}")


if __name__ == "__main__":
    for tool in ("nm", "readelf", "ldd"):
        lab.need_tool(tool)
    lab.main(front_never_links_libbpf, that_check_can_fail, arrows_are_as_designed, arrows_can_fail,
             includes_are_as_designed)

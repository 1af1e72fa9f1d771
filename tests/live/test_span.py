#!/usr/bin/env python3
"""Arguments of failed execs, byte for byte: wherever strings and pointers lie and end, up to the edge of memory."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402

# Executes in vain from a page behind which there is nothing, and prints each list of arguments.
CALLER = r"""
import ctypes, json, mmap, os, platform, struct
NUMBER = {"x86_64": 59, "aarch64": 221}[platform.machine()]
PAGE = mmap.PAGESIZE
libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
libc.syscall.argtypes = (ctypes.c_long,) + (ctypes.c_void_p,) * 3

def page():
    area = mmap.mmap(-1, 2 * PAGE)
    at = ctypes.addressof(ctypes.c_char.from_buffer(area))
    assert libc.mprotect(at + PAGE, PAGE, 0) == 0
    return area, at

strings, strings_at = page()
pointers, pointers_at = page()
names, names_at = page()

def call(args, gap, array_gap, near):
    # Strings one behind the other, the last one's NUL gap bytes before the end of the page.
    strings[:PAGE] = b"\xff" * PAGE
    data = b"".join(arg + b"\0" for arg in args)
    at = PAGE - gap - len(data)
    strings[at:at + len(data)] = data
    addresses = []
    for arg in args:
        addresses.append(strings_at + at)
        at += len(arg) + 1
    array = struct.pack(f"{len(args) + 1}Q", *addresses, 0)
    pointers[:PAGE] = b"\xff" * PAGE
    begin = PAGE - array_gap - len(array)
    pointers[begin:begin + len(array)] = array
    name = b"/nonexistent/span\0"
    memory, memory_at = (strings, strings_at) if near else (names, names_at)
    memory[:len(name)] = name
    assert libc.syscall(NUMBER, memory_at, pointers_at + begin, 0) == -1
    print(json.dumps([arg.decode() for arg in args]))

number = 0
def mark():
    global number
    number += 1
    return b"%d" % number

def text(length):
    return bytes(97 + i % 26 for i in range(length))

for length in [*range(0, 18), 31, 32, 63, 64, 65, *range(118, 138), 255, 256, 257, 1000, 2500]:
    for gap in (0, 1, 7, 8, 126, 127, 128, 129, 500):
        call([mark(), text(length)], gap, 1024, number % 2)
# The highest need not be the last.
for length in (0, 5, 127, 128, 200):
    call([mark(), text(length), b""], 0, 1024, True)
for count in [*range(0, 36), 60, 64, 65, 100]:
    for array_gap in (0, 8, 1024):
        call([mark(), *([b"x"] * count)], 0, array_gap, number % 2)
        call([mark(), *([b""] * count)], 300, array_gap, True)
# An array that is not aligned, also to the end of its page.
for array_gap in (1, 4, 7, 1025):
    call([mark(), b"unaligned"], 0, array_gap, True)
"""


def every_byte(*options):
    with lab.workdir() as work:
        capture = os.path.join(work, "c.etz")
        done = lab.record(capture, *options, "--", sys.executable, "-c", CALLER)
        made = [json.loads(line) for line in done.stdout.decode().splitlines()]
        events = [event for event in lab.replay(capture, "--kind", "fail") if event["filename"] == "/nonexistent/span"]
        lab.demand(len(made) > 600, f"only {len(made)} calls")
        lab.equal(len(events), len(made), "failed execs")
        for event, args in zip(events, made):
            lab.equal(event["argv"], args, f"arguments of call {args[0]}")
            # argc and argv_size are there where something is not.
            lab.equal([name for name in event if name.startswith("arg")], ["argv"], f"fields of call {args[0]}")


def by_typed_entries():
    every_byte()


def by_untyped_entries():
    every_byte("--btf", "/sys/kernel/btf/vmlinux")


if __name__ == "__main__":
    lab.need_bpf()
    lab.main(by_typed_entries, by_untyped_entries)

#!/usr/bin/env python3
"""Writes the captures of this folder and README.md, byte by byte, from good.py, later.py, bad.py and lies.py.

    generate.py            writes them anew and removes what is none of them
    generate.py --check    tells what is not as it would be written; exits with 1 if anything is

Nothing is compressed here: frames of zstd are written down, since what zstd makes of the
same bytes is not the same in all its versions.
"""
import glob
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import bad  # noqa: E402
import good  # noqa: E402
import later  # noqa: E402
import lies  # noqa: E402

TEXT = """\
# Captures to hold a reader to

Small captures, each with one thing in it that SPEC.md demands something of. Whoever writes a reader may
use them: `good-*` is to be read whole, `good-later-*` too, which is what a later version 1 may write;
`unsupported-*` in part, as section 8 says; `bad-*` breaks a rule that a reader has to notice, between
rows that it has to show; `lie-*` one that only `exectrace verify` looks for.
`NAME.json` is what `exectrace replay --json` has to print of `NAME.etz`; `../cli/test_files.py` knows
that and the messages.

`generate.py` assembles all of them, and this file. To add one: a function or a line in `good.py`,
`later.py`, `bad.py` or `lies.py`, what is expected of it in `../cli/expected_files.py`, and `generate.py`.

| file | what it holds |
| --- | --- |
"""


def captures():
    """Name, sentence and bytes of each, in order of name."""
    every = [(one.__name__.replace("_", "-"), one.__doc__, one) for one in good.CAPTURES + later.CAPTURES]
    every += [("bad-" + name, text, lambda put=put: bad.between(put)) for name, text, put in bad.BETWEEN]
    every += [("bad-" + name, text, make) for name, text, make in bad.ALONE]
    every += [("lie-" + name, text, make) for name, text, make in lies.LIES]
    for name, text, make in sorted(every):
        yield name, text, make()


def contents():
    """What stands in each file of this folder that is made here."""
    files, table = {}, ""
    for name, text, data in captures():
        files[name + ".etz"] = data
        table += f"| `{name}` | {text} |\n"
    return {**files, "README.md": (TEXT + table).encode()}


def check(folder=HERE):
    """Names of the files that are not as they would be written."""
    expected = contents()
    there = {os.path.basename(path) for path in glob.glob(os.path.join(folder, "*.etz"))}
    wrong = sorted(there - set(expected))
    for name, data in expected.items():
        path = os.path.join(folder, name)
        try:
            with open(path, "rb") as file:
                same = file.read() == data
        except FileNotFoundError:
            same = False
        if not same:
            wrong.append(name)
    return wrong


def write():
    expected = contents()
    for name in check():
        path = os.path.join(HERE, name)
        data = expected.get(name)
        if data is None:
            os.remove(path)
            continue
        with open(path, "wb") as file:
            file.write(data)


def main(args):
    if args not in ([], ["--check"]):
        print("usage: generate.py [--check]", file=sys.stderr)
        return 2
    if not args:
        write()
        return 0
    wrong = check()
    for name in wrong:
        print(f"{name} is not what generate.py writes")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

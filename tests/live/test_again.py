#!/usr/bin/env python3
"""What was recorded is run again from the lines of replay --format sh: the same bytes in the same directories."""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hostile  # noqa: E402
import lab  # noqa: E402

PRINT_ARGS = os.path.abspath(lab.helper("print_args"))
# Executes what the lines of its input say, in hexadecimal: directory, argument 0, and the others.
RUNNER = f"""
import subprocess, sys
for line in sys.stdin:
    folder, *arguments = [bytes.fromhex(word[1:]) for word in line.split()]
    subprocess.run(arguments, executable={PRINT_ARGS!r}, cwd=folder, stdout=subprocess.DEVNULL, check=True)
"""


def the_same_again():
    rng = random.Random(17)
    with lab.workdir() as work:
        runs = []
        for i in range(80):
            folder = os.path.join(os.fsencode(work), b"%d" % i, rng.choice([s for s in hostile.STRINGS if 0 < len(s) < 200]))
            os.makedirs(folder)
            runs.append((folder, [rng.choice((PRINT_ARGS.encode(), b"print_args", b"odd", b"odd\n")), *hostile.random_strings(rng, 9)]))
        told = "".join(" ".join("x" + word.hex() for word in [folder, *argv]) + "\n" for folder, argv in runs)
        path = os.path.join(work, "c.etz")
        lab.record(path, "--", sys.executable, "-c", RUNNER, input=told.encode())
        lines = lab.exectrace("replay", "--format", "sh", "--exe", PRINT_ARGS, "--ok", path).stdout.splitlines()
        lab.equal(len(lines), len(runs), "lines")
        for line, (folder, argv) in zip(lines, runs):
            odd = argv[0].startswith(b"odd")
            expected = [argv[0] if odd else PRINT_ARGS.encode(), *argv[1:], folder]
            for shell in ("bash",) if odd else ("bash", "dash"):
                found = lab.run([shell, "-c", line]).stdout.split(b"\0")[:-1]
                lab.equal(found, expected, f"{shell}: {line!r}")


if __name__ == "__main__":
    lab.need_bpf()
    lab.need_tool("dash")
    lab.main(the_same_again)

#!/usr/bin/env python3
"""The capture that SPEC.md writes down byte by byte is one, and says what SPEC.md says that it does."""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..")]
import lab  # noqa: E402
import spec_check  # noqa: E402
import spec_decoder  # noqa: E402
import spec_example  # noqa: E402

BEGIN = "<!-- example: printed by tests/spec_example.py, and held to it by a test -->\n"
END = "<!-- end of the example -->\n"


def printed():
    """What stands in SPEC.md between the marks."""
    with open(os.path.join(lab.SOURCE, "SPEC.md"), encoding="utf-8") as file:
        text = file.read()
    lab.equal((text.count(BEGIN), text.count(END)), (1, 1), "marks of the example in SPEC.md")
    return text.split(BEGIN)[1].split(END)[0]


def parsed(text):
    """The bytes of the dump, each line where it says that it is."""
    data = b""
    for offset, pairs in re.findall(r"^    ([0-9a-f]{4})  ((?:[0-9a-f]{2} )*[0-9a-f]{2})(?:  |$)", text, re.M):
        lab.equal(int(offset, 16), len(data), "offset of a line")
        data += bytes.fromhex(pairs)
    return data


def listed(text):
    return lab.lines("\n".join(re.findall(r"^    (\{.*\})$", text, re.M)))


def is_what_the_script_prints():
    lab.demand(printed() == spec_example.section(), "SPEC.md, section 9, is not what tests/spec_example.py prints")
    lab.equal(parsed(printed()), spec_example.build().data, "bytes")


def reads_as_it_says():
    data, events = parsed(printed()), listed(printed())
    lab.equal(len(events), 3, "events that SPEC.md lists")
    with lab.workdir() as work:
        path = os.path.join(work, "example.etz")
        with open(path, "wb") as file:
            file.write(data)
        lab.equal(lab.replay(path), events, "events of exectrace replay")
        done = lab.run([sys.executable, spec_decoder.__file__, path])
        lab.equal(lab.lines(done.stdout), events, "events of spec_decoder.py")
        lab.equal(lab.exectrace("verify", path).stdout, b"", "faults that verify finds")
        check = spec_check.Check(data)
        lab.equal((check.faults, check.notes), ([], []), "what spec_check.py says")


def another_byte_is_noticed():
    data = parsed(printed())
    for at in range(len(data)):
        bad = data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
        lab.demand(spec_check.Check(bad).faults, f"byte {at:#x} was changed: no fault")
    lines = printed().splitlines(keepends=True)
    lab.demand(parsed("".join(lines[:-8])) != data, "lines less are not noticed")


if __name__ == "__main__":
    lab.main(is_what_the_script_prints, reads_as_it_says, another_byte_is_noticed)

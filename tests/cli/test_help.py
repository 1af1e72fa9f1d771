#!/usr/bin/env python3
"""--help and the man pages speak of the same options, and every command has both."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402


def commands():
    text = lab.exectrace("--help").stdout.decode()
    return re.findall(r"^  ([a-z]+)  +\S", text, re.M)


def long_options(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))


def in_help(text):
    """Options that stand at the beginning of a help line."""
    return {word for line in text.splitlines() if re.match(r"\s+-", line)
            for word in long_options(line[:28])}


def in_man(name):
    """Options of an mdoc page: what follows Fl."""
    with open(os.path.join(lab.SOURCE, "man", name), encoding="utf-8") as file:
        text = file.read()
    found = set()
    for line in text.splitlines():
        if not line.startswith("."):
            continue
        after_flag = False
        for word in line[1:].split():
            if word == "Fl":
                after_flag = True
            elif after_flag and re.match(r"-[a-z][a-z-]+$", word):
                found.add("-" + word)
            elif after_flag and not re.match(r"[,.;:()|]$|[a-zA-Z]$", word):
                after_flag = False
    return found, text


def every_command_has_help():
    found = commands()
    lab.demand(set(found) >= {"record", "live", "replay", "tree", "summary", "info", "slice", "merge", "compact", "help"}, f"commands: {found}")
    for command in found:
        if command == "help":
            continue
        done = lab.exectrace("help", command)
        lab.demand(done.stdout.startswith(b"Usage: exectrace"), f"help {command} says {done.stdout[:80]!r}")
        lab.equal(done.stderr, b"", f"stderr of help {command}")
        if command == "record" and not os.path.exists(lab.RECORDER):
            continue
        if command != "record":	# the recorder's own help says more
            lab.equal(lab.exectrace(command, "--help").stdout, done.stdout, f"{command} --help")
            version = lab.exectrace(command, "--version").stdout
            lab.equal(version, lab.exectrace("--version").stdout, f"{command} --version")


def man_page_and_help_agree():
    told = set()
    for command in commands():
        if command not in ("record", "help"):
            told |= in_help(lab.exectrace("help", command).stdout.decode())
    found, text = in_man("exectrace.1")
    lab.equal(told - found, set(), "options of --help that exectrace.1 does not have")
    lab.equal(found - told, set(), "options of exectrace.1 that --help does not have")
    for command in commands():
        lab.demand(re.search(rf"Cm {command}\b", text), f"exectrace.1 has no {command}")


def man_page_and_help_of_the_recorder_agree():
    if not os.path.exists(lab.RECORDER):
        print("   the recorder was not built; not checked")
        return
    told = in_help(lab.exectrace("record", "--help").stdout.decode())
    found, _ = in_man("exectrace-record.1")
    lab.demand(len(told) > 8, f"help record was not understood: {told}")
    lab.equal(told - found, set(), "options of --help that exectrace-record.1 does not have")
    lab.equal(found - told, set(), "options of exectrace-record.1 that --help does not have")


def every_option_of_help_is_taken():
    """No option is only words: each is known to the parser."""
    for command in ("replay", "tree", "summary", "info", "slice", "merge", "compact"):
        for option in in_help(lab.exectrace("help", command).stdout.decode()) - {"--help", "--version"}:
            done = lab.exectrace(command, option, code=None, cwd="/")
            lab.demand(b"unknown option" not in done.stderr, f"{command} does not know {option}")
    done = lab.exectrace("replay", "--no-such-option", code=2)
    lab.demand(b"unknown option" in done.stderr, "that check cannot fail")


if __name__ == "__main__":
    lab.main(every_command_has_help, man_page_and_help_agree, man_page_and_help_of_the_recorder_agree,
             every_option_of_help_is_taken)

"""Plays the service manager: sd_notify's socket, a journal, and a service with a unit's user and capabilities."""
import contextlib
import os
import re
import select
import shlex
import socket
import time

import lab

# setpriv knows the newest by number alone.
NUMBERS = {"cap_perfmon": "cap_38", "cap_bpf": "cap_39"}


class Manager:
    """Where a service tells how it goes; keeps all messages, as dictionaries."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(name)
        if not name.startswith("\0"):
            os.chmod(name, 0o777)
        self.name = name.replace("\0", "@")
        self.messages = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def next(self, end):
        """The next message; None: nothing comes until end."""
        left = end - time.monotonic()
        if left <= 0 or not select.select([self.socket], [], [], left)[0]:
            return None
        text = self.socket.recv(65536).decode()
        self.messages.append(dict(line.split("=", 1) for line in text.splitlines()))
        return self.messages[-1]

    def listen(self, seconds):
        """What comes in this time."""
        end, before = time.monotonic() + seconds, len(self.messages)
        while self.next(end):
            pass
        return self.messages[before:]

    def wait(self, key, seconds=lab.TIMEOUT):
        """The first message that assigns key."""
        end = time.monotonic() + seconds
        while message := self.next(end):
            if key in message:
                return message
        raise lab.Failure(f"the service never said {key}; the last it said is {self.messages[-5:]}")


@contextlib.contextmanager
def journal():
    """(what takes a service's standard error, its $JOURNAL_STREAM, what has arrived so far)"""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        stat = os.fstat(theirs.fileno())

        def arrived():
            text = b""
            while select.select([ours], [], [], 0.2)[0]:
                part = ours.recv(65536)
                if not part:
                    break
                text += part
            return text.decode().splitlines()
        yield theirs, f"{stat.st_dev}:{stat.st_ino}", arrived


def unit(path):
    """The settings of [Service], each with its values in order."""
    found, section = {}, None
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.strip()
            if re.match(r"\[\w+\]$", line):
                section = line
            elif line and line[0] not in "#;" and section == "[Service]":
                key, value = line.split("=", 1)
                found.setdefault(key, []).append(value)
    return found


def command_line(settings):
    """ExecStart with the variables of Environment put in, as words."""
    variables = dict(word.split("=", 1) for text in settings.get("Environment", []) for word in shlex.split(text))
    words = []
    for word in shlex.split(settings["ExecStart"][0]):
        if word.startswith("$"):
            words += variables[word.strip("${}")].split()
        else:
            words.append(word)
    return words


def privileged(settings, uid):
    """The words before a command that give it a unit's capabilities, and no other privilege."""
    names = [name.lower() for name in settings["AmbientCapabilities"][0].split()]
    bounds = [name.lower() for name in settings["CapabilityBoundingSet"][0].split()]
    plus = ",".join("+" + (NUMBERS.get(name) or name[4:]) for name in names)
    bounding = ",".join("+" + (NUMBERS.get(name) or name[4:]) for name in bounds)
    return [lab.need_tool("setpriv"), "--reuid", str(uid), "--regid", str(uid), "--clear-groups", "--no-new-privs",
            "--bounding-set", "-all," + bounding, "--inh-caps", "-all," + plus, "--ambient-caps", "-all," + plus]

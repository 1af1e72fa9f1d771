"""What is done on each kernel, and what has to come of it."""
import json
import os
import re

import lab
from guest import Step
from judge import MAY_SKIP_IN_GUEST, demand_exact

# The verifier takes a million instructions; each program keeps far from that.
MOST_INSTRUCTIONS = 300_000

# Software emulation can be 50 times slower than the machine, and others use that too.
LONG = 900

# What a process ran behind the exit's event. A guest counts as its own the time that its
# processors wait for those of this machine.
CPU_SLACK = 2_000_000_000

WHOLE = ["--max-args", "2M", "--ring-size", "16M"]


def record(name, *args):
    return ["exectrace-record", "--verbose", "-o", f"/out/{name}.etz", *args]


# As if the kernel had none itself; the setting btf-copy has put it there.
GIVEN = ["--btf", "/run/vmlinux.btf"]
NO_BTF = ["btf-copy", "no-btf"]

# Name, settings, options, judge: bytes of argv that are kept, and whether nothing else may be there.
HOSTILE = [
    ("exact", [], [*WHOLE, "--"], 2 << 20, True),
    ("given-btf", NO_BTF, [*GIVEN, "--all", "--"], 64 << 10, False),
]

# The verifier's counts: of what serves on this kernel, and of what does by BTF that is given.
COUNTED = [("insns", [], []), ("insns-given", NO_BTF, GIVEN)]

# The BTF of the machine that this runs on, which is in each guest.
OTHER_BTF = "/other.btf"

# Name, settings, arguments, and what has to be in the one line that the recorder says.
REFUSED = [
    ("no-capabilities", ["nobody"], ["-o", "x.etz", "--", "exectrace", "--version"],
     r"CAP_BPF and CAP_PERFMON.*(sudo|setcap)"),
    ("no-btf", ["no-btf"], ["-o", "x.etz", "--", "exectrace", "--version"],
     r"/sys/kernel/btf/vmlinux.*CONFIG_DEBUG_INFO_BTF.*--btf"),
    ("other-btf", ["no-btf"], ["--btf", OTHER_BTF, "-o", "x.etz", "--", "exectrace", "--version"],
     rf"'{OTHER_BTF}'.*(another kernel|another kind of machine|does not take the BPF programs)"),
    ("read-only", ["read-only-root"], ["-o", "x.etz", "--", "exectrace", "--version"],
     r"x\.etz.*Read-only file system"),
]

# These lack something and record all the same; each executes exectrace once.
SERVED = [
    ("no-tracefs", ["no-tracefs"], ["exectrace-record", "-o", "/out/no-tracefs.etz", "--", "exectrace", "--version"]),
    ("read-only-stdout", ["read-only-root"], ["exectrace-record", "-o", "-", "--", "exectrace", "--version"]),
    ("file-capabilities", ["nobody", "file-capabilities"],
     ["/capable/exectrace-record", "-o", "/out/file-capabilities.etz", "--", "exectrace", "--version"]),
]

# The memory of maps counts as locked memory there.
LOCKS_MEMORY = ["5.10"]


class Suite:
    """boot(folder, append): makes a guest. What goes wrong is collected: one fault hides no other."""

    def __init__(self, kernel, boot):
        self.kernel = kernel
        self.boot = boot
        self.faults = []
        self.tier = "unknown"
        self.counts = {}

    def run(self):
        self.attempt(self.main_guest)
        self.attempt(self.integrity_guest)
        self.attempt(self.lockdown_guest)
        return not self.faults

    def attempt(self, function, *args):
        try:
            function(*args)
        except (lab.Failure, json.JSONDecodeError, OSError) as error:
            self.faults.append(str(error))

    def main_guest(self):
        guest = self.boot("main", "")
        steps = [Step(name, ["vm_insns", *options, "-o", f"/out/{name}.etz", *WHOLE, "--", "exectrace", "--version"],
                      settings, LONG) for name, settings, options in COUNTED]
        steps += [Step(name, [*record(name, *options), "hostile_exec", "/tmp"], settings, LONG)
                  for name, settings, options, *_ in HOSTILE]
        steps += [Step(name, ["exectrace-record", *args], settings, LONG, "exit 1")
                  for name, settings, args, _ in REFUSED]
        more = ["unlimited-memlock"] if self.kernel.name in LOCKS_MEMORY else []
        steps += [Step(name, argv, settings + more, LONG) for name, settings, argv in SERVED]
        results = guest.run(steps)
        for step in steps:
            self.attempt(guest.demand_end, step, results)
        self.attempt(self.judge_counts, results)
        for name, _, options, max_args, only in HOSTILE:
            self.attempt(self.judge_hostile, guest, results, name, options, max_args, only)
        for name, _, _, words in REFUSED:
            self.attempt(self.judge_message, guest, results, name, words)
        for name, *_ in SERVED:
            self.attempt(self.judge_served, guest, results, name)

    def integrity_guest(self):
        """What Debian's kernels have under Secure Boot."""
        guest = self.boot("integrity", "lockdown=integrity")
        step = Step("integrity", record("integrity", "--", "exectrace", "--version"), seconds=LONG)
        results = guest.run([step])
        guest.demand_end(step, results)
        self.judge_served(guest, results, "integrity")

    def lockdown_guest(self):
        guest = self.boot("lockdown", "lockdown=confidentiality")
        step = Step("lockdown", ["exectrace-record", "-o", "x.etz", "--", "exectrace", "--version"],
                    seconds=LONG, exit="exit 1")
        results = guest.run([step])
        guest.demand_end(step, results)
        self.judge_message(guest, results, "lockdown", r"lockdown is at confidentiality.*lockdown=integrity")

    def judge_counts(self, results):
        for step, *_ in COUNTED:
            said = results[f"{step}.err"].decode(errors="replace")
            counts = {name: int(count) for count, name in re.findall(r"^verified (\d+) (\w+)$", said, re.M)}
            lab.demand(counts, f"{step}: the verifier let no program in:\n{said[-3000:]}")
            self.counts.update(counts)
        for name, count in self.counts.items():
            lab.demand(count <= MOST_INSTRUCTIONS,
                       f"{name}: the verifier went through {count} instructions, more than {MOST_INSTRUCTIONS}")

    def judge_hostile(self, guest, results, name, options, max_args, only):
        if results[f"{name}.end"] != b"exit 0\n":
            return
        capture = guest.path(f"{name}.etz")
        features = lab.info(capture)["properties"]["features"]
        if GIVEN[0] in options:
            lab.demand("raw_tp" in features, f"{name}: features {features}")
        else:
            self.tier = features
        try:
            demand_exact(lab.lines(results[f"{name}.out"]), capture, max_args, only, CPU_SLACK,
                         may_skip=MAY_SKIP_IN_GUEST + guest.arch.may_skip)
        except lab.Failure as error:
            raise lab.Failure(f"{name}: {error}\n  capture: {capture}\n  "
                              f"oracle: {guest.path(name + '.out')}") from None

    def judge_message(self, guest, results, name, words):
        said = results[f"{name}.err"].decode(errors="replace")
        if len(said.splitlines()) != 1 or not re.match(rf"exectrace record: .*{words}", said):
            raise lab.Failure(f"{name}: not one line that says {words}:\n{said}\n"
                              f"  boot it again: {guest.path('boot')}")

    def judge_served(self, guest, results, name):
        if results[f"{name}.end"] != b"exit 0\n":
            return
        capture = guest.path(f"{name}.etz")
        if not os.path.exists(capture):
            capture = guest.path(f"{name}.out")
        lab.exectrace("verify", capture)
        lab.equal(lab.info(capture)["complete"], True, f"{name}: complete")
        kinds = [event["kind"] for event in lab.replay(capture) if event.get("comm") == "exectrace"]
        lab.equal(kinds, ["exec", "exit"], f"{name}: events of the command")

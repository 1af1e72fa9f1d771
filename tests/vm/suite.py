"""What is done on each kernel, and what has to come of it."""
import json
import os
import re
from functools import partial

import lab
import series
from guest import Step
from judge import MAY_SKIP_IN_GUEST, Skipped, demand_exact, demand_whole

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

# More processes than processors, and what they do: each so many failed execs and spawns, and as many threads.
STORM = {"processes": 6, "fails": 200, "spawns": 30, "threads": 5}

# Name, options of the recorder, and what executes the storm: while a processor goes and comes, and while the wall
# clock is set to and fro.
STORMS = [
    ("storm", [], []),
    ("hotplug", [], ["/bin/vm_disturb", "cpu"]),
    ("clock", ["--rotate-time", "1s"], ["/bin/vm_disturb", "clock"]),
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

# How often a recording is made before it counts that the kernel has skipped programs.
ATTEMPTS = 3

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
        self.run_steps("main", "", self.main_steps())
        # What Debian's kernels have under Secure Boot.
        self.run_steps("integrity", "lockdown=integrity",
                       [(Step("integrity", record("integrity", "--", "exectrace", "--version"), seconds=LONG),
                         self.judge_served)])
        self.run_steps("lockdown", "lockdown=confidentiality",
                       [(Step("lockdown", ["exectrace-record", "-o", "x.etz", "--", "exectrace", "--version"],
                              seconds=LONG, exit="exit 1"),
                         partial(self.judge_message, r"lockdown is at confidentiality.*lockdown=integrity"))])
        return not self.faults

    def run_steps(self, folder, append, steps):
        """steps: (step, what judges it, with guest, results and its name).

        Anew in another guest where a capture lacks what the kernel skipped, and says so: that happens here more than
        elsewhere, since a program takes long enough under software emulation to be preempted.
        """
        for attempt in range(ATTEMPTS):
            again = []
            try:
                guest = self.boot(f"{folder}-{attempt + 1}" if attempt else folder, append)
                results = guest.run([step for step, _ in steps])
            except (lab.Failure, OSError) as error:
                self.faults.append(str(error))
                return
            for step, judge in steps:
                try:
                    guest.demand_end(step, results)
                    judge(guest, results, step.name)
                except Skipped as error:
                    if attempt + 1 < ATTEMPTS:
                        print(f"{step.name}: once more: {str(error).splitlines()[0]}")
                        again.append((step, judge))
                    else:
                        self.faults.append(str(error))
                except (lab.Failure, json.JSONDecodeError, OSError) as error:
                    self.faults.append(str(error))
            steps = again
            if not steps:
                return

    def main_steps(self):
        steps = [(Step(name, ["vm_insns", *options, "-o", f"/out/{name}.etz", *WHOLE, "--", "exectrace", "--version"],
                       settings, LONG), self.judge_counts) for name, settings, options in COUNTED]
        steps += [(Step(name, [*record(name, *options), "hostile_exec", "/tmp"], settings, LONG),
                   partial(self.judge_hostile, options, max_args, only))
                  for name, settings, options, max_args, only in HOSTILE]
        steps += [(Step(name, ["exectrace-record", "-o", f"/out/{name}.etz", "--ring-size", "16M", *options, "--",
                               *before, "/bin/storm", *map(str, STORM.values())], seconds=LONG),
                   partial(self.judge_storm, len(before) > 0))
                  for name, options, before in STORMS]
        steps += [(Step(name, ["exectrace-record", *args], settings, LONG, "exit 1"), partial(self.judge_message, words))
                  for name, settings, args, words in REFUSED]
        more = ["unlimited-memlock"] if self.kernel.name in LOCKS_MEMORY else []
        steps += [(Step(name, argv, settings + more, LONG), self.judge_served) for name, settings, argv in SERVED]
        return steps

    def judge_counts(self, _, results, name):
        said = results[f"{name}.err"].decode(errors="replace")
        counts = {program: int(count) for count, program in re.findall(r"^verified (\d+) (\w+)$", said, re.M)}
        lab.demand(counts, f"{name}: the verifier let no program in:\n{said[-3000:]}")
        self.counts.update(counts)
        for program, count in counts.items():
            lab.demand(count <= MOST_INSTRUCTIONS,
                       f"{program}: the verifier went through {count} instructions, more than {MOST_INSTRUCTIONS}")

    def judge_hostile(self, options, max_args, only, guest, results, name):
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
            raise type(error)(f"{name}: {error}\n  capture: {capture}\n  "
                              f"oracle: {guest.path(name + '.out')}") from None

    def judge_storm(self, by_another, guest, _, name):
        """Nothing is lost in it; but of execs and forks, where tracepoints leave preemption on, and that is counted."""
        files = self.series(guest, name) or [guest.path(f"{name}.etz")]
        infos = [lab.info(file) for file in files]
        spawned = STORM["processes"] * STORM["spawns"]
        happened = {"exec": 1 + by_another + spawned, "fail": STORM["processes"] * STORM["fails"],
                    "fork": by_another + STORM["processes"] + spawned,
                    "exit": 1 + by_another + STORM["processes"] + spawned}
        kept = {kind: sum(info["kinds"][kind] for info in infos) for kind in happened}
        lost = sum(info["lost"] for info in infos)
        causes = {cause for info in infos for cause in info["lost_by_cause"]}
        if "tp for failed exec and exit" not in infos[0]["properties"]["features"]:
            lab.equal((kept, lost), (happened, 0), f"{name}: kept and lost")
            lab.demand(all(info["complete"] for info in infos), f"{name}: nothing is lost, and it is not complete")
            return
        print(f"{name}: kept {kept} of {happened}, lost {lost}: {causes}")
        # Of a process whose fork was not seen, what it does is not followed either.
        lab.demand(causes <= {"busy", "skipped", "follow_full"}, f"{name}: {causes}")
        for event in (event for file in files for event in lab.replay("-q", "--kind", "lost", file)):
            lab.demand(event.get("cpu", 0) < guest.cpus, f"{name}: lost on CPU {event.get('cpu')}")
        lab.demand(kept["fail"] == happened["fail"], f"{name}: {kept} of {happened}, lost {lost}: {causes}")
        lab.demand(sum(kept.values()) + lost >= sum(happened.values()), f"{name}: {kept} of {happened}, lost {lost}: {causes}")

    def series(self, guest, name):
        """The files of a recording that has several, by name: each begins later than the one before, whatever its clock says."""
        files = series.files(guest.path(f"{name}.etz"))
        lab.demand(len(files) != 1, f"{name}: one file of several: {files}")
        begun = [min(event["ts"] for event in lab.replay("-q", file)) for file in files]
        lab.equal(begun, sorted(begun), f"{name}: when {files} begin")
        return files

    def judge_message(self, words, guest, results, name):
        said = results[f"{name}.err"].decode(errors="replace")
        if len(said.splitlines()) != 1 or not re.match(rf"exectrace record: .*{words}", said):
            raise lab.Failure(f"{name}: not one line that says {words}:\n{said}\n"
                              f"  boot it again: {guest.path('boot')}")

    def judge_served(self, guest, _, name):
        capture = guest.path(f"{name}.etz")
        if not os.path.exists(capture):
            capture = guest.path(f"{name}.out")
        lab.exectrace("verify", capture)
        skipped = demand_whole(capture)
        kinds = [event["kind"] for event in lab.replay(capture) if event.get("comm") == "exectrace"]
        if skipped and kinds != ["exec", "exit"]:
            raise Skipped(f"{name}: {skipped} skipped, of the command there is {kinds}")
        lab.equal(kinds, ["exec", "exit"], f"{name}: events of the command")

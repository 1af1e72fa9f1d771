"""Counts tracepoint hits through tracefs alone: no BPF, no loss.

Each counter is a trace instance of its own with one event and a filter. What
the ring of an instance holds plus what it says to have overwritten is how
often the event came, whatever the ring's size.
"""
import contextlib
import os
import re

import lab

TRACEFS = "/sys/kernel/tracing"
CLONE_THREAD = 0x10000


def counters(comm):
    """Name -> tracepoint, filter."""
    mine = f'COMM == "{comm}"'
    return {
        "exec": ("sched/sched_process_exec", mine),
        "fail": ("syscalls/sys_exit_execve", f"ret < 0 && {mine}"),
        "fail_at": ("syscalls/sys_exit_execveat", f"ret < 0 && {mine}"),
        "task": ("task/task_newtask", mine),
        "thread": ("task/task_newtask", f"clone_flags & {CLONE_THREAD} && {mine}"),
        # Since 6.16 the tracepoint says which thread was the last.
        "exit": ("sched/sched_process_exit", f"group_dead == 1 && {mine}"),
    }


@contextlib.contextmanager
def tracefs():
    """Mounts it where it is not, as on a machine where nobody has traced since it started."""
    instances = os.path.join(TRACEFS, "instances")
    if os.path.isdir(instances):
        yield instances
        return
    if not os.path.isdir(TRACEFS):
        lab.skip("the kernel has no tracefs")
    lab.run(["mount", "-t", "tracefs", "tracefs", TRACEFS])
    try:
        yield instances
    finally:
        lab.run(["umount", TRACEFS])


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


class Counter:
    def __init__(self, instances, name, event, condition):
        self.where = os.path.join(instances, f"exectrace-test-{os.getpid()}-{name}")
        os.mkdir(self.where)
        try:
            at = os.path.join(self.where, "events", event)
            write(os.path.join(at, "filter"), condition)
            write(os.path.join(self.where, "buffer_size_kb"), "64")
            write(os.path.join(at, "enable"), "1")
        except OSError:
            os.rmdir(self.where)
            raise

    def value(self):
        total = 0
        cpus = os.path.join(self.where, "per_cpu")
        for cpu in os.listdir(cpus):
            with open(os.path.join(cpus, cpu, "stats"), encoding="ascii") as file:
                stats = dict(re.findall(r"^(.+?): (\d+)", file.read(), re.M))
            lab.equal((stats["commit overrun"], stats["dropped events"]), ("0", "0"), "what tracefs lost")
            total += int(stats["entries"]) + int(stats["overrun"]) + int(stats["read events"])
        return total

    def close(self):
        os.rmdir(self.where)


@contextlib.contextmanager
def counting(comm):
    """Yields a function that returns how often each event came so far."""
    open_ones = {}
    with tracefs() as instances:
        try:
            for name, (event, condition) in counters(comm).items():
                try:
                    open_ones[name] = Counter(instances, name, event, condition)
                except OSError:
                    if name != "exit":	# the field is new
                        raise
            yield lambda: {name: counter.value() for name, counter in open_ones.items()}
        finally:
            for counter in open_ones.values():
                counter.close()

#!/usr/bin/env python3
"""The control socket of a recorder that runs: what it answers, to whom, and that nobody disturbs it."""
import contextlib
import fcntl
import json
import os
import random
import re
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
from bursts import BURST, Bursts  # noqa: E402

CALLER = 4243	# of sudo, nobody's
STRANGER = 4244


def answer(path, question, seconds=lab.TIMEOUT):
    """What comes back; b'' when we are dropped."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        # Waits for its turn where others are before it; with a timeout it would not.
        client.connect(path)
        client.settimeout(seconds)
        with contextlib.suppress(BrokenPipeError):
            client.send(question)
        try:
            return client.recv(65536)
        except ConnectionResetError:
            return b""


def status(path):
    text = answer(path, b"status")
    lab.demand(text.startswith(b"ok {"), f"answer {text!r}")
    return json.loads(text[3:])


def status_tells_it_all():
    with lab.workdir() as work:
        capture, path = os.path.join(work, "c.etz"), os.path.join(work, "control")
        # The name is relative to where the recorder was started.
        with Bursts(work, "c.etz", f"--control={path}", "--no-fork", "--ring-size", "1M", flush="10ms", cwd=work) as b:
            lab.wait_until(lambda: os.path.exists(path), "the socket")
            b.burst()
            lab.wait_until(lambda: status(path)["kinds"]["fail"] == BURST, "the events")
            found = status(path)
            lab.equal({key: found[key] for key in ("state", "mode", "lost", "files", "file", "pid")},
                      {"state": "recording", "mode": "following", "lost": 0, "files": 1, "file": capture,
                       "pid": b.process.pid}, "status")
            lab.equal(found["events"], sum(found["kinds"].values()), "events and kinds")
            lab.equal(found["kinds"], {"exec": 1, "fail": BURST, "fork": 0, "exit": 0}, "kinds")
            lab.equal(set(found["lost_by_cause"].values()), {0}, "losses")
            lab.equal([found["ring"]["bytes"], found["queue"]["parcels"]], [1 << 20, 8], "sizes")
            lab.demand(0 < found["ring"]["peak"] <= 1 << 20, f"peak {found['ring']}")
            lab.demand(found["elapsed"] > 0 and re.match(r"2\d{3}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$", found["since"]),
                       f"times {found}")
            lab.wait_until(lambda: status(path)["bytes"] == os.path.getsize(capture), "all to be written")
            time.sleep(1.1)
            status(path)
            time.sleep(1.1)
            rate = status(path)["rate"]
            lab.demand(rate["over"] >= 1e9 and rate["events_per_second"] == 0, f"rate {rate} when nothing happens")
            lab.equal(b.end(), 0, "exit code")
        with lab.started([lab.RECORDER, "-o", "-", f"--control={path}", "--uid", "0",
                          "--flush-interval", "10ms"]) as process:
            lab.wait_until(lambda: reachable(path), "the socket")
            # Nobody reads the pipe: it fills up, and so do the parcels.
            def blocked():
                lab.run(["/bin/sh", "-c", f"echo {BURST} | {lab.helper('bursts')}"])
                return status(path)["state"] == "blocked"
            lab.wait_until(blocked, "the recorder to say that it is blocked", seconds=100)
            found = status(path)
            lab.demand("file" not in found and found["mode"] == "filtered", f"status {found}")
            lab.equal(found["queue"]["full"], found["queue"]["parcels"], "full parcels")
            process.kill()


def reachable(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        return os.path.exists(path) and client.connect_ex(path) == 0


@contextlib.contextmanager
def listening(work, *args, **kwargs):
    """(process, path) of a recorder that records next to nothing."""
    path = os.path.join(work, "control")
    with lab.started([lab.RECORDER, "-o", os.path.join(work, "c.etz"), "-f", f"--control={path}",
                      "--comm", "nothing-at-all", *args], **kwargs) as process:
        lab.wait_until(lambda: process.poll() is not None or reachable(path) and b"recording" in answer(path, b"status"),
                       "the recorder")
        lab.demand(process.poll() is None, "the recorder ended at once")
        yield process, path


def commands_ask():
    with lab.workdir() as work:
        with listening(work) as (process, path):
            text = lab.exectrace("record", "--status", f"--control={path}").stdout.decode()
            for line in (rf"state    recording \(filtered\), process {process.pid}$", r"events   \d+ \(\d+ exec, ",
                         r"lost     0$", rf"written  .* in 1 file, now {work}/c.etz$"):
                lab.demand(re.search("^" + line, text, re.M), f"no {line} in {text}")
            one = json.loads(lab.exectrace("record", "--status", "--json", f"--control={path}").stdout)
            lab.equal(one["pid"], process.pid, "pid")
            done = lab.exectrace("trigger", "--control", path, code=1)
            lab.equal(done.stderr.decode(), f"exectrace trigger: the recorder at {path} says: "
                      "this recording has no flight recorder\n", "trigger")
            lab.equal(answer(path, b"rotate"), b"error this recording is not one of several files", "rotate")
            code, _, err = lab.stop(process)
            lab.equal(code, 0, f"exit code; {err!r}")
        for argv in (["record", "--status", f"--control={path}"], ["trigger", f"--control={path}"],
                     ["record", "--status", "--control=/nonexistent/socket"], ["trigger", "--control", "/dev/null"]):
            err = lab.exectrace(*argv, code=1).stderr
            lab.demand(b"no recorder listens at" in err and err.count(b"\n") == 1, f"{argv}: {err!r}")
        for argv, said in ((["record", "--json"], b"--json needs --status"),
                           (["record", "--status", "--", "true"], b"--status records nothing"),
                           (["record", "--control", "/tmp/x"], b"a path is given as --control=/tmp/x"),
                           (["record", "--control="], b"is not a file name"), (["trigger", "x"], b"unexpected argument")):
            lab.demand(said in lab.exectrace(*argv, code=2).stderr, f"{argv} does not say {said!r}")


def rotate_begins_the_next_file():
    with lab.workdir() as work:
        path = os.path.join(work, "control")
        # Named as the user did, told as it is.
        with lab.started([lab.RECORDER, "-o", "c.etz", "--rotate-time", "1h", f"--control={path}"], cwd=work) as process:
            lab.wait_until(lambda: reachable(path), "the recorder")
            lab.wait_until(lambda: status(path)["state"] == "recording", "the recording")
            names = [status(path)["file"]]
            for number in (2, 3, 4):
                text = answer(path, b"rotate").decode()
                lab.demand(text.startswith(f"ok {work}/c-2") and text.endswith(".etz"), f"answer {text!r}")
                names.append(text[3:])
                found = status(path)
                lab.equal([found["file"], found["files"]], [names[-1], number], "status")
            lab.equal(answer(path, b"trigger"), b"error this recording has no flight recorder", "trigger")
            code, _, err = lab.stop(process)
            lab.equal(code, 0, f"exit code; {err!r}")
        lab.equal(sorted(os.listdir(work)), sorted(map(os.path.basename, names)), "files")
        for name in names:
            lab.demand(lab.info(name)["ended"], f"{name} has no end")


def rotate_tells_the_truth():
    """Where the next file cannot be begun, nobody is told its name."""
    with lab.workdir() as work, lab.small_disk(work, 1 << 20) as place:
        path, filler = os.path.join(work, "control"), os.path.join(place, "filler")
        with lab.started([lab.RECORDER, "-o", os.path.join(place, "c.etz"), "--rotate-time", "1h", f"--control={path}",
                          "--comm", "nothing-at-all"]) as process:
            lab.wait_until(lambda: reachable(path) and status(path)["state"] == "recording", "the recording")
            first = status(path)["file"]
            with contextlib.suppress(OSError), open(filler, "wb") as file:
                while True:
                    file.write(b"x" * 4096)
                    file.flush()
            text = answer(path, b"rotate").decode()
            lab.equal(text, "error cannot begin the next file: No space left on device", "answer on a full disk")
            lab.equal(sorted(os.listdir(place)), sorted([os.path.basename(first), "filler"]), "files")
            found = status(path)
            lab.equal((found["file"], found["files"]), (first, 1), "status")
            os.unlink(filler)
            text = lab.wait_until(lambda: [text for text in [answer(path, b"rotate").decode()] if text[:3] == "ok "],
                                  "the next file")[0]
            lab.demand(text[3:] > first and os.path.exists(text[3:]), f"answer {text}, files {os.listdir(place)}")
            code, _, err = lab.stop(process)
            lab.equal(code, 0, f"exit code; {err!r}")


def asked_too_early():
    """Before it records: the next file begins when it does, and who asked is told."""
    with lab.workdir() as work:
        path = os.path.join(work, "control")
        for options, question in (("--rotate-time", "1h"), b"rotate"), (("--flight", "1M"), b"trigger"):
            with lab.started([lab.RECORDER, "-o", os.path.join(work, "c.etz"), *options, f"--control={path}"]) as process:
                lab.wait_until(lambda: reachable(path), "the socket", pause=0.001)
                text = answer(path, question).decode()
                lab.demand(text[:3] == "ok " and os.path.exists(text[3:]), f"answer {text}, files {os.listdir(work)}")
                code, _, err = lab.stop(process)
                lab.equal(code, 0, f"exit code; {err!r}")


def trigger_writes_what_is_in_memory():
    with lab.workdir() as work:
        path = os.path.join(work, "control")
        with lab.started([lab.RECORDER, "-o", "c.etz", "--flight", "8M", f"--control={path}"], cwd=work) as process:
            lab.wait_until(lambda: reachable(path), "the recorder")
            lab.wait_until(lambda: status(path)["state"] == "flight", "the flight recorder")
            lab.demand("file" not in status(path), "a file is written")
            for number in range(3):
                lab.run(["/bin/true", f"before-{number}"])
                name = lab.exectrace("trigger", "--control", path).stdout.decode().rstrip("\n")
                lab.equal(os.path.dirname(name), work, "directory of the file")
                lab.equal(len(lab.replay("--kind", "exec", "--arg", f"before-{number}", name)), 1, "execs before")
                lab.equal(status(path)["files"], number + 1, "files")
            # Many at once: each is told of a file that was begun later than he asked.
            answers = []
            askers = [threading.Thread(target=lambda: answers.append(answer(path, b"trigger"))) for _ in range(6)]
            for asker in askers:
                asker.start()
            for asker in askers:
                asker.join()
            lab.demand(len(answers) == 6 and all(text.startswith(b"ok /") for text in answers), f"answers {answers}")
            lab.equal(answer(path, b"rotate"), b"error this recording is not one of several files", "rotate")
            code, _, err = lab.stop(process)
            lab.equal(code, 0, f"exit code; {err!r}")


def living_one_is_not_replaced():
    with lab.workdir() as work:
        with listening(work) as (process, path):
            other = os.path.join(work, "other.etz")
            done = lab.record(other, f"--control={path}", code=1)
            lab.demand(f"process {process.pid} listens at {path} already".encode() in done.stderr, f"said {done.stderr!r}")
            lab.demand(not os.path.exists(other), "it has begun a capture")
            # All of it, as a machine that crashes does: its servant would remove the socket.
            for pid in lab.children(process.pid):
                os.kill(pid, signal.SIGKILL)
            process.kill()
            process.wait()
        lab.demand(os.path.exists(path), "a killed recorder leaves no socket; this tests nothing")
        done = lab.exectrace("record", "--status", f"--control={path}", code=1)
        lab.demand(b"no recorder listens at" in done.stderr, f"status of one that is gone: {done.stderr!r}")
        with listening(work) as (process, path):
            lab.equal(status(path)["pid"], process.pid, "who listens now")


def removes_its_socket():
    """When it ends, also when it is killed, and where the directory is another's."""
    with lab.workdir() as work:
        os.chown(work, CALLER, CALLER)
        for env in {}, {"SUDO_UID": str(CALLER), "SUDO_GID": str(CALLER)}:
            for sig, expected in (signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL):
                with listening(work, env=os.environ | env) as (process, path):
                    lab.equal(lab.stop(process, sig)[0], expected, "exit code")
                lab.wait_until(lambda gone=path: not os.path.exists(gone), "the socket to be removed")
        # Not one that somebody has put there meanwhile.
        with listening(work) as (process, path):
            os.unlink(path)
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as other:
                other.bind(path)
                lab.equal(lab.stop(process)[0], 0, "exit code")
                lab.demand(os.path.exists(path), "it has removed another's socket")


def others_lock_is_not_waited_for():
    """Of the directory, which everybody may read."""
    with lab.workdir() as work:
        folder = os.open(work, os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)
        with listening(work) as (process, path):
            lab.equal(status(path)["pid"], process.pid, "who listens")
        os.close(folder)


def only_those_who_may():
    """Root and the recorder's user; under sudo its caller too, who owns the socket then."""
    with lab.workdir() as work:
        os.chmod(work, 0o777)
        for env, may in (({}, []), ({"SUDO_UID": str(CALLER), "SUDO_GID": str(CALLER)}, [CALLER])):
            with listening(work, env=os.environ | env) as (_, path):
                lab.equal([os.stat(path).st_uid, os.stat(path).st_mode & 0o777], [(may or [0])[0], 0o600], "the socket")
                for user in (CALLER, STRANGER):
                    done = lab.exectrace("record", "--status", f"--control={path}", user=user, group=user,
                                         code=0 if user in may else 1)
                    lab.demand(user in may or b"only root and the user who records" in done.stderr,
                               f"{user}: {done.stderr!r}")
                # Not even where somebody has let everybody connect.
                os.chmod(path, 0o666)
                done = lab.exectrace("record", "--status", f"--control={path}", user=STRANGER, group=STRANGER, code=1)
                lab.demand(b"gave no answer" in done.stderr, f"a stranger is told {done.stderr!r}")
                lab.equal(status(path)["state"], "recording", "state")


def usual_place():
    """/run/exectrace, made by root; in a mount namespace, since this machine may have one."""
    script = 'mount -t tmpfs none /run && umask 077 && exec "$@"'
    with lab.workdir() as work:
        argv = [lab.need_tool("unshare"), "--mount", "/bin/sh", "-c", script, "sh", lab.RECORDER, "--control",
                "-o", os.path.join(work, "c.etz"), "--", "/bin/sh", "-c",
                f"{lab.EXECTRACE} record --status && stat -c %a /run/exectrace /run/exectrace/control"]
        out = lab.run(argv).stdout.decode().split("\n")
        lab.equal(out[-3:-1], ["755", "600"], "modes")
        lab.demand(out[0].startswith("state    recording (following)"), f"said {out}")


def noise(path, seed, stop, counts):
    """A client that asks as fast as it can, rightly and wrongly, and hangs up at any time."""
    dice = random.Random(seed)
    while not stop.is_set():
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.setblocking(False)
            with contextlib.suppress(OSError):
                client.connect(path)
                for _ in range(dice.randrange(4)):
                    client.send(dice.choice((b"status", b"show", b"trigger", b"", b"x" * 9999, dice.randbytes(20))))
                counts[0] += 1
                if dice.randrange(4):
                    client.settimeout(0.05)
                    client.recv(65536)


def flood_does_not_disturb():
    with lab.workdir() as work:
        capture, path = os.path.join(work, "c.etz"), os.path.join(work, "control")
        with Bursts(work, capture, f"--control={path}") as b:
            lab.wait_until(lambda: os.path.exists(path), "the socket")
            stop, counts = threading.Event(), [0]
            clients = [threading.Thread(target=noise, args=(path, seed, stop, counts), daemon=True) for seed in range(4)]
            for client in clients:
                client.start()
            before = busy(b.process.pid)
            begun = time.monotonic()
            while time.monotonic() < begun + 3:
                b.burst()
                time.sleep(0.1)
            spent = busy(b.process.pid) - before
            # Who asks as one should has an answer all the same.
            lab.equal(status(path)["state"], "recording", "state under a flood")
            stop.set()
            for client in clients:
                client.join()
            lab.demand(counts[0] > 100, f"no flood: {counts[0]}")
            # The loop goes round for clients 50 times a second at most; for 10,000 events each 0.1 s as often again.
            lab.demand(spent < 1.5, f"the recorder was busy for {spent} s of 3")
            lab.equal(b.end(), 0, "exit code")
        lab.equal([lab.info(capture)["lost"], lab.info(capture)["kinds"]["fail"]], [0, b.made], "lost, and kept")


def busy(pid):
    """Seconds of CPU that the first thread, which is the loop, has used."""
    with open(f"/proc/{pid}/task/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle_recorder_sleeps():
    """Clients that do nothing cost nothing, once they are dropped."""
    with lab.workdir() as work:
        with listening(work) as (process, path):
            with contextlib.ExitStack() as stack:
                for _ in range(20):
                    client = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
                    client.setblocking(False)
                    with contextlib.suppress(OSError):
                        client.connect(path)
                time.sleep(3.5)
                before = switches(process.pid)
                time.sleep(2)
                woken = switches(process.pid) - before
            lab.demand(woken <= 2, f"woke {woken} times in 2 s in which nothing happened")


def switches(pid):
    with open(f"/proc/{pid}/task/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.M)[1])


def ends_with_the_recording():
    """Who waits for an answer is told by the end of the connection."""
    with lab.workdir() as work:
        with listening(work) as (process, path), socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.connect(path)
            code, _, err = lab.stop(process)
            lab.equal(code, 0, f"exit code; {err!r}")
            client.settimeout(lab.TIMEOUT)
            # Not seen yet, its connection is reset.
            with contextlib.suppress(ConnectionResetError):
                lab.equal(client.recv(100), b"", "what comes at the end")


if __name__ == "__main__":
    lab.need_bpf()
    lab.need_tool("unshare")
    lab.main(status_tells_it_all, commands_ask, rotate_begins_the_next_file,
             rotate_tells_the_truth, asked_too_early, trigger_writes_what_is_in_memory,
             living_one_is_not_replaced, removes_its_socket, others_lock_is_not_waited_for, only_those_who_may, usual_place,
             flood_does_not_disturb, idle_recorder_sleeps, ends_with_the_recording)

#!/usr/bin/env python3
"""The options that choose events, alone and together, and what is passed over because of them.

Judged by a naive evaluator of what the manual says, over the JSON of all events.
ET_SEED: which.
"""
import os
import random
import shlex
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
import test_where  # noqa: E402
import world  # noqa: E402
from test_where import GROUPS, OFFSET, USERS, exact, glob, items  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
KINDS = ("exec", "fail", "fork", "exit", "proc", "lost")


# ---- Tables -----------------------------------------------------------------------------------

def read_table(path):
    """The capture's text, and (words, letters) of each case."""
    capture, cases = lab.contents(path).decode().split("\n---\n")
    lines = [line.split("=>") for line in cases.split("\n") if line and not line.startswith("#")]
    lab.demand(all(len(line) == 2 for line in lines), f"lines of {path}")
    text = "\n".join(line for line in capture.split("\n") if not line.startswith("#"))
    return text + "\n", [(line[0].strip(), line[1].strip()) for line in lines]


def words_of(case):
    """Options as a shell would read them, but for $'\\n'."""
    if case == "--":
        return []
    return shlex.split(case.replace("$'\\n'", "'\n'")) if case.startswith("--") else ["--where", case]


def tables_hold():
    tried = 0
    with lab.workdir() as work:
        folder = os.path.join(HERE, "where")
        for name in sorted(os.listdir(folder)):
            text, cases = read_table(os.path.join(folder, name))
            path = world.write(os.path.join(work, "table.etz"), text)
            letters = {event["ts"]: chr(ord("a") + i) for i, event in enumerate(lab.replay("-q", path))}
            for case, expected in cases:
                got = "".join(letters[event["ts"]] for event in lab.replay("-q", *words_of(case), path))
                lab.equal(got, expected, f"{name}: events of {case}")
                count = lab.exectrace("replay", "-q", "--count", *words_of(case), path).stdout
                if "--kind" not in case and "kind" not in case and "cause" not in case:
                    lab.equal(int(count), len(expected.replace("g", "")), f"{name}: count of {case}")
                tried += 1
    lab.demand(tried > 100, f"only {tried} cases")
    print(f"   {tried} cases")


# ---- Random options -----------------------------------------------------------------------------

def a_list(rng, values):
    return rng.sample(values, rng.randrange(1, 4))


def person(rng, option, field, key, names):
    ids = a_list(rng, [0, 5, 7, 100, 1000, 65534])
    chosen = rng.choice([[], [rng.choice(sorted(names.values()))], ["nobody"]])

    def passes(seen):
        return seen.get(field) in ids or seen.get(key) in chosen
    return [f"--{option}", ",".join(map(str, ids + chosen))], passes, False


def number(rng, option, field, values):
    ids = a_list(rng, values)
    return [f"--{option}", ",".join(map(str, ids))], lambda seen: seen.get(field) in ids, False


def last_part(pattern, data):
    return data.rsplit(b"/", 1)[-1] if b"/" not in pattern.encode() else data


def patterns(rng):
    return rng.sample([p for p in test_where.PATTERNS], rng.randrange(1, 3))


def comm(rng):
    chosen = patterns(rng)
    return ([word for p in chosen for word in ("--comm", p)],
            lambda seen: exact(seen, "comm") is not None and any(glob(p).fullmatch(exact(seen, "comm")) for p in chosen), False)


def exe(rng):
    chosen = patterns(rng)

    def passes(seen):
        path = exact(seen, "exe")
        path = exact(seen, "filename") if path is None else path
        return path is not None and any(glob(p).fullmatch(last_part(p, path)) for p in chosen)
    return [word for p in chosen for word in ("--exe", p)], passes, False


def arg(rng):
    chosen = patterns(rng)
    return ([word for p in chosen for word in ("--arg", p)],
            lambda seen: any(glob(p).fullmatch(item) for p in chosen for item in items(seen, "argv") or []), False)


def kinds(rng):
    chosen = a_list(rng, KINDS)
    return ["--kind", ",".join(chosen)], lambda seen: seen["kind"] in chosen, True


def outcome(rng):
    words = rng.choice((["--failed"], ["--ok"], ["--ok", "--failed"]))
    chosen = [{"--failed": "fail", "--ok": "exec"}[word] for word in words]
    return words, lambda seen: seen["kind"] in chosen, False


def match(rng):
    how = rng.randrange(4)
    if how == 0:
        low, high = sorted((rng.randrange(1000000, 1000400), rng.randrange(1000000, 1000400)))
        return ["--match", f"ts={low}..{high}"], lambda seen: low <= seen["ts"] <= high, True
    if how == 1:
        field = rng.choice(("ppid", "session", "minor_faults", "exit_code"))
        values = a_list(rng, [0, 1, 2, 3])
        return ["--match", f"{field}=" + ",".join(map(str, values))], lambda seen: seen.get(field) in values, False
    if how == 2:
        flag = rng.choice(("core", "exe_memfd", "secure_exec"))
        return ["--match", flag], lambda seen: seen.get(flag) is True, False
    field, chosen = rng.choice(("cwd", "tty", "filename", "env")), patterns(rng)

    def passes(seen):
        if field == "env":
            return any(glob(p).fullmatch(item if "=" in p else item.split(b"=", 1)[0]) for p in chosen for item in items(seen, "env") or [])
        text = exact(seen, field)
        return text is not None and any(glob(p).fullmatch(last_part(p, text) if field == "filename" else text) for p in chosen)
    return ["--match", f"{field}=" + ",".join(p.replace(",", "\\,") for p in chosen)], passes, False


def since(rng):
    at = rng.randrange(1000000, 1000400)
    return ["--since", f"+{at - 1000000}ns"], lambda seen: max(seen.get("until", 0), seen["ts"]) >= at, True


def until(rng):
    at = rng.randrange(1000000, 1000400)
    return ["--until", f"@{(OFFSET + at) // 10**9}.{(OFFSET + at) % 10**9:09}"], lambda seen: seen["ts"] < at, True


OPTIONS = (lambda rng: person(rng, "uid", "uid", "user", USERS), lambda rng: person(rng, "gid", "gid", "group", GROUPS),
           lambda rng: number(rng, "pid", "pid", [1, 2, 3, 4, 5, 77]), lambda rng: number(rng, "ppid", "ppid", [1, 2, 3, 4, 5, 77]),
           lambda rng: number(rng, "exit-code", "exit_code", [0, 1, 2, 127]), comm, exe, arg, kinds, outcome, match, since, until)


def random_options_are_as_the_manual_says():
    carried = test_where.kinds_of_fields()
    rng = random.Random(int(os.environ.get("ET_SEED", "20261122")))
    some = tried = 0
    with lab.workdir() as work:
        for n in range(3):
            path = test_where.capture(rng, os.path.join(work, f"{n}.etz"), carried)
            events = lab.replay("-q", path)
            for _ in range(60 if lab.SANITIZED else 200):
                chosen = [make(rng) for make in rng.sample(OPTIONS, rng.choice((1, 1, 2, 2, 3)))]
                if rng.random() < 0.2:
                    node = test_where.tree(rng, carried)
                    text = test_where.written(rng, node)
                    chosen.append((["--where", text], lambda seen, node=node: True in test_where.outcomes(node, seen), True))
                words = [word for option in chosen for word in option[0]]
                expected = [seen for seen in events
                            if all(passes(seen) or seen["kind"] == "lost" and not asks for _, passes, asks in chosen)]
                done = lab.exectrace("replay", "-q", "--json", *words, path, code=None)
                if done.returncode == 2 and b"no event can match" in done.stderr:
                    continue
                lab.equal(done.returncode, 0, f"exit code of {words}: {done.stderr}")
                lab.equal([seen["ts"] for seen in lab.lines(done.stdout)], [seen["ts"] for seen in expected], f"times of what {words} choose of {path}")
                tried += 1
                some += 0 < len(expected) < len(events)
    lab.demand(some > tried * 0.5, f"only {some} of {tried} choose some events and not all")
    print(f"   {tried} sets of options")


# ---- What is passed over --------------------------------------------------------------------------

def clustered(rng, rows, chunk):
    """Chunks of few users, names and processes each, or with chunk of 0 one of all the same rows."""
    lines = [f"segment ts=1000000 realtime={OFFSET}", f"host utc_offset {test_where.ZONE}"]
    lines += [f"user {n} {name}" for n, name in sorted(USERS.items())] + [f"group {n} {name}" for n, name in sorted(GROUPS.items())]
    for i in range(rows):
        one = i // 20
        kind = ("exec", "exit", "fork", "fail")[rng.randrange(4) if one % 3 else one % 4]
        words = [kind, f"ts={1000000 + i * 1000 - rng.randrange(500)}", f"pid={1 + one % 7 * 10 + rng.randrange(3)}"]
        if rng.random() < 0.9 or one % 4 == 0:
            words.append(f"uid={(0, 7, 1000, 65534)[one % 4]}")
        words.append(f"comm={('sh', 'make', 'cc1', 'ld', 'sed')[(one + rng.randrange(1 + one % 2)) % 5]}")
        words += [f"exit_code={rng.randrange(3)}"] if kind == "exit" else []
        words += ["errno=2"] if kind == "fail" else []
        words += ["argv=" + rng.choice(("a,", "a,b,", ",")), f"filename={rng.choice('xyz')}"] if kind in ("exec", "fail") else []
        lines.append(" ".join(words))
        if chunk and i % chunk == chunk - 1:
            lines.append("chunk")
    return "\n".join(lines) + f"\nend ts={1000000 + rows * 1000} done\n"


HEADS = ("uid == 0", "uid != 0", "uid in (0, 7)", "!(uid == 1000)", "uid == ann", "user != 'root'", "pid in 10..13", "pid > 40", "comm == 'ld'",
         "comm != 'ld'", "!(comm == 'ld')", "comm in ('sh', 'none')", "comm ~ 'make'", "comm ~ 'm*'", "kind == exec", "kind in (exit, fork)", "failed",
         "exit_code == 0", "exit != 0", "time < +100us", "time >= +350us", "time in +100us..+200us", "known(uid)", "!(known(uid))", "argv has 'b'",
         "ts > 1200000", "comm != filename", "filename == 'x'")


def what_is_passed_over_has_no_match():
    """The same events in one chunk of which heads can tell little, and in many of which they tell much."""
    rng = random.Random(int(os.environ.get("ET_SEED", "3")))
    some = 0
    with lab.workdir() as work:
        seed = rng.random()
        many = world.write(os.path.join(work, "many.etz"), clustered(random.Random(seed), 400, 20))
        one = world.write(os.path.join(work, "one.etz"), clustered(random.Random(seed), 400, 0))
        events = lab.replay("-q", one)
        lab.equal(lab.replay("-q", many), events, "events in many chunks")
        for i in range(60 if lab.SANITIZED else 250):
            texts = [HEADS[i]] if i < len(HEADS) else rng.sample(HEADS, rng.randrange(2, 4))
            text = rng.choice((" && ", " || ")).join(f"{rng.choice(('', '', '!'))}({each})" for each in texts)
            done = lab.exectrace("replay", "-q", "--json", "--where", text, one, code=None)
            if done.returncode == 2 and b"no event can match" in done.stderr:
                continue
            expected = lab.lines(done.stdout)
            lab.equal(lab.replay("-q", "--where", text, many), expected, f"what {text} chooses of many chunks")
            for path in (one, many):
                lab.equal(int(lab.exectrace("replay", "-q", "--count", "--where", text, path).stdout), len(expected), f"count of {text} in {path}")
            some += 0 < len(expected) < len(events)
    lab.demand(some > 30, f"only {some} choose some")


def bodies_are_not_read_in_vain():
    """Each body of a capture is damaged: what a command says of damage tells how many it has read."""
    with lab.workdir() as work:
        rng = random.Random(5)
        path = world.write(os.path.join(work, "x.etz"), clustered(rng, 400, 20))
        data, at, chunks = bytearray(lab.contents(path)), 0, 0
        for kind, _, body in list(world.records(bytes(data))):
            head_len = int.from_bytes(data[at + 28:at + 32], "little")
            if kind == 2:
                data[at + 48 + head_len + len(body) // 2] ^= 0x55
                chunks += 1
            at += 48 + head_len + len(body)
            at += -at % 8
        lab.equal(chunks, 20, "chunks")
        broken = os.path.join(work, "broken.etz")
        with open(broken, "wb") as file:
            file.write(data)
        for words, read in ((("--uid", "0"), 5), (("--uid", "5"), 0), (("--comm", "none"), 0), (("--where", "uid in (0, 7) && pid > 0"), 10),
                            (("--where", "time < +99us"), 5), (("--kind", "lost"), 0), (("--where", "uid == 0 && uid == 7"), 0),
                            (("--where", "uid == 0 || comm == 'none'"), 5), (("--where", "uid < 5 && argv has 'b'"), 5), ((), 20)):
            done = lab.exectrace("replay", "--json", *words, broken, code=None)
            told = done.stderr.decode()
            missing = [int(word) for word in told.replace(",", "").split() if word.isdigit()]
            lab.equal(read * 20 in missing or (read == 0 and "damaged" not in told), True, f"what {words} reads, by {told}")


if __name__ == "__main__":
    lab.main(tables_hold, random_options_are_as_the_manual_says, what_is_passed_over_has_no_match, bodies_are_not_read_in_vain)

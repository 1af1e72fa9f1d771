#!/usr/bin/env python3
"""--where: random expressions over random captures, judged by a naive evaluator over the JSON of all events.

ET_SEED: which.
"""
import os
import random
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import base64  # noqa: E402
import lab  # noqa: E402
import world  # noqa: E402

OFFSET = 1790000000 * 10**9	# 2026-09-21T14:13:20Z, when the boot clock was 0
ZONE = 3600
ID = "3f4e2d1c0b9a8877665544332211ffeeddccbbaa99887766554433221100abcd"
CGROUPS = {5: f"/system.slice/docker-{ID}.scope", 6: "/user.slice", 7: f"/docker/{'ab' * 32}"}
USERS = {0: "root", 1000: "ann", 7: "www-data"}
GROUPS = {0: "root", 100: "staff"}
KINDS = {"exec": 1, "fail": 2, "fork": 3, "exit": 4, "proc": 5, "lost": 6}
CAUSES = {"ring_full": 1, "busy": 2, "follow_full": 3, "write_failed": 4, "unreadable": 5, "damaged": 6, "skipped": 7}
SIGNALS = {"SIGHUP": 1, "SIGKILL": 9, "SIGSEGV": 11, "SIGTERM": 15}
ERRNOS = {"ENOENT": 2, "EACCES": 13, "ENOEXEC": 8}

NS, BYTES, DEV, PLAIN, BOOT = "ns", "bytes", "dev", "plain", "boot"
NUMBERS = {name: (unit, pool) for names, unit, pool in (
    ("pid ppid tid ns_pid", PLAIN, (1, 2, 3, 4, 5, 77)),
    ("uid euid login_uid", PLAIN, (0, 7, 1000, 65534, 2**64 - 2)),
    ("gid egid", PLAIN, (0, 5, 100)),
    ("session argc env_count minor_faults major_faults exe_inode pid_ns mnt_ns user_ns net_ns", PLAIN, (0, 1, 2, 10, 4026531836)),
    ("exit_code", PLAIN, (0, 1, 2, 127)),
    ("cpu count", PLAIN, (1, 2, 5)),
    ("ts until start exec_ts", BOOT, tuple(range(1000000, 1000400, 25))),
    ("utime stime exec_duration", NS, (0, 1, 1500, 2000000, 10**9, 90 * 10**9)),
    ("max_rss read_bytes write_bytes argv_bytes env_bytes", BYTES, (0, 1023, 1024, 1 << 20, 3 << 30)),
    ("exe_dev", DEV, (8 << 20 | 1, 253 << 20 | 1, 42)),
    ("signal", SIGNALS, tuple(SIGNALS.values()) + (33,)),
    ("errno", ERRNOS, tuple(ERRNOS.values())),
    ("cause", CAUSES, tuple(CAUSES.values())),
    ("kind", KINDS, tuple(KINDS.values()))) for name in names.split()}
FLAGS = ("argv_truncated", "argv_unreadable", "core", "secure_exec", "exe_deleted", "exe_memfd", "env_truncated", "env_unreadable")
TEXTS = ("comm", "filename", "interpreter", "exe", "cwd", "tty")
LISTS = ("argv", "env")
STRINGS = (b"", b"a", b"ab", b"abc", b"a.c", b"/bin/ab", b"/usr/bin/a.c", b"\xff\xfe", b"a\nb", b"it's", b'"q"', b"\\", b"-c", b"PATH=/bin", b"PATH",
           b"PATHS=a", b"[ab]", "\u00e4".encode())
PATTERNS = ("*", "a*", "*.c", "?", "[ab]*", "[!a]*", "ab", "\\*", "*/a*", "PATH", "PATH*", "*b*c", "", "[[]*", "[a-b]b*")
BOTH = frozenset((True, False))


# ---- Captures ---------------------------------------------------------------------------------

def kinds_of_fields():
    text = lab.exectrace("replay", "--columns", "help").stdout.decode()
    found = {name: kinds.split() for name, kinds in re.findall(r"^  ([a-z_]+) .*\((.*)\)$", text, re.M)}
    lab.demand(set(NUMBERS) | set(FLAGS) | set(TEXTS) | set(LISTS) <= set(found), f"fields: {found}")
    return found


def quoted(data):
    return "".join(chr(b) if b < 128 and chr(b).isalnum() else f"%{b:02X}" for b in data)


def event(rng, kind, ts, carried):
    words = ["lost_row" if kind == "lost" else kind, f"ts={ts}"]
    for name, kinds in carried.items():
        always = name in FLAGS + ("pid", "errno", "cause", "count")
        if kind not in kinds or name in ("ts", "kind") or name == "exec_ts" and kind == "exec" or not always and rng.random() < 0.3:
            continue
        if name in NUMBERS:
            words.append(f"{name}={rng.choice(NUMBERS[name][1])}")
        elif name in FLAGS:
            words.append(f"{name}={rng.randrange(2)}")
        elif name in TEXTS:
            words.append(f"{name}={quoted(rng.choice(STRINGS))}")
        elif name in LISTS:
            words.append(f"{name}=" + "".join(quoted(rng.choice(STRINGS)) + "," for _ in range(rng.randrange(5))))
        elif name == "cgroup":
            words.append(f"cgroup={rng.choice((5, 6, 7, 8))}")
    return " ".join(words)


def capture(rng, path, carried):
    lines = [f"segment ts=1000000 realtime={OFFSET}", f"host utc_offset {ZONE}"]
    lines += [f"user {n} {quoted(name.encode())}" for n, name in USERS.items()]
    lines += [f"group {n} {name}" for n, name in GROUPS.items()]
    lines += [f"cgroup {n} {quoted(name.encode())}" for n, name in CGROUPS.items()]
    for i in range(400):
        kind = rng.choice(("exec", "exec", "exec", "fail", "fork", "exit", "exit", "exit"))
        if i < 20 or i % 50 == 0:
            kind = "proc" if i < 20 else "lost"
        lines.append(event(rng, kind, 1000000 + i, carried))
        if rng.random() < 0.02:
            lines.append("chunk")
    return world.write(path, "\n".join(lines), "\nend ts=1000400 done\n")


# ---- What an event has ------------------------------------------------------------------------

def exact(seen, name):
    return lab.raw(seen, name)


def items(seen, name):
    if name not in seen:
        return None
    b64 = seen.get(name + "_b64") or [None] * len(seen[name])
    return [base64.b64decode(b) if b is not None else a.encode() for a, b in zip(seen[name], b64)]


def number(seen, name, carried):
    if name in FLAGS:
        return int(seen.get(name, False)) if seen["kind"] in carried[name] else None
    if name == "kind":
        return KINDS[seen["kind"]]
    if name == "cause":
        return CAUSES.get(seen.get("cause"))
    if name == "exe_dev" and "exe_dev" in seen:
        major, minor = seen["exe_dev"].split(":")
        return int(major) << 20 | int(minor)
    if name == "exit":
        return seen.get("exit_code", 128 + seen["signal"] if "signal" in seen else None)
    if name in ("failed", "ok"):
        return int(seen["kind"] == {"failed": "fail", "ok": "exec"}[name])
    return seen.get(name)


def wall(seen):
    return OFFSET + seen["ts"]


# ---- Tests: (what it says, whether an event passes, whether lost events are asked) ----------------

def text_of(rng, data):
    quote = rng.choice("\"'")
    out = ""
    for byte in data:
        char = chr(byte)
        if char == quote or char == "\\":
            out += "\\" + char
        elif char == "\n":
            out += rng.choice(("\\n", "\\x0a", "\n"))
        elif byte < 32 or byte > 126 or rng.random() < 0.05:
            out += f"\\x{byte:02x}"
        else:
            out += char
    return quote + out + quote


def digits(rng, n):
    return rng.choice((str(n), str(n), f"0x{n:x}", f"0o{n:o}"))


def literal(rng, unit, n):
    if isinstance(unit, dict):
        names = [name for name, value in unit.items() if value == n]
        if names and rng.random() < 0.8:
            name = names[0]
            return name[3:] if unit is SIGNALS and rng.random() < 0.5 else name
        return digits(rng, n)
    if unit == NS and rng.random() < 0.7:
        scale, name = rng.choice(((1, "ns"), (1000, "us"), (10**6, "ms"), (10**9, "s"), (60 * 10**9, "m")))
        if n % scale == 0:
            return f"{n // scale}{name}"
        if scale < 60 * 10**9:
            return f"{n // scale}.{n % scale:0{len(str(scale)) - 1}d}{name}"
    if unit == BYTES and rng.random() < 0.7:
        shift, name = rng.choice(((10, "K"), (20, "M"), (20, "MiB"), (30, "G")))
        if n % (1 << shift) == 0:
            return f"{n >> shift}{name}"
    if unit == DEV and rng.random() < 0.7:
        return f"{n >> 20}:{n & 0xfffff}"
    return digits(rng, n)


COMPARE = {"==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
           ">": lambda a, b: a > b, ">=": lambda a, b: a >= b}


def ranges(rng, values, show, top):
    """A set of values and ranges, as text and as pairs."""
    texts, pairs = [], []
    for _ in range(rng.randrange(1, 4)):
        low, high = sorted((rng.choice(values), rng.choice(values)))
        how = rng.randrange(4)
        if how == 0:
            texts.append(f"{show(low)}..{show(high)}")
            pairs.append((low, high))
        elif how == 1:
            texts.append(f"{show(low)}..")
            pairs.append((low, top))
        elif how == 2:
            texts.append(f"..{show(high)}")
            pairs.append((0, high))
        else:
            texts.append(show(low))
            pairs.append((low, low))
    if len(texts) == 1 and rng.random() < 0.5:
        return texts[0], pairs
    return "(" + rng.choice((",", ", ", " , ")).join(texts) + ")", pairs


def blank(rng):
    return rng.choice(("", " ", " ", "  "))


def number_test(rng, carried):
    name = rng.choice(sorted(NUMBERS) + ["exit", "duration", "exit", "duration"])
    unit, pool = NUMBERS.get(name) or {"exit": (PLAIN, (0, 1, 2, 127, 128, 137, 139)), "duration": (NS, (0, 10, 100, 399))}[name]
    asks = "lost" in carried.get(name, ())

    def get(seen):
        return number(seen, name, carried)
    if rng.random() < 0.3:
        text, pairs = ranges(rng, pool, lambda n: literal(rng, unit, n), 2**64 - 2)
        return f"{name} in {text}", lambda seen: get(seen) is not None and any(a <= get(seen) <= b for a, b in pairs), asks
    sign, value = rng.choice(list(COMPARE)), rng.choice(pool)
    return (f"{name}{blank(rng)}{sign}{blank(rng)}{literal(rng, unit, value)}",
            lambda seen: get(seen) is not None and COMPARE[sign](get(seen), value), asks)


def flag_test(rng, carried):
    name = rng.choice(FLAGS + ("failed", "ok"))
    if rng.random() < 0.5:
        return name, lambda seen: number(seen, name, carried) == 1, False
    value, sign = rng.randrange(2), rng.choice(("==", "!="))
    word = rng.choice((("no", "false", "0"), ("yes", "true", "1"))[value])
    return (f"{name} {sign} {word}",
            lambda seen: (number(seen, name, carried) is not None) and COMPARE[sign](number(seen, name, carried), value), False)


def person_test(rng, _):
    """Numbers and names of users and groups."""
    name, key, names = rng.choice((("uid", "user", USERS), ("gid", "group", GROUPS), ("login_uid", "login_user", USERS)))
    which = rng.choice(sorted(names.values()))
    if rng.random() < 0.5:
        sign = rng.choice(("==", "!="))
        return (f"{key} {sign} \"{which}\"", lambda seen: key in seen and COMPARE[sign](seen[key], which), False)
    ids = {n for n, known in names.items() if known == which} | {5}
    if rng.random() < 0.5:
        return f"{name} in ({which}, 5)", lambda seen: seen.get(name) in ids, False
    return f"{name} != {which}", lambda seen: name in seen and seen[name] not in ids - {5}, False


def glob(pattern):
    """The same as a regular expression of Python's."""
    out, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            out += ".*"
        elif char == "?":
            out += "."
        elif char == "[":
            end = pattern.index("]", at + 1 + (pattern[at] == "!"))
            out += "[" + pattern[at:end].replace("!", "^").replace("[", "\\[") + "]"
            at = end + 1
        else:
            if char == "\\":
                char, at = pattern[at], at + 1
            out += re.escape(char)
    return re.compile(out.encode(), re.S)


def regular(rng, depth=0):
    """A random extended regular expression, and that of Python's that says the same."""
    out = ""
    for _ in range(rng.randrange(1, 4)):
        choice = rng.randrange(9 if depth < 2 else 7)
        atom = ("a", "b", "c", ".", "[ab]", "[^a-b]", "[[:alnum:]]")[choice] if choice < 7 else None
        if choice == 7:
            atom = f"({regular(rng, depth + 1)})"
        elif choice == 8:
            atom = f"({regular(rng, depth + 1)}|{regular(rng, depth + 1)})"
        # Python tries all ways to repeat what can be repeated inside: without end only what is in no group.
        repeats = ("", "", "?", "{2}", "{0,2}") if choice > 6 else ("", "", "?", "{1,2}") if depth else \
            ("", "", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,}")
        out += atom + rng.choice(repeats)
    if depth == 0:
        out = rng.choice(("", "", "^")) + out + rng.choice(("", "", "$"))
    return out


def python_of(pattern):
    return re.compile(pattern.replace("[[:alnum:]]", "[0-9A-Za-z]").replace("$", "\\Z").encode(), re.S)


def text_passes(rng, path, env, container):
    """What may stand behind the name of a text: the text, and whether a string passes."""
    how = rng.randrange(4)
    if how == 0:
        pattern = rng.choice(PATTERNS)
        whole = glob(pattern)

        def passes(data):
            if path and "/" not in pattern:
                data = data.rsplit(b"/", 1)[-1]
            if env and "=" not in pattern:
                data = data.split(b"=", 1)[0]
            return whole.fullmatch(data) is not None
        return f"~{blank(rng)}{text_of(rng, pattern.encode())}", passes
    if how == 1:
        pattern = regular(rng)
        found = python_of(pattern)
        return f"=~{blank(rng)}{text_of(rng, pattern.encode())}", lambda data: found.search(data) is not None
    wanted = rng.sample(STRINGS, rng.randrange(1, 4)) if not container else [rng.choice((ID, ID[:12], "ab" * 6, "ab" * 3)).encode()]

    def equals(data):
        return any((data.split(b"=", 1)[0] if env and b"=" not in one else data[:len(one)] if container and len(one) >= 12 else data) == one
                   for one in wanted)
    if len(wanted) == 1:
        return f"=={blank(rng)}{text_of(rng, wanted[0])}", equals
    return "in (" + ", ".join(text_of(rng, one) for one in wanted) + ")", equals


def text_test(rng, _):
    name = rng.choice(TEXTS + ("cgroup", "container", "argv"))
    place = rng.randrange(-4, 4) if name == "argv" else None

    def get(seen):
        if place is None:
            return exact(seen, name)
        found = items(seen, "argv") or []
        return found[place] if -len(found) <= place < len(found) else None
    shown = name if place is None else f"{name}[{place}]"
    if rng.random() < 0.15:
        value = rng.choice(STRINGS)
        return f"{shown} != {text_of(rng, value)}", lambda seen: get(seen) is not None and get(seen) != value, False
    text, passes = text_passes(rng, name in ("exe", "filename", "interpreter"), False, name == "container")
    return f"{shown} {text}", lambda seen: get(seen) is not None and passes(get(seen)), False


def list_test(rng, _):
    name = rng.choice(LISTS)
    text, passes = text_passes(rng, False, name == "env", False)
    text = text.removeprefix("==").removeprefix("in ").strip()
    if text.startswith("("):
        return list_test(rng, _)
    return f"{name} has {text}", lambda seen: any(passes(item) for item in items(seen, name) or []), False


def time_test(rng, _):
    def show(at):
        how = rng.randrange(5)
        second, ns = divmod(at, 10**9)
        day = f"2026-09-21T{14 + (second - 1789999200) // 3600:02}:{(second - 1789999200) % 3600 // 60:02}:{second % 60:02}.{ns:09}"
        return (f"@{second}.{ns:09}", f"+{at - OFFSET - 1000000}ns", day + "Z", f'"{day.replace("T", " ")}Z"',
                f"{int(day[11:13]) + ZONE // 3600}{day[13:]}")[how]
    pool = [OFFSET + n for n in NUMBERS["ts"][1]]
    if rng.random() < 0.3:
        text, pairs = ranges(rng, pool, show, 2**63)
        return f"time in {text}", lambda seen: any(a <= wall(seen) <= b for a, b in pairs), True
    sign, value = rng.choice(list(COMPARE)), rng.choice(pool)
    return f"time {sign} {show(value)}", lambda seen: COMPARE[sign](wall(seen), value), True


def known_test(rng, carried):
    name = rng.choice(sorted(set(carried) - {"cgroup", "exec_ts"}) + ["exit", "duration", "user", "container", "cgroup"])
    asks = "lost" in carried.get(name, ())

    def known(seen):
        if name in FLAGS + ("kind", "cause", "exit"):
            return number(seen, name, carried) is not None
        return name in seen
    return f"known({blank(rng)}{name})", known, asks


def of_one_type(name):
    """What else a field can be compared with."""
    unit = NUMBERS[name][0] if name in NUMBERS else NS if name == "duration" else PLAIN
    group = {"uid": "user", "euid": "user", "login_uid": "user", "gid": "group", "egid": "group"}
    return group.get(name, unit)


def fields_test(rng, carried):
    """Two fields compared."""
    if rng.random() < 0.5:
        names = [name for name in NUMBERS if isinstance(NUMBERS[name][0], str)] + ["exit", "duration"]
        one = rng.choice(names)
        other = rng.choice([name for name in names if of_one_type(name) == of_one_type(one)])
        sign = rng.choice(list(COMPARE))

        def passes(seen):
            a, b = number(seen, one, carried), number(seen, other, carried)
            return a is not None and b is not None and COMPARE[sign](a, b)
        return f"{one}{blank(rng)}{sign}{blank(rng)}{other}", passes, all("lost" in carried.get(name, ()) for name in (one, other))

    def side():
        name = rng.choice(TEXTS + ("comm", "exe", "user", "login_user", "group", "cgroup", "container", "argv", "argv"))
        if name != "argv":
            return name, lambda seen: exact(seen, name)
        place = rng.randrange(-3, 3)

        def item(seen):
            found = items(seen, "argv") or []
            return found[place] if -len(found) <= place < len(found) else None
        return f"argv[{place}]", item
    (one, get), (other, get_other), sign = side(), side(), rng.choice(("==", "!="))
    return (f"{one} {sign}{blank(rng)}{other}",
            lambda seen: get(seen) is not None and get_other(seen) is not None and COMPARE[sign](get(seen), get_other(seen)), False)


LEAVES = (fields_test, number_test, number_test, flag_test, person_test, text_test, text_test, list_test, time_test, known_test)


# ---- Trees: [what joins, children] or a test; a [not, child] ---------------------------------------

def tree(rng, carried, depth=0):
    how = rng.random()
    if depth < 4 and how < 0.45:
        return [rng.choice(("and", "or")), [tree(rng, carried, depth + 1) for _ in range(rng.randrange(2, 4))]]
    if depth < 5 and how < 0.6:
        return ["not", [tree(rng, carried, depth + 1)]]
    return rng.choice(LEAVES)(rng, carried)


def written(rng, node, outer="or"):
    """outer: what the node stands in, to leave out parentheses where they are not needed."""
    if isinstance(node, tuple):
        return node[0]
    what, children = node
    if what == "not":
        return rng.choice(("!", "! ", "not ", "!!!")) + written(rng, children[0], "not")
    joint = {"and": (" && ", "&&", " and ", "\n&& "), "or": (" || ", "||", " or ", "\tor ")}[what]
    text = ""
    for child in children:
        text += (rng.choice(joint) if text else "") + written(rng, child, what)
    needs = outer == "not" or outer == "and" and what == "or"
    return f"({text})" if needs or rng.random() < 0.2 else text


def outcomes(node, seen):
    """What it can come to: of a lost event, what is asked of other events may be anything."""
    if isinstance(node, tuple):
        return BOTH if seen["kind"] == "lost" and not node[2] else {bool(node[1](seen))}
    what, children = node
    each = [outcomes(child, seen) for child in children]
    if what == "not":
        return {not one for one in each[0]}
    some, every = (False, True) if what == "and" else (True, False)
    found = {some} if any(some in one for one in each) else set()
    return found | {every} if all(every in one for one in each) else found


def names_kinds(text):
    return set(re.findall(r"\b(?:lost|6|0x6|0o6)\b", " ".join(re.findall(r"kind *(?:==|in) *(\([^)]*\)|\S+)", text))))


def random_expressions_are_as_python_says():
    carried = kinds_of_fields()
    rng = random.Random(int(os.environ.get("ET_SEED", "20261121")))
    tried = some = futile = 0
    with lab.workdir() as work:
        for n in range(4):
            path = capture(rng, os.path.join(work, f"{n}.etz"), carried)
            events = lab.replay("-q", path)
            lab.demand(len(events) == 400, f"{len(events)} events")
            for _ in range(60 if lab.SANITIZED else 150):
                node = tree(rng, carried)
                text = written(rng, node)
                expected = [seen for seen in events if True in outcomes(node, seen)]
                done = lab.exectrace("replay", "-q", "--json", "--where", text, path, code=None)
                if done.returncode == 2 and b"no event can match" in done.stderr:
                    lab.equal([seen for seen in expected if seen["kind"] != "lost"], [], f"what matches {text}")
                    futile += 1
                    continue
                lab.equal(done.returncode, 0, f"exit code of {text}, {done.stderr}")
                got = lab.lines(done.stdout)
                lab.equal([seen["ts"] for seen in got], [seen["ts"] for seen in expected], f"times of what {text} chooses of {path}")
                tried += 1
                some += 0 < len(expected) < len(events)
                if not rng.randrange(5) and not names_kinds(text):
                    count = lab.exectrace("replay", "-q", "--count", "--where", text, path).stdout
                    lab.equal(int(count), sum(seen["kind"] != "lost" for seen in expected), f"count of {text}")
                if not rng.randrange(10):
                    made = os.path.join(work, "made.etz")
                    lab.exectrace("slice", "-q", "-f", "--no-ancestors", "-o", made, "--where", text, path)
                    lab.equal([seen["ts"] for seen in lab.replay("-q", made)],
                              [seen["ts"] for seen in events if seen["kind"] == "lost" or True in outcomes(node, seen)], f"slice of {text}")
                    both = lab.replay("-q", "--where", text, "--uid", "0,1000", path)
                    lab.equal([seen["ts"] for seen in both],
                              [seen["ts"] for seen in expected if seen["kind"] == "lost" or seen.get("uid") in (0, 1000)], f"{text} and a user")
        lab.demand(some > tried * 0.6, f"only {some} of {tried} expressions choose some events and not all")
        lab.demand(0 < futile < tried * 0.2, f"{futile} of {tried} that can match nothing")
        print(f"   {tried} expressions, and {futile} that can match nothing")


def another_is_one_condition_more():
    with lab.workdir() as work:
        path = lab.made(work, 200)
        one = lab.replay("-q", "--where", "exit != 0", path)
        middle = one[len(one) // 2]["ts"]
        both = lab.replay("-q", "--where", "exit != 0", "--where", f"ts in ..{middle}", path)
        lab.equal(both, [seen for seen in one if seen["ts"] <= middle], "two expressions")
        lab.demand(0 < len(both) < len(one), "no test")
        summary = lab.exectrace("summary", "-q", "--json", "--where", "exit != 0", path).stdout
        lab.demand(f'"exit":{len(one)}'.encode() in summary.replace(b" ", b""), f"summary says {summary[:300]}")


def kinds_that_are_named_are_shown():
    """replay leaves out processes that ran already, unless they are asked for."""
    with lab.workdir() as work:
        path = os.path.join(work, "x.etz")
        world.write(path, f"segment ts=1 realtime={OFFSET}\nproc ts=1 pid=7 comm=a\nexec ts=2 pid=8 comm=b\nend ts=3 done\n")
        for text, shown in (("pid > 0", "b"), ("kind == proc", "a"), ("kind in (exec, proc)", "ab"), ("kind != exit", "b"), ("!(kind == proc)", "b")):
            out = lab.exectrace("replay", "-q", "--no-header", "--columns", "comm", "--where", text, path).stdout.decode()
            lab.equal("".join(out.split()), shown, f"what {text} shows")


def mistakes_are_shown_where_they_are():
    with lab.workdir() as work:
        path = lab.made(work, 1)
        for text, lines in (
                ("com == 'x'", ["--where: unknown field 'com' (did you mean 'comm'?)", "  com == 'x'", "  ^"]),
                ("exit != 0 && comm == 5", ["--where: 'comm' is text and cannot be compared with 5", "  exit != 0 && comm == 5", "  " + " " * 21 + "^"]),
                ("failed && pid == comm", ["--where: 'pid' is a number and 'comm' text: only fields of one type are compared",
                                           "  failed && pid == comm", "  " + " " * 17 + "^"]),
                ("max_rss > stime", ["--where: 'max_rss' is a size and 'stime' a duration: only fields of one type are compared",
                                     "  max_rss > stime", "  " + " " * 10 + "^"]),
                ("comm == argv", ["--where: 'argv' is a list: compare with an item, as argv[0]", "  comm == argv", "  " + " " * 8 + "^"]),
                ("pid == 5 &&\n\tcomm == \x1b", ["--where: a text in quotes is missing behind ==", "  pid == 5 &&  comm ==  ", "  " + " " * 21 + "^"])):
            for command in ("replay", "summary"):
                done = lab.exectrace(command, "--where", text, path, code=2)
                lab.equal(done.stdout, b"", "standard output")
                lab.equal(done.stderr.decode().split("\n"), [f"exectrace {command}: {line}" for line in lines] + [""], f"what is said of {text!r}")
        never = lab.exectrace("replay", "--where", "exit != 0 && argv has 'x'", path, code=2).stderr
        lab.demand(b"no event can match" in never, f"says {never}")
        deep = lab.exectrace("replay", "--where", "(" * 60000, path, code=2).stderr
        lab.demand(b"deep" in deep and len(deep) < 500, f"says {deep}")


if __name__ == "__main__":
    lab.main(random_expressions_are_as_python_says, another_is_one_condition_more, kinds_that_are_named_are_shown,
             mistakes_are_shown_where_they_are)

"""Strings that a stranger may put into a capture, and captures full of them."""
import random
import unicodedata

import world

ID = "3f4e2d1c0b9a8877665544332211ffeeddccbbaa99887766554433221100abcd"

STRINGS = (
    b"", b" ", b"plain", b"two words", b"'", b"\"", b"\\", b"\\n", b"$HOME `id` $(id)", b"~", b"#x", b"!x", b"a=b", b"=ls", b"-n",
    b"--", b"%s%n%%", b"{a,b}*?[x]", b"a,b;c&d|e<f>(g)", b"\n", b"a\n", b"\n\n", b"x\n\n\n", b"a\nb", b"\r\n", b"\t", b"a\tb\t",
    b"\x1b[31mred\x1b[m", b"\x1b]0;title\x07", b"\x9b31m", b"\xc2\x9b31m", b"\x7f\x08\x08", bytes(range(1, 32)), bytes(range(127, 256)),
    "\u202eevil\u2066".encode(), "\u200b\u2028\u00a0\ufeff".encode(), "\U000e0041".encode(), "caf\u00e9 \u65e5\u672c\u8a9e \U0001f427".encode(),
    b"\xff\xfe", b"\xe2\x82", b"\xed\xa0\x80", b"\xc0\xaf", b"a\xffb\n", "e\u0301".encode(), b"trailing ", b" leading", b"a" * 3000,
)


def quote(data):
    return "".join(f"%{byte:02X}" for byte in data)


def words(items):
    return "".join(quote(item) + "," for item in items)


def unsafe(char):
    """What no output may hold as it is: what Unicode calls no visible character of its own."""
    return unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp") or (unicodedata.category(char) == "Zs" and char != " ")


def width(text):
    """Columns on a terminal, by Python's tables of Unicode."""
    return sum(0 if unicodedata.category(char) in ("Mn", "Me") else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def random_strings(rng, most=6):
    items = []
    for _ in range(rng.randrange(most)):
        if rng.random() < .6:
            items.append(rng.choice(STRINGS))
        else:
            items.append(bytes(rng.choice((rng.randrange(1, 256), 10, 39, 92, 45, 37)) for _ in range(rng.randrange(9))))
    return items


def text(seed=1, events=400):
    """What write_capture takes: events of all kinds whose strings are such, and names too."""
    rng = random.Random(seed)
    some = [item for item in STRINGS if item]
    out = [f"segment ts={world.SECOND} realtime={world.OFFSET}", "host hostname %1B[31mhost", "host utc_offset 3600",
           "user 0 root", f"user 7 {quote(some[20])}", f"user 8 {quote(b'a b,c')}", f"group 7 {quote(some[25])}",
           f"cgroup 5 {quote(b'/system.slice/docker-' + ID.encode() + b'.scope')}",
           f"cgroup 6 {quote(b'/x' + some[24] + b'/docker-' + some[5] + b'.scope')}"]
    ts = world.SECOND
    for _ in range(events):
        ts += rng.choice((0, 1, 999, 10**6, 10**9 + 7, 3600 * 10**9))
        what = rng.choice(("exec", "exec", "exec", "fail", "fork", "exit", "exit", "proc", "lost_row"))
        fields = [f"ts={ts}"]
        if what != "lost_row":
            fields += [f"pid={rng.randrange(1, 1 << 22)}", f"ppid={rng.randrange(1, 500)}", f"uid={rng.choice((0, 7, 8, 99))}",
                       f"comm={quote(rng.choice(some)[:15])}", f"start={ts - rng.randrange(10**8)}"]
            fields += [f"gid={rng.choice((0, 7))}"] * (rng.random() < .8) + [f"cgroup={rng.choice((5, 6, 77))}"] * (rng.random() < .8)
        if what in ("exec", "fail", "proc"):
            fields += [f"argv={words(random_strings(rng))}"] * (rng.random() < .9)
            if rng.random() < .1:
                fields += ["argv_truncated=1", "argc=99", "argv_bytes=12345"]
            if rng.random() < .1:
                fields.append("argv_unreadable=1")
        if what in ("exec", "fail"):
            fields += [f"filename={quote(rng.choice(some))}", f"exec_duration={rng.randrange(10**7)}", f"env={words(random_strings(rng))}"]
        if what in ("exec", "proc"):
            fields += [f"exe={quote(b'/' + rng.choice(some))}", f"cwd={quote(b'/' + rng.choice(some))}", f"tty={quote(rng.choice(some))}",
                       "login_uid=7", f"exe_dev={8 << 20 | 1}", f"exe_memfd={rng.randrange(2)}"]
        if what == "exec":
            fields += [f"exec_ts={ts}"] + [f"interpreter={quote(rng.choice(some))}"] * (rng.random() < .2)
        if what == "fail":
            fields.append(f"errno={rng.choice((2, 13, 999))}")
        if what == "exit":
            fields += rng.choice((["exit_code=0"], [f"exit_code={rng.randrange(256)}"], ["signal=11", "core=1"], ["signal=40"], []))
            fields += [f"utime={rng.randrange(10**10)}", f"stime={rng.randrange(10**6)}", f"max_rss={rng.randrange(1 << 30)}",
                       f"exec_ts={ts - rng.randrange(10**8)}"]
        if what == "lost_row":
            fields += [f"until={ts + 5000}", "cpu=1", f"count={rng.randrange(1, 100)}", f"cause={rng.randrange(1, 9)}"]
        out.append(" ".join([what, *fields]))
    return "\n".join(out) + f"\nend ts={ts + 10**6} done\n"


def capture(path, seed=1, events=400):
    return world.write(path, text(seed, events))

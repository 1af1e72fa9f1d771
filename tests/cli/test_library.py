#!/usr/bin/env python3
"""libexectrace as other programs get it: installed, found, compiled against, run; and what it exports and needs."""
import contextlib
import os
import platform
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import lab  # noqa: E402
import objects  # noqa: E402

CC = os.environ.get("ET_CC", "cc")
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Werror"]
HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLE = os.path.join(HERE, "example_reader.c")
NODE = "EXECTRACE_" + ".".join(lab.cache("CMAKE_PROJECT_VERSION").split(".")[:2])


class Installed:
    """What `cmake --install` of a build puts under a directory."""

    def __init__(self, build, work):
        lab.run(["cmake", "--install", build], env=os.environ | {"DESTDIR": work})
        prefix = lab.cache("CMAKE_INSTALL_PREFIX", build)
        libdir = os.path.join(prefix, lab.cache("CMAKE_INSTALL_LIBDIR", build))
        self.work = work
        self.prefix = work + prefix
        self.libdir = work + libdir
        self.header = work + os.path.join(prefix, lab.cache("CMAKE_INSTALL_INCLUDEDIR", build), "exectrace.h")
        self.shared = os.path.join(self.libdir, "libexectrace.so")
        self.static = os.path.join(self.libdir, "libexectrace.a")
        self.program = os.path.join(work + prefix, "bin", "exectrace")

    def pkg_config(self, *args, sysroot=True):
        env = os.environ | {"PKG_CONFIG_PATH": os.path.join(self.libdir, "pkgconfig")}
        if sysroot:
            env["PKG_CONFIG_SYSROOT_DIR"] = self.work
        return lab.run(["pkg-config", *args, "exectrace"], env=env).stdout.decode().split()

    def env(self):
        return os.environ | {"LD_LIBRARY_PATH": self.libdir}


@contextlib.contextmanager
def installed():
    with lab.workdir() as work:
        yield Installed(lab.BUILD, work)


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


# ---- The example says what replay says ---------------------------------------------


def captures(work):
    """Paths of captures: whole, with losses, not ended, damaged, cut off, and none."""
    for name, args in (("whole", ["3000"]), ("lost", ["3000", "lost"]), ("unclean", ["3000", "unclean"])):
        lab.written(work, name, lab.generated(*args))
    whole = lab.contents(os.path.join(work, "whole"))
    at = len(whole) // 2
    for name, data in (("damaged", whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1:]),
                       ("cut", whole[:at]), ("empty", b""), ("other", b"text\n" * 20)):
        with open(os.path.join(work, name), "wb") as file:
            file.write(data)
    return [os.path.join(work, name) for name in
            ("whole", "lost", "unclean", "damaged", "cut", "empty", "other")]


def unescaped(text):
    return re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), text)


def said(stdout):
    """The lines of the example as (kind, pid, comm, argv)."""
    found = []
    for line in stdout.splitlines():
        kind, pid, comm, *args = line.split(b"\t")
        argv = [unescaped(arg) for arg in args[0].split(b" ")] if args else None
        found.append((kind.decode(), int(pid), unescaped(comm), argv))
    return found


def replayed(path):
    return [(event["kind"], event["pid"], lab.raw(event, "comm"), lab.raw_argv(event))
            for event in lab.replay("--kind", "exec,fail", path, code=None) if event["kind"] != "lost"]


def example_agrees(program, work, env=None):
    for path in captures(work):
        name = os.path.basename(path)
        done = lab.run([program, path], code=None, env=env)
        expected = replayed(path)
        lab.equal(said(done.stdout), expected, f"execs of the {name} capture")
        lab.demand(bool(expected) == (name not in ("empty", "other")), f"{name}: {len(expected)} execs")
        lab.equal(done.returncode, 0 if name == "whole" else 1, f"exit code for the {name} capture")
        lab.equal(done.stderr == b"", name == "whole", f"{name}: whether stderr is empty: {done.stderr!r}")
        lab.demand(name != "lost" or b" 17 events lost" in done.stderr, f"the losses: {done.stderr!r}")
        lab.demand(name != "unclean" or b"not ended" in done.stderr, f"not ended: {done.stderr!r}")
    done = lab.run([program, os.path.join(work, "missing")], code=1, env=env)
    lab.demand(b"missing: No such file" in done.stderr, f"without a file: {done.stderr!r}")


def example_of_the_build():
    with lab.workdir() as work:
        example_agrees(lab.helper("example_reader"), work)


def example_shared():
    with installed() as lib:
        program = os.path.join(lib.work, "example")
        lab.run([CC, *STRICT, "-o", program, EXAMPLE, *lib.pkg_config("--cflags", "--libs")])
        lab.demand("libexectrace.so.0" in objects.needed(program), "the example does not ask for libexectrace.so.0")
        example_agrees(program, lib.work, lib.env())


def example_static():
    """Nothing shared at all, so that the archive's needs are all in exectrace.pc."""
    with installed() as lib:
        program = os.path.join(lib.work, "example")
        lab.run([CC, *STRICT, "-static", "-o", program, EXAMPLE, *lib.pkg_config("--static", "--cflags", "--libs")])
        lab.demand("NEEDED" not in objects.output("readelf", "-d", program), "the example is not static")
        example_agrees(program, lib.work)


def example_by_cmake():
    with installed() as lib:
        project = os.path.join(lib.work, "project")
        os.mkdir(project)
        write(os.path.join(project, "CMakeLists.txt"),
              "cmake_minimum_required(VERSION 3.21)\n"
              "project(example LANGUAGES C)\n"
              "find_package(exectrace 0.1 CONFIG REQUIRED)\n"
              f"add_executable(example {EXAMPLE})\n"
              "target_link_libraries(example PRIVATE exectrace::exectrace)\n")
        build = os.path.join(project, "build")
        lab.run(["cmake", "-S", project, "-B", build, f"-DCMAKE_PREFIX_PATH={lib.prefix}", f"-DCMAKE_C_COMPILER={CC}"])
        lab.run(["cmake", "--build", build])
        example_agrees(os.path.join(build, "example"), lib.work)


CPLUSPLUS = """
#include <exectrace.h>

int main()
{
	et_event ev = et_event();
	uint32_t at = 0;
	et_str item;

	et_set_uint(&ev, ET_F_KIND, ET_EXEC);
	et_set_str(&ev, ET_F_COMM, "ls", 2);
	et_list list = { "a\\0b", 4, 2 };
	while (et_list_next(&list, &at, &item))
		;
	return ET_HAS(&ev, ET_F_COMM) && at == 4 && et_fields[ET_F_COMM].type == ET_STR ? 0 : 1;
}
"""


def header_in_cplusplus():
    compiler = shutil.which("c++") or shutil.which("clang++") or shutil.which("g++")
    if not compiler:
        lab.demand(os.environ.get("CI") != "true", "no C++ compiler")
        print("   no C++ compiler; not checked")
        return
    with installed() as lib:
        source = write(os.path.join(lib.work, "example.cc"), CPLUSPLUS)
        made, program = os.path.join(lib.work, "example.o"), os.path.join(lib.work, "example")
        lab.run([compiler, "-Wall", "-Wextra", "-Werror", "-c", "-o", made, source, *lib.pkg_config("--cflags")])
        # It needs nothing of C++ at run time, whose libraries may not be there.
        lab.run([CC, "-o", program, made, *lib.pkg_config("--libs")])
        lab.run([program], env=lib.env())


# ---- Symbols -----------------------------------------------------------------------


def declared(header):
    """What a header marks ET_API, and what it declares without."""
    text = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
    text = re.sub(r"static inline[^{]*\{.*?\n\}", "", text, flags=re.S)
    marked = set(re.findall(r"\bET_API\b[^;(\[]*?\b(et_\w+)\s*[(\[]", text))
    prototypes = set()
    for statement in re.split(r"[;{}]", text):
        name = re.search(r"\b(et_\w+)\s*\(", statement)
        if name and "typedef" not in statement:
            prototypes.add(name[1])
    return marked, prototypes - marked


def exported(shared):
    """Names in a shared library's symbol table, with their version."""
    found = set()
    for line in objects.output("nm", "-D", "--defined-only", shared).splitlines():
        _, kind, name = line.split()
        if kind != "A":
            found.add(name)
    return found


def unlike(header, found):
    """Names that only one of header and library has, and prototypes without ET_API."""
    marked, bare = declared(header)
    return (marked ^ found) | bare


def exports_are_the_header():
    with installed() as lib:
        header, found = read(lib.header), exported(lib.shared)
        _, archived = objects.symbols(lib.static)
    lab.demand(len(found) > 30, f"too few exports: {found}")
    versions = {name.partition("@@")[2] for name in found}
    lab.equal(versions, {NODE}, "versions of the symbols")
    found = {name.partition("@@")[0] for name in found}
    lab.equal(unlike(header, found), set(), "exports of the shared library that differ from exectrace.h")
    lab.equal(unlike(header, archived), set(), "globals of the archive that differ from exectrace.h")
    # That each difference is noticed.
    lab.equal(unlike(header, found | {"buf_free"}), {"buf_free"}, "with one export too many")
    lab.equal(unlike(header, found - {"et_fields"}), {"et_fields"}, "with one export too few")
    more = header + "ET_API int et_other(const struct et_io *io,\n\tstruct et_error *err);\n"
    lab.equal(unlike(more, found), {"et_other"}, "with one declaration too many")
    bare = header.replace("ET_API void et_reader_close", "void et_reader_close")
    lab.equal(unlike(bare, found), {"et_reader_close"}, "with a declaration that is not exported")


def soname():
    with installed() as lib:
        found = re.findall(r"\(SONAME\).*\[(.*)\]", objects.output("readelf", "-d", lib.shared))
        lab.equal(found, ["libexectrace.so.0"], "soname")
        lab.equal(os.path.realpath(os.path.join(lib.libdir, found[0])), os.path.realpath(lib.shared),
                  "what the soname leads to")


def another_version_is_refused():
    """A program and a library of different 0.x do not run with structs of different sizes."""
    with installed() as lib:
        program, other = os.path.join(lib.work, "example"), os.path.join(lib.work, "other")
        lab.run([CC, *STRICT, "-o", program, EXAMPLE, *lib.pkg_config("--cflags", "--libs")])
        os.mkdir(other)
        marked, _ = declared(read(lib.header))
        source = write(os.path.join(other, "other.c"), "".join(f"void {name}(void) {{}}\n" for name in marked))
        for node, refused in ((NODE, False), ("EXECTRACE_0.9999", True)):
            node_map = write(os.path.join(other, "map"), node + " { global: et_*; local: *; };\n")
            lab.run([CC, "-shared", "-fPIC", "-Wl,-soname,libexectrace.so.0", f"-Wl,--version-script={node_map}",
                     "-o", os.path.join(other, "libexectrace.so.0"), source])
            done = lab.run([program, os.path.join(other, "missing")], code=None,
                           env=os.environ | {"LD_LIBRARY_PATH": other})
            lab.equal(NODE.encode() in done.stderr, refused, f"whether {node} is refused: {done.stderr!r}")
            lab.equal(b"missing: No such file" in done.stderr, not refused, f"whether {node} is run: {done.stderr!r}")


# A library does not speak, does not end or fork the process, leaves signals and what
# else belongs to the whole process alone, starts no thread, and calls nothing that
# keeps state between calls. (Stack protector and fortified copies end a process
# whose memory is broken; that is their purpose.)
FORBIDDEN = re.compile(
    r"_*(v?[fd]?w?printf|f?putw?[cs]|putchar|putwchar|fwrite|perror|psignal|v?(err|warn)x?|error|v?syslog)"
    r"(_unlocked|_chk)?"
    r"|stdout|stderr|stdin"
    r"|_?exit|_Exit|quick_exit|abort|__assert\w*|__stack_smash\w*|raise|kill|_*longjmp(_chk)?|atexit|on_exit"
    r"|_*signal|sigaction|\w*sigprocmask|pthread_sigmask|alarm|setitimer"
    r"|fork|vfork|exec\w+|posix_spawn\w*|system|popen|dlopen|pthread_create"
    r"|setlocale|uselocale|setenv|unsetenv|putenv|chdir|umask|setrlimit(64)?|prctl|set\w*[ug]id"
    r"|getenv|strerror|strtok|strsignal|gmtime|localtime|asctime|ctime|s?rand(om)?|[ls]?rand48|get(pw|gr)\w+|environ")


def forbidden(paths):
    undefined = set()
    for path in paths:
        undefined |= objects.symbols(path)[0]
    return {name for name in undefined if FORBIDDEN.fullmatch(name)}


# Read-only once the dynamic linker is done.
RELOCATED = re.compile(r"\.data\.rel\.ro(\.|$)")


def writable(path):
    """Sections of an object that a program could write to and that are not empty.

    Not by nm: to it, a table of pointers, which is read-only at run time, is data."""
    found = set()
    row = re.compile(r"\]\s+(\S+)\s+\S+\s+[0-9a-f]+\s+[0-9a-f]+\s+([0-9a-f]+)\s+[0-9a-f]+\s+([A-Zlop]+)\s")
    for name, size, flags in row.findall(objects.output("readelf", "-SW", path)):
        if "W" in flags and int(size, 16) and not RELOCATED.match(name):
            found.add(name)
    return found


BAD = """
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
int counter = 1;
static _Thread_local int last;
static void handle(int sig) { last = sig; }
__attribute__((constructor)) static void begin(void) { signal(SIGTERM, handle); }
const char *const names[] = { "a", "b" };
void bad(int n) { printf("%d\\n", n); fprintf(stderr, "%d", n); last += counter++; if (last) exit(n); }
"""


def needs_and_holds_nothing_it_should_not():
    with installed() as lib:
        lab.equal(forbidden([lib.static]), set(), "forbidden calls in the archive")
        lab.equal(writable(lib.static), set(), "writable sections in the archive")
        found = {name.split(".so")[0] for name in
                 re.findall(r"\(NEEDED\).*\[(.*)\]", objects.output("readelf", "-d", lib.shared))}
        found = {name for name in found if not name.startswith("ld-")}
        # libdeflate is optional.
        lab.equal(found - {"libc", "libdeflate"}, {"libzstd", "libz"}, "libraries that it needs")
        bad = os.path.join(lib.work, "bad.o")
        lab.run([CC, "-O1", "-fPIC", "-c", "-o", bad, write(os.path.join(lib.work, "bad.c"), BAD)])
        found = forbidden([bad])
        lab.demand(found >= {"stderr", "exit", "signal"} and len(found) > 4, f"forbidden calls not noticed: {found}")
        found = writable(bad)
        lab.demand({".data", ".tbss"} <= found and ".data.rel.ro.local" not in found and len(found) == 3,
                   f"writable sections not told apart: {found}")


def archive_clashes_with_nobody():
    """A program may have functions of any name that the library uses inside."""
    hidden = sorted(objects.merged(objects.folder("format"))[1])
    with installed() as lib:
        marked, _ = declared(read(lib.header))
        hidden = [name for name in hidden if name not in marked]
        lab.demand("buf_free" in hidden and len(hidden) > 20, f"hidden names: {hidden}")
        clash = write(os.path.join(lib.work, "clash.c"), "#include <stdlib.h>\n" +
                      "".join(f"void {name}(void);\nvoid {name}(void) {{ abort(); }}\n" for name in hidden))
        program = os.path.join(lib.work, "example")
        needs = [word for word in lib.pkg_config("--static", "--cflags", "--libs") if word != "-lexectrace"]
        link = [CC, *STRICT, "-o", program, EXAMPLE, clash]
        lab.run([*link, lib.static, *needs])
        example_agrees(program, lib.work)
        done = lab.run([*link, os.path.join(lab.BUILD, "format", "libexectrace-format.a"), *needs], code=None)
        lab.demand(done.returncode and b"multiple definition" in done.stderr or b"duplicate symbol" in done.stderr,
                   f"no clash with the archive of the build: {done.returncode}")


# ---- As a distribution builds it -----------------------------------------------------


def rpath(program):
    return re.findall(r"\((?:RPATH|RUNPATH)\).*", objects.output("readelf", "-d", program))


def built_for_a_distribution():
    """A prefix of /usr, a library directory per architecture, DESTDIR, and no rpath."""
    arch = platform.machine() + "-linux-gnu"
    with lab.workdir() as work:
        build = os.path.join(work, "build")
        lab.run(["cmake", "-S", lab.SOURCE, "-B", build, "-DCMAKE_INSTALL_PREFIX=/usr", "-DCMAKE_BUILD_TYPE=None",
                 f"-DCMAKE_INSTALL_LIBDIR=lib/{arch}", f"-DCMAKE_C_COMPILER={CC}", "-DCMAKE_C_FLAGS=-O0",
                 "-DBUILD_TESTING=OFF", "-DEXECTRACE_RECORDER=OFF"])
        lab.run(["cmake", "--build", build, "--parallel", "2"], timeout=4 * lab.TIMEOUT)
        lib = Installed(build, os.path.join(work, "root"))
        lab.equal(lib.libdir, os.path.join(work, "root", "usr", "lib", arch), "library directory")
        lab.equal(sorted(os.listdir(lib.libdir)),
                  sorted(["cmake", "libexectrace.a", "libexectrace.so", "libexectrace.so.0",
                          os.path.basename(os.path.realpath(lib.shared)), "pkgconfig"]), "library directory")
        lab.equal(lib.pkg_config("--variable=libdir", sysroot=False), [f"/usr/lib/{arch}"], "libdir")
        lab.equal(lib.pkg_config("--cflags", sysroot=False), [], "flags for what lies where compilers look")
        for path in (lib.program, lib.shared):
            lab.equal(rpath(path), [], f"rpath of {path}")
        with open(os.path.join(lib.libdir, "pkgconfig", "exectrace.pc"), encoding="utf-8") as file:
            lab.demand(work not in file.read(), "exectrace.pc names the build")
        made = os.path.join(work, "example")
        lab.run([CC, "-o", made, EXAMPLE, f"-Wl,-rpath,{lib.libdir}", *lib.pkg_config("--cflags", "--libs")])
        lab.demand(rpath(made), "an rpath is not noticed")
        example_agrees(made, work)


if __name__ == "__main__":
    for tool in ("cmake", "nm", "pkg-config", "readelf"):
        lab.need_tool(tool)
    # A sanitized build has no library to install.
    if lab.SANITIZED:
        lab.main(example_of_the_build)
    lab.main(example_of_the_build, example_shared, example_static, example_by_cmake, header_in_cplusplus,
             exports_are_the_header, soname, another_version_is_refused, needs_and_holds_nothing_it_should_not,
             archive_clashes_with_nobody, built_for_a_distribution)

#!/usr/bin/env python3
"""Checks what compilers and formatters cannot: who includes whom, where a call
may stand, how long things are, what is left over.

usage: tidy.py [--self-test]

Without arguments the tree is checked: one line a finding, exit status 1 when
there is one. With --self-test every rule is proved to be able to fail, with
the cases of tidy_test.py."""

import collections
import os
import pathlib
import re
import stat
import sys

sys.dont_write_bytecode = True

FILE_LINES_MAX = 900
FUNCTION_LINES_MAX = 70
LINE_COLUMNS_MAX = 100

# The folders, and what each may include besides itself.
MAY_INCLUDE = {
    "mem": set(),
    "kernels": {"mem"},
    "sched": {"mem"},
    "engine": {"sched", "kernels", "mem"},
    "abi": {"engine", "sched", "kernels", "mem"},
    "tools": {"abi", "engine", "sched", "kernels", "mem"},
    "node": {"abi"},
    "tests": {"node", "tools", "perf", "abi", "engine", "sched", "kernels", "mem"},
    "perf": {"node", "tools", "tests", "abi", "engine", "sched", "kernels", "mem"},
}
FOLDERS = set(MAY_INCLUDE) | {"models"}

# Where only some headers of another folder may be included.
ONLY_HEADERS = {
    ("kernels", "mem"): {"mem/base.h", "mem/status.h", "mem/assert.h"},
    ("node", "abi"): {"abi/erx.h"},
}

# The one file in which a library's headers may appear.
LIBRARY_FILE = {
    "hwloc": "sched/topo.c",
    "jemalloc": "mem/alloc.c",
    "liburing": "engine/io_uring.c",
}

# The public header must compile anywhere.
PUBLIC_HEADER = "abi/erx.h"
PUBLIC_HEADER_INCLUDES = {"stdint.h", "stdbool.h", "stddef.h"}

INTRINSICS_HEADERS = re.compile(r"^(\w*intrin|arm_neon|arm_sve|cpuid)\.h$")
ISA_FOLDERS = ("kernels/avx2/", "kernels/avx512vnni/", "kernels/amx/", "kernels/neon/")
INTRINSICS_ALLOWED = (*ISA_FOLDERS, "kernels/select.c", "perf/", "tests/")

# Calls that may stand only in some places: a name, where it is banned (prefixes
# of paths; "" is everywhere), where it is allowed all the same.
BannedCall = collections.namedtuple("BannedCall", "names banned allowed")
BANNED_CALLS = (
    BannedCall(
        "malloc calloc realloc reallocarray aligned_alloc posix_memalign strdup strndup "
        "asprintf vasprintf",
        ("mem/", "kernels/", "sched/", "engine/"),
        ("mem/alloc.c",),
    ),
    # Two files besides free the text that jansson and hwloc hand out.
    BannedCall(
        "free",
        ("mem/", "kernels/", "sched/", "engine/"),
        ("mem/alloc.c", "engine/manifest.c", "sched/topo.c"),
    ),
    BannedCall(
        "strcpy strcat stpcpy sprintf vsprintf gets atoi atol atoll atof rand srand random srandom "
        "strtok alloca",
        ("",),
        (),
    ),
    BannedCall("getenv secure_getenv setenv putenv", ("",), ("tests/", "tools/")),
    BannedCall("time gettimeofday", ("",), ()),
    BannedCall(
        "clock_gettime",
        ("",),
        ("sched/clock.c", "node/node_clock.c", "abi/examples/", "tests/", "perf/"),
    ),
    BannedCall("pthread_create", ("",), ("sched/", "node/", "tools/", "tests/", "perf/")),
)

# Folders whose values become state, and the files in them that may hold a
# floating-point number, each with the reason.
INTEGER_FOLDERS = ("mem/", "kernels/", "engine/")
FLOAT_ALLOWED = {}
FLOAT = re.compile(
    r"\b(?:float|double|_Float16|__bf16|__m(?:128|256|512)d?)\b|\b\d+\.\d|<math\.h>"
)

# Spelled in halves, so that this file passes its own check.
LEFTOVER = re.compile(r"\b(?:" + "|".join(("FIX" "ME", "TO" "DO", "XX" "X", "HA" "CK")) + r")\b")
MACHINE_PATH = re.compile(r"(?<![\w.$)}/])/" + r"(?:work|home|root|Users)(?![\w-])")

CODE_SUFFIXES = {".c", ".h", ".py", ".sh", ".js", ".rs"}
TEXT_SUFFIXES = CODE_SUFFIXES | {".md", ".txt", ".build", ".css", ".html", ".toml", ".yml", ".map"}
SKIPPED_FOLDERS = re.compile(r"^(\.git|build.*|__pycache__|target)$")

COMMENT_OR_LITERAL = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL
)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">\n]+)[">]', re.MULTILINE)

Finding = collections.namedtuple("Finding", "path line rule text")


class File:
    """A text file of the tree: its path from the root and its content."""

    def __init__(self, root, path):
        self.path = path
        self.name = path.rsplit("/", 1)[-1]
        self.folder = path.split("/", 1)[0] if "/" in path else ""
        self.suffix = pathlib.PurePath(path).suffix
        content = (root / path).read_bytes()
        self.text = content.decode("utf-8", errors="replace")
        self.lines = self.text.split("\n")
        self.is_executable = bool((root / path).stat().st_mode & stat.S_IXUSR)
        self.is_script = content.startswith(b"#!")
        self.is_c = self.suffix in (".c", ".h")
        self.is_code = self.is_script or self.suffix in CODE_SUFFIXES or self.name == "meson.build"
        self.is_text = self.is_code or self.suffix in TEXT_SUFFIXES
        if self.is_c:
            self.without_comments = blank(self.text, keep_strings=True)
            self.code = blank(self.text, keep_strings=False)

    def includes(self):
        """Pairs of line number and match of every include line."""
        for match in INCLUDE.finditer(self.without_comments):
            yield self.without_comments.count("\n", 0, match.end()) + 1, match

    def is_in(self, prefixes):
        return self.path.startswith(tuple(prefixes))


class Tree:
    """Every file below a root, without what is built or hidden by git."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.files = [File(self.root, path) for path in sorted(self._paths())]
        self.paths = {file.path for file in self.files}
        self.c_files = [file for file in self.files if file.is_c]

    def _paths(self):
        for folder, names, files in os.walk(self.root):
            names[:] = [name for name in names if not SKIPPED_FOLDERS.match(name)]
            for name in files:
                path = pathlib.Path(folder, name)
                if path.is_file() and not path.is_symlink():
                    yield path.relative_to(self.root).as_posix()


def blank(text, keep_strings):
    """The text with comments (and literals) turned to spaces, line for line."""

    def spaces(match):
        if keep_strings and match.group(0)[0] in "\"'":
            return match.group(0)
        return re.sub(r"[^\n]", " ", match.group(0))

    return COMMENT_OR_LITERAL.sub(spaces, text)


def rule_arrows(tree):
    """Folders include only themselves and the folders beneath them."""
    for file in tree.c_files:
        for line, match in file.includes():
            target = match.group(2).split("/", 1)[0]
            if match.group(1) != '"' or target not in MAY_INCLUDE or target == file.folder:
                continue
            if file.folder not in MAY_INCLUDE or target not in MAY_INCLUDE[file.folder]:
                yield file.path, line, f"{file.folder}/ may not include {target}/"
            only = ONLY_HEADERS.get((file.folder, target))
            if only and match.group(2) not in only:
                allowed = ", ".join(sorted(only))
                yield file.path, line, f"of {target}/ {file.folder}/ may include only {allowed}"


def rule_rooted(tree):
    """Project headers are included by their path from the root, in quotes."""
    for file in tree.c_files:
        for line, match in file.includes():
            name = match.group(2)
            if match.group(1) == '"' and name not in tree.paths:
                yield file.path, line, f'"{name}" is no file below the root'
            if match.group(1) == "<" and name in tree.paths:
                yield file.path, line, f'<{name}> is the project\'s own: write "{name}"'


def rule_libraries(tree):
    """The headers of some libraries appear in one file."""
    for file in tree.c_files:
        for line, match in file.includes():
            library = re.split(r"[./]", match.group(2))[0]
            if match.group(1) == "<" and file.path != LIBRARY_FILE.get(library, file.path):
                yield file.path, line, f"{library} belongs in {LIBRARY_FILE[library]} alone"


def rule_intrinsics(tree):
    """Intrinsics stay in the kernels of their instruction set."""
    for file in tree.c_files:
        for line, match in file.includes():
            if INTRINSICS_HEADERS.match(match.group(2)) and not file.is_in(INTRINSICS_ALLOWED):
                yield file.path, line, f"<{match.group(2)}> belongs in kernels/<isa>/"


def rule_public_header(tree):
    """The public header needs nothing else and defines no function."""
    for file in tree.c_files:
        if file.path != PUBLIC_HEADER:
            continue
        for line, match in file.includes():
            if match.group(2) not in PUBLIC_HEADER_INCLUDES:
                yield file.path, line, f"the public header may not include {match.group(2)}"
        for line, text in enumerate(file.code.split("\n"), 1):
            if re.search(r"\binline\b", text):
                yield file.path, line, "the public header may not define functions"


def rule_guards(tree):
    """A header's guard is its path."""
    for file in tree.c_files:
        if file.suffix != ".h":
            continue
        guard = "ERX_" + re.sub(r"\W", "_", file.path).upper()
        directives = [text.split() for text in file.code.split("\n") if text.strip()]
        if directives[:2] != [["#ifndef", guard], ["#define", guard]]:
            yield file.path, 1, f"the guard must be {guard}, before anything else"


def rule_folders(tree):
    """The top level holds the folders of the architecture and no others."""
    for file in tree.files:
        if file.folder and not file.folder.startswith(".") and file.folder not in FOLDERS:
            yield file.path, 1, f"{file.folder}/ is no folder of the architecture"


def rule_unique_names(tree):
    """A file name tells which file is meant."""
    first = {}
    for file in tree.files:
        if file.suffix in (".c", ".h", ".py") and first.setdefault(file.name, file) is not file:
            yield file.path, 1, f"{first[file.name].path} has the same name"


def function_spans(file):
    """Pairs of first and last line of every function, its signature included."""
    lines = file.code.split("\n")
    begin = None
    for number, text in enumerate(lines, 1):
        if text.rstrip() == "{":
            begin = number
            while begin > 1 and re.match(r"[^#}\s].*[^;}\s]\s*$|\s+\S", lines[begin - 2]):
                begin -= 1
        elif text.rstrip() == "}" and begin is not None:
            yield begin, number
            begin = None


def rule_function_length(tree):
    """A function fits on a screen; those of an instruction set may be longer."""
    for file in tree.c_files:
        if file.suffix != ".c" or file.is_in(ISA_FOLDERS):
            continue
        for begin, end in function_spans(file):
            if end - begin + 1 > FUNCTION_LINES_MAX:
                count = end - begin + 1
                yield file.path, begin, f"function of {count} lines, at most {FUNCTION_LINES_MAX}"


def rule_file_length(tree):
    """A file holds one subject."""
    for file in tree.files:
        count = file.text.count("\n")
        if file.is_code and count > FILE_LINES_MAX:
            yield file.path, count, f"file of {count} lines, at most {FILE_LINES_MAX}"


def rule_line_length(tree):
    """Lines of code fit side by side."""
    for file in tree.files:
        if not file.is_code:
            continue
        for line, text in enumerate(file.lines, 1):
            if len(text) > LINE_COLUMNS_MAX:
                yield file.path, line, f"{len(text)} columns, at most {LINE_COLUMNS_MAX}"


def rule_tabs(tree):
    """C is indented with spaces."""
    for file in tree.c_files:
        for line, text in enumerate(file.lines, 1):
            if "\t" in text:
                yield file.path, line, "tab"


def rule_trailing_space(tree):
    """Lines end where their text ends."""
    for file in tree.files:
        if not file.is_text:
            continue
        for line, text in enumerate(file.lines, 1):
            if text != text.rstrip():
                yield file.path, line, "white space at the end of the line"


def rule_final_newline(tree):
    """Files end with one newline."""
    for file in tree.files:
        if file.is_text and file.text and (file.lines[-1] or file.text.endswith("\n\n")):
            yield file.path, len(file.lines), "the file must end with one newline"


def rule_banned_calls(tree):
    """Some calls have one place or none."""
    for banned in BANNED_CALLS:
        names = "|".join(banned.names.split())
        call = re.compile(r"(?<![\w.>])(" + names + r")\s*\(")
        for file in tree.c_files:
            if not file.is_in(banned.banned) or (banned.allowed and file.is_in(banned.allowed)):
                continue
            for line, text in enumerate(file.code.split("\n"), 1):
                for match in call.finditer(text):
                    places = ", ".join(banned.allowed) or "nowhere"
                    yield file.path, line, f"{match.group(1)}() is allowed in: {places}"


def rule_floats(tree):
    """Nothing that reaches state is a floating-point number."""
    for file in tree.c_files:
        if not file.is_in(INTEGER_FOLDERS) or file.path in FLOAT_ALLOWED:
            continue
        for line, text in enumerate(file.code.split("\n"), 1):
            for match in FLOAT.finditer(text):
                yield file.path, line, f"{match.group(0)} where only integers are allowed"


def rule_leftovers(tree):
    """Work that is not done is not noted in the code."""
    for file in tree.files:
        if not file.is_text:
            continue
        for line, text in enumerate(file.lines, 1):
            for match in LEFTOVER.finditer(text):
                yield file.path, line, match.group(0)


def rule_machine_paths(tree):
    """No path of one particular machine."""
    for file in tree.files:
        if not file.is_text:
            continue
        for line, text in enumerate(file.lines, 1):
            for match in MACHINE_PATH.finditer(text):
                yield file.path, line, f"{match.group(0)} exists on one machine only"


def built_words(tree):
    """Quoted words of each meson.build, by the folder that it stands in."""
    words = {}
    for file in tree.files:
        if file.name == "meson.build":
            text = re.sub(r"#[^\n]*", "", file.text)
            words[os.path.dirname(file.path)] = set(re.findall(r"'([^'\n]*)'", text))
    return words


def is_built(path, words):
    """Whether a meson.build above the file names it, also by a bare word from
    which a loop makes the name: 'gang' for test_gang.c."""
    for folder, quoted in words.items():
        if folder and not path.startswith(folder + "/"):
            continue
        name = path[len(folder) + 1 :] if folder else path
        stem = name[: -len(".c")]
        bare = re.sub(r"^(test|fuzz|bench)_", "", stem)
        if quoted & {name, stem, bare}:
            return True
    return False


def rule_dead_files(tree):
    """Every C file is built, every header is included."""
    words = built_words(tree)
    included = {match.group(2) for file in tree.c_files for _, match in file.includes()}
    for file in tree.c_files:
        if file.suffix == ".c" and not is_built(file.path, words):
            yield file.path, 1, "no meson.build names it"
        if file.suffix == ".h" and file.path != PUBLIC_HEADER and file.path not in included:
            yield file.path, 1, "no file includes it"


def rule_executable(tree):
    """Scripts are executable, nothing else is."""
    for file in tree.files:
        if file.is_executable and not file.is_script:
            yield file.path, 1, "executable, but no script"
        if file.is_script and not file.is_executable:
            yield file.path, 1, "a script, but not executable"


PREFIX = "rule_"
RULES = {
    name[len(PREFIX) :]: function
    for name, function in list(globals().items())
    if name.startswith(PREFIX)
}


def check(root):
    """All findings below a root, sorted by place."""
    tree = Tree(root)
    findings = [
        Finding(path, line, name, text)
        for name, rule in RULES.items()
        for path, line, text in rule(tree)
    ]
    return tree, sorted(findings)


def main(arguments):
    if arguments == ["--self-test"]:
        import tidy_test

        return tidy_test.main()
    if arguments:
        print(__doc__, file=sys.stderr)
        return 2
    tree, findings = check(pathlib.Path(__file__).resolve().parent.parent)
    for finding in findings:
        print(f"{finding.path}:{finding.line}: {finding.rule}: {finding.text}")
    print(f"tidy: {len(tree.files)} files, {len(RULES)} rules, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
"""Proves that every rule of tidy.py can fail: each case changes a small clean
tree and says which rule must object, or that none may."""

import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True

import tidy

NO_RULE = None


def header(path, body=""):
    guard = "ERX_" + path.replace("/", "_").replace(".", "_").upper()
    return f"#ifndef {guard}\n#define {guard}\n{body}#endif\n"


def including(*names):
    return "".join(f'#include "{name}"\n' for name in names)


def function_of(lines):
    return "int f(int x)\n{\n" + "    x++;\n" * (lines - 4) + "    return x;\n}\n"


CLEAN_HEADERS = (
    "mem/base.h", "mem/pool.h", "kernels/kernel.h", "kernels/avx2/tile.h", "sched/ring.h",
    "engine/step.h", "abi/layout.h", "tools/command.h", "node/net.h", "perf/bench.h",
    "tests/support/random.h",
)  # fmt: skip

CLEAN = {
    **{path: header(path) for path in CLEAN_HEADERS},
    "abi/erx.h": header("abi/erx.h", "#include <stddef.h>\n#include <stdint.h>\n"),
    # Includes every header, so that none is dead: tests may.
    "tests/test_all.c": including(*CLEAN_HEADERS, "abi/erx.h"),
    "tests/meson.build": "executable('test_all', 'test_all.c')\n",
    "mem/meson.build": "files('code.c', 'alloc.c')\n",
    "kernels/meson.build": "files('code.c', 'select.c')\nsubdir('avx2')\n",
    "kernels/avx2/meson.build": "files('gemm.c')\n",
    "sched/meson.build": "files('topo.c', 'clock.c', 'code.c')\n",
    "engine/meson.build": "files('code.c', 'io_uring.c')\n",
    "abi/meson.build": "files('code.c')\n",
    "node/meson.build": "files('code.c')\n",
    "perf/meson.build": "files('code.c')\n",
    "tools/meson.build": "files('code.c', 'tool.c')\n",
    "run.sh": "#!/bin/sh\ntrue\n",
}

# Where a word would be found in this file itself, it is spelled in halves.
CASES = (
    (NO_RULE, {}),
    ("arrows", {"mem/code.c": including("sched/ring.h")}),
    ("arrows", {"mem/code.c": including("engine/step.h")}),
    ("arrows", {"kernels/code.c": including("sched/ring.h")}),
    ("arrows", {"kernels/code.c": including("mem/pool.h")}),
    ("arrows", {"sched/code.c": including("kernels/kernel.h")}),
    ("arrows", {"engine/code.c": including("abi/erx.h")}),
    ("arrows", {"abi/code.c": including("tools/command.h")}),
    ("arrows", {"node/code.c": including("engine/step.h")}),
    ("arrows", {"node/code.c": including("abi/layout.h")}),
    ("arrows", {"tools/code.c": including("perf/bench.h")}),
    ("arrows", {"tools/code.c": including("tests/support/random.h")}),
    ("arrows", {"engine/code.c": including("node/net.h")}),
    ("arrows", {"mem/code.c": '  #  include "sched/ring.h" // why\n'}),
    (NO_RULE, {"kernels/code.c": including("mem/base.h", "kernels/kernel.h")}),
    (NO_RULE, {"engine/code.c": including("sched/ring.h", "kernels/kernel.h", "mem/pool.h")}),
    (NO_RULE, {"node/code.c": including("abi/erx.h", "node/net.h")}),
    (NO_RULE, {"perf/code.c": including("node/net.h", "tests/support/random.h")}),
    (NO_RULE, {"mem/code.c": '/*\n#include "sched/ring.h"\n*/\n'}),
    ("rooted", {"engine/code.c": including("step.h")}),
    ("rooted", {"engine/code.c": including("../engine/step.h")}),
    ("rooted", {"engine/code.c": "#include <engine/step.h>\n"}),
    ("libraries", {"sched/code.c": "#include <hwloc.h>\n"}),
    ("libraries", {"tests/test_all.c": CLEAN["tests/test_all.c"] + "#include <hwloc/linux.h>\n"}),
    ("libraries", {"mem/code.c": "#include <jemalloc/jemalloc.h>\n"}),
    ("libraries", {"engine/code.c": "#include <liburing.h>\n"}),
    (NO_RULE, {"sched/topo.c": "#include <hwloc.h>\n"}),
    (NO_RULE, {"mem/alloc.c": "#include <jemalloc/jemalloc.h>\n"}),
    (NO_RULE, {"engine/io_uring.c": "#include <liburing.h>\n"}),
    ("intrinsics", {"engine/code.c": "#include <immintrin.h>\n"}),
    ("intrinsics", {"kernels/code.c": "#include <x86intrin.h>\n"}),
    (NO_RULE, {"kernels/avx2/gemm.c": "#include <immintrin.h>\n"}),
    ("public_header", {"abi/erx.h": header("abi/erx.h", including("mem/base.h"))}),
    ("public_header", {"abi/erx.h": header("abi/erx.h", "static inline int f(void);\n")}),
    ("guards", {"mem/base.h": header("mem/pool.h")}),
    ("guards", {"kernels/avx2/tile.h": header("kernels/tile.h")}),
    ("guards", {"mem/base.h": "#pragma once\n"}),
    ("guards", {"mem/base.h": "int x;\n" + header("mem/base.h")}),
    (NO_RULE, {"mem/base.h": "/* What it is. */\n" + header("mem/base.h")}),
    ("folders", {"misc/notes.md": "Notes.\n"}),
    ("unique_names", {"tools/ring.h": header("tools/ring.h"),
                      "tools/code.c": including("tools/ring.h")}),
    (NO_RULE, {"mem/README.md": "Memory.\n", "sched/README.md": "Threads.\n"}),
    ("function_length", {"mem/code.c": function_of(71)}),
    ("function_length", {"mem/code.c": "int\n" + function_of(70)}),
    (NO_RULE, {"mem/code.c": function_of(70)}),
    (NO_RULE, {"mem/code.c": "#define X 1\n/* Why. */\n" + function_of(70) + function_of(70)}),
    (NO_RULE, {"kernels/avx2/gemm.c": function_of(71)}),
    ("file_length", {"mem/code.c": "\n" * 900 + "int x;\n"}),
    (NO_RULE, {"mem/code.c": "\n" * 899 + "int x;\n"}),
    ("line_length", {"mem/code.c": "int " + "x" * 96 + ";\n"}),
    ("line_length", {"run.sh": "#!/bin/sh\n: " + "x" * 99 + "\n"}),
    (NO_RULE, {"mem/code.c": "int " + "x" * 95 + ";\n"}),
    ("tabs", {"mem/code.c": "int\tx;\n"}),
    ("trailing_space", {"mem/code.c": "int x; \n"}),
    ("trailing_space", {"README.md": "Text\r\n"}),
    ("final_newline", {"mem/code.c": "int x;"}),
    ("final_newline", {"mem/code.c": "int x;\n\n"}),
    ("banned_calls", {"engine/code.c": "int f(void)\n{\n    return malloc(1);\n}\n"}),
    ("banned_calls", {"mem/code.c": "x = calloc(1, 2);\n"}),
    ("banned_calls", {"sched/code.c": "x = realloc (y, 2);\n"}),
    ("banned_calls", {"kernels/code.c": "free(x);\n"}),
    ("banned_calls", {"sched/code.c": "free(x);\n"}),
    ("banned_calls", {"sched/topo.c": "malloc(x);\n"}),
    ("banned_calls", {"tools/code.c": "strcpy(x, y);\n"}),
    ("banned_calls", {"tools/code.c": "strcat(x, y);\n"}),
    ("banned_calls", {"perf/code.c": "sprintf(x, y);\n"}),
    ("banned_calls", {"tools/code.c": "gets(x);\n"}),
    ("banned_calls", {"tools/code.c": "atoi(x);\n"}),
    ("banned_calls", {"tools/code.c": "rand();\n"}),
    ("banned_calls", {"tools/code.c": "srand(1);\n"}),
    ("banned_calls", {"tools/code.c": "strtok(x, y);\n"}),
    ("banned_calls", {"engine/code.c": 'getenv("X");\n'}),
    ("banned_calls", {"perf/code.c": 'getenv("X");\n'}),
    ("banned_calls", {"tools/code.c": "time(NULL);\n"}),
    ("banned_calls", {"sched/clock.c": "gettimeofday(x, NULL);\n"}),
    ("banned_calls", {"engine/code.c": "clock_gettime(CLOCK_MONOTONIC, x);\n"}),
    ("banned_calls", {"engine/code.c": "pthread_create(a, b, c, d);\n"}),
    (NO_RULE, {"mem/alloc.c": "malloc(1); free(x);\n", "sched/topo.c": "free(x);\n"}),
    (NO_RULE, {"tools/code.c": 'malloc(1); free(x); getenv("X");\n'}),
    (NO_RULE, {"sched/clock.c": "clock_gettime(CLOCK_MONOTONIC, x);\n"}),
    (NO_RULE, {"mem/code.c": '/* free(x) */ x->free(y); erx_free(y); puts("free(x)");\n'}),
    ("floats", {"engine/code.c": "float x;\n"}),
    ("floats", {"kernels/code.c": "y = (double)x;\n"}),
    ("floats", {"mem/code.c": "x = y * 2.5;\n"}),
    ("floats", {"mem/code.c": "#include <math.h>\n"}),
    ("floats", {"kernels/avx2/gemm.c": "__m256 x;\n"}),
    (NO_RULE, {"kernels/avx2/gemm.c": "/* no float */ __m256i x;\n"}),
    (NO_RULE, {"tools/code.c": "double x;\n"}),
    ("leftovers", {"mem/code.c": "/* TO" "DO: more */\n"}),
    ("leftovers", {"README.md": "FIX" "ME\n"}),
    ("leftovers", {"mem/code.c": "// XX" "X\n"}),
    ("leftovers", {"mem/code.c": "// a HA" "CK\n"}),
    ("machine_paths", {"README.md": "See /wo" "rk/file.\n"}),
    ("machine_paths", {"tools/code.c": 'open("/ho' 'me/me/file");\n'}),
    ("machine_paths", {"run.sh": "#!/bin/sh\ncd /ro" "ot\n"}),
    (NO_RULE, {"run.sh": '#!/bin/sh\ncd "$root/work"\n', "README.md": "and/work /workers\n"}),
    ("dead_files", {"mem/other.c": "int x;\n"}),
    ("dead_files", {"mem/pool.h": header("mem/pool.h"), "mem/other.h": header("mem/other.h")}),
    ("dead_files", {"mem/other.c": "int x;\n", "mem/meson.build": "# 'other.c'\n"}),
    ("dead_files", {"mem/other.c": "int x;\n", "sched/meson.build": "files('other.c')\n"}),
    (NO_RULE, {"tests/test_pool.c": "int x;\n",
               "tests/meson.build": "foreach n : ['all', 'pool']\nendforeach\n"}),
    (NO_RULE, {"mem/other.c": "int x;\n", "mem/meson.build": "files('other.c')\n"}),
)  # fmt: skip

# The rule about modes needs files whose mode differs from their content.
MODE_CASES = (
    ("executable", {"mem/code.c": "int x;\n"}, {"mem/code.c": 0o755}),
    ("executable", {"run.sh": "#!/bin/sh\n"}, {"run.sh": 0o644}),
)


def write_tree(root, files, modes):
    for path, text in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())
        place.chmod(modes.get(path, 0o755 if text.startswith("#!") else 0o644))


def run_case(expected, changes, modes):
    """None where exactly the expected rule objects, otherwise what came instead."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        write_tree(root, {**CLEAN, **changes}, modes)
        _, findings = tidy.check(root)
    objecting = {finding.rule for finding in findings}
    if objecting == ({expected} if expected else set()):
        return None
    return f"expected {expected}, got {sorted(objecting) or None} from {str(changes)[:200]}"


def main():
    cases = [(rule, changes, {}) for rule, changes in CASES] + list(MODE_CASES)
    failures = [text for text in (run_case(*case) for case in cases) if text]
    unproved = set(tidy.RULES) - {rule for rule, _, _ in cases}
    failures += [f"no case makes the rule {rule} fail" for rule in sorted(unproved)]
    for text in failures:
        print(text)
    print(f"{len(cases) + len(unproved) - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

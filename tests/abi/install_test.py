#!/usr/bin/env python3
"""Installs a build into a scratch directory, as a packager does, and uses what
is there, as an embedder does: header, libraries, pkg-config, man pages,
examples, models, command.

usage: install_test.py BUILD_DIR SOURCE_DIR C_COMPILER"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = SOURCE = CC = None

C_WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]

# A fenced block of C in a document.
C_BLOCK = re.compile(r"^```c\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OPTION = re.compile(r"--[a-z][a-z0-9-]*")
DECLARATION = re.compile(r"\bERX_API\b[^;]*?\b(erx_\w+)\(")


def run(*command, **options):
    """Standard output of a command that must succeed."""
    command = [str(word) for word in command]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, **options
    )
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(command)}:\n{result.stdout}{result.stderr}")
    return result.stdout


def declared_functions(header):
    return set(DECLARATION.findall(header.read_text()))


def install(scratch):
    """Installs below a scratch directory, and finds what the tests need of it."""
    root = scratch / "root"
    run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", root)
    (pc,) = root.rglob("erx.pc")
    Installed.scratch = scratch
    Installed.root = root
    Installed.libdir = pc.parent.parent
    Installed.environment = {
        **os.environ,
        "PKG_CONFIG_PATH": str(pc.parent),
        "PKG_CONFIG_SYSROOT_DIR": str(root),
        "LD_LIBRARY_PATH": str(pc.parent.parent),
    }


def setUpModule():
    scratch = tempfile.TemporaryDirectory(prefix="erx-install-")
    unittest.addModuleCleanup(scratch.cleanup)
    install(pathlib.Path(scratch.name))


class Installed(unittest.TestCase):
    """What is installed, found as embedders find it."""

    def find(self, name):
        (path,) = self.root.rglob(name)
        return path

    def pkg_config(self, *options):
        return run("pkg-config", *options, "erx", env=self.environment).split()

    def directory(self, name):
        """A directory that erx.pc names, where it lies in the scratch directory."""
        path = self.pkg_config(f"--variable={name}")[0]
        return pathlib.Path(path) if path.startswith(str(self.root)) else self.root / path[1:]

    def world(self):
        return self.directory("modelsdir") / "world"

    def compile(self, source, *flags, compiler=None):
        program = self.scratch / f"{pathlib.Path(source).name}.program"
        run(compiler or CC, source, "-o", program, *flags, env=self.environment)
        return program

    def run_program(self, program, *arguments):
        return run(program, *arguments, env=self.environment, cwd=self.scratch)


class Files(Installed):
    def test_what_an_embedder_looks_for_is_there(self):
        for name in ("liberx.so", "liberx.a", "erx.1", "erx.3", "two_sessions.c", "machine.rs"):
            self.assertTrue(self.find(name).exists(), name)
        idl = self.directory("idldir") / "world_model.json"
        self.assertEqual(idl.read_text(), (SOURCE / "abi/idl/world_model.json").read_text())
        for document in ("README.md", "ACCOUNTS.md"):
            documents = [path for path in self.root.rglob(document) if path.parent.name == "erx"]
            self.assertEqual(len(documents), 1, document)

    def test_the_command_finds_the_installed_model_good(self):
        erx = self.find("bin/erx")
        models = self.directory("modelsdir")
        self.assertIn("melee-world", self.run_program(erx, "inspect", self.world()))
        self.run_program(erx, "inspect", models / "policy")
        trace = models / "scripted.trace"
        arguments = ("--model", self.world(), "--trace", trace, "--frames", 2, "--hash")
        self.assertRegex(self.run_program(erx, "rollout", *arguments), r"^1 \w{16}\n2 \w{16}\n$")


class Header(Installed):
    def check(self, language, compiler, standard):
        source = self.scratch / f"only_the_header.{language}"
        source.write_text("#include <erx.h>\nint main() { return erx_version() == 0; }\n")
        flags = [*C_WARNINGS, f"-std={standard}", *self.pkg_config("--cflags", "--libs")]
        self.run_program(self.compile(source, *flags, compiler=compiler))

    def test_c99_takes_it(self):
        self.check("c", CC, "c99")

    def test_c11_takes_it(self):
        self.check("c", CC, "c11")

    def test_cpp_takes_it(self):
        if shutil.which("g++") is None:
            self.skipTest("no g++")
        for standard in ("c++11", "c++17", "c++20"):
            self.check("cc", "g++", standard)

    def test_libraries_export_what_it_declares_and_nothing_else(self):
        declared = declared_functions(self.find("erx.h"))
        self.assertGreater(len(declared), 50)
        for library, options in (("liberx.so", ["-D"]), ("liberx.a", ["-g"])):
            lines = run("nm", "--defined-only", *options, self.find(library)).splitlines()
            symbols = {line.split()[2].split("@")[0] for line in lines if len(line.split()) == 3}
            self.assertEqual(symbols - {"ERX_0.1"}, declared, library)

    def test_versions_agree(self):
        numbers = [
            re.search(rf"#define ERX_VERSION_{part} (\d+)", self.find("erx.h").read_text())[1]
            for part in ("MAJOR", "MINOR", "PATCH")
        ]
        self.assertEqual(self.pkg_config("--modversion"), [".".join(numbers)])
        self.assertIn(".".join(numbers), self.run_program(self.find("bin/erx"), "--version"))


class Linking(Installed):
    def check_two_sessions(self, *flags):
        source = self.find("two_sessions.c")
        program = self.compile(source, *C_WARNINGS, "-std=gnu11", *flags)
        lines = self.run_program(program, self.world(), 1).splitlines()
        self.assertEqual(len(lines), 2, "a line a session and second")
        for line in lines:
            self.assertRegex(
                line,
                r"^session \w+ frame 60: players at x -?\d+\.\d and -?\d+\.\d, hash [0-9a-f]{16}$",
            )
        return program, lines

    def test_shared_and_static_do_the_same(self):
        shared, lines = self.check_two_sessions(*self.pkg_config("--cflags", "--libs"))
        self.assertIn("liberx.so", run("ldd", shared, env=self.environment))
        flags = " ".join(self.pkg_config("--static", "--cflags", "--libs"))
        static, static_lines = self.check_two_sessions(
            *flags.replace("-lerx", "-l:liberx.a").split()
        )
        self.assertNotIn("liberx", run("ldd", static, env=self.environment))
        self.assertEqual(lines, static_lines)

    def test_the_shared_library_needs_no_other_development_package(self):
        self.assertEqual(
            self.pkg_config("--libs"), [f"-L{self.libdir}", "-lerx"], "what a shared link takes"
        )

    def test_the_example_is_short(self):
        lines = self.find("two_sessions.c").read_text().splitlines()
        self.assertLess(len(lines), 80)

    def test_the_readme_is_a_program(self):
        blocks = C_BLOCK.findall((SOURCE / "abi" / "README.md").read_text())
        self.assertGreater(len(blocks), 3)
        source = self.scratch / "readme.c"
        source.write_text("\n".join(blocks))
        program = self.compile(
            source, *C_WARNINGS, "-std=gnu11", *self.pkg_config("--cflags", "--libs")
        )
        first = self.run_program(program, self.world(), "play")
        self.assertIn("new data directory", first)
        self.assertIn("recovered", self.run_program(program, self.world(), "play"))

    def test_rust_links_it(self):
        rustc = shutil.which("rustc")
        if rustc is None:
            self.skipTest("no rustc: machine.rs was not built")
        program = self.scratch / "machine"
        run(
            *(rustc, "--edition", "2021", "-D", "warnings", self.find("machine.rs")),
            *("-o", program, "-l", "erx", "-L", self.libdir),
            env=self.environment,
        )
        output = self.run_program(program, self.world())
        self.assertIn("24 x 40 exact for 109 units", output)
        self.assertIn("refused: access violation at 0x3000003e8, 100 bytes", output)
        self.assertIn("with 99 units: budget exhausted", output)
        self.assertIn("session: 120 blocks", output)

    def test_a_program_loads_it_at_run_time(self):
        code = "import ctypes, sys; print(ctypes.CDLL(sys.argv[1]).erx_strerror(0) != 0)"
        environment = {**self.environment, "GLIBC_TUNABLES": "glibc.rtld.optional_static_tls=4096"}
        library = self.libdir / "liberx.so"
        self.assertEqual(run(sys.executable, "-c", code, library, env=environment), "True\n")


class Manual(Installed):
    def pages(self):
        manual = self.find("erx.1").parent.parent
        return [path for path in manual.rglob("erx*") if path.is_file()]

    def text(self, page):
        return run("groff", "-mandoc", "-Tascii", "-P-cbou", "-rLL=200n", page)

    def setUp(self):
        if shutil.which("groff") is None:
            self.skipTest("no groff")

    def test_groff_has_nothing_to_say(self):
        self.assertGreater(len(self.pages()), 15)
        for page in self.pages():
            command = ["groff", "-ww", "-mandoc", "-Tutf8", "-z", str(page)]
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual((result.returncode, result.stderr), (0, ""), page)

    def test_every_function_has_its_page(self):
        manual = self.find("erx.3").parent
        for function in declared_functions(self.find("erx.h")):
            page = manual / f"{function}.3"
            self.assertTrue(page.exists(), f"no page {function}.3")
            text = page.read_text()
            self.assertRegex(text, rf"(?m)^\.Nm {function}\b", f"not in NAME of {page}")
            self.assertRegex(text, rf"(?m)^\.Fo {function}$", f"not in SYNOPSIS of {page}")

    def test_pages_name_no_function_that_is_not_declared(self):
        declared = declared_functions(self.find("erx.h"))
        for page in self.find("erx.3").parent.glob("erx*.3"):
            self.assertTrue(page.stem == "erx" or page.stem in declared, page)
            named = re.findall(r"(?m)^\.(?:Fn|Fo) (erx_\w+)", page.read_text())
            self.assertLessEqual(set(named), declared, page)

    def test_every_option_of_the_command_is_told(self):
        erx = self.find("bin/erx")
        page = self.text(self.find("erx.1"))
        usage = self.run_program(erx, "--help")
        commands = re.findall(r"(?m)^  (\w+)  ", usage)
        self.assertGreater(len(commands), 10)
        for command in commands:
            told = set(OPTION.findall(self.section(page, command)))
            options = self.options_of(erx, command)
            self.assertEqual(told - options, set(), f"erx {command} has no such option")
            self.assertEqual(options - told, set(), f"erx.1 does not tell them of erx {command}")

    def options_of(self, erx, command):
        lines = self.run_program(erx, command, "--help").splitlines()
        begins = "\n".join(line[:28] for line in lines if re.match(r"\s+(-\w, |    )--", line))
        return set(OPTION.findall(begins)) - {"--help", "--usage", "--version"}

    def section(self, page, command):
        """What erx.1 says under the heading of a command."""
        match = re.search(rf"(?ms)^   erx {command}\n(.*?)(?=^   erx \w+\n|^\S)", page)
        self.assertIsNotNone(match, f"erx.1 has no section of erx {command}")
        return match[1]


def main(arguments):
    global BUILD, SOURCE, CC
    if len(arguments) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    BUILD, SOURCE, CC = pathlib.Path(arguments[1]), pathlib.Path(arguments[2]), arguments[3]
    program = unittest.main(argv=arguments[:1], exit=False)
    result = program.result
    failed = len(result.failures) + len(result.errors)
    for _, reason in result.skipped:
        print(f"skipped: {reason}")
    passed = max(0, result.testsRun - failed - len(result.skipped))
    print(f"{passed} passed, {failed} failed, {len(result.skipped)} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))

#!/usr/bin/env python3
"""Runs the built erx binary as a user does and checks exit status, output and
files.

usage: command_line_test.py ERX MODELS_DIR"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ERX = None
MODELS = None


def erx(*arguments, **options):
    return subprocess.run(
        [ERX, *map(str, arguments)], capture_output=True, timeout=120, check=False, **options
    )


class CommandLine(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)

    def run_ok(self, *arguments):
        result = erx(*arguments)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertEqual(result.stderr, b"", "nothing but errors goes to stderr when piped")
        return result.stdout.decode()

    def run_refused(self, status, message, *arguments):
        result = erx(*arguments)
        self.assertEqual(result.returncode, status, result)
        self.assertIn(message, result.stderr.decode())
        self.assertEqual(result.stdout, b"")

    def commands(self):
        lines = self.run_ok("--help").splitlines()
        return [line.split()[0] for line in lines if line.startswith("  ")]


class Dispatch(CommandLine):
    def test_help_lists_commands_and_each_has_help(self):
        commands = self.commands()
        for expected in ("inspect", "luts", "synth", "trace"):
            self.assertIn(expected, commands)
        for command in commands:
            self.assertIn(f"Usage: erx {command} ", self.run_ok(command, "--help"))

    def test_help_of_a_command_may_be_asked_for_in_front(self):
        self.assertEqual(self.run_ok("help"), self.run_ok("--help"))
        self.assertEqual(self.run_ok("help", "trace"), self.run_ok("trace", "--help"))
        self.run_refused(2, "did you mean 'erx trace'?", "help", "trce")

    def test_version(self):
        self.assertRegex(self.run_ok("--version"), r"^erx \d+\.\d+\.\d+\n$")
        self.assertEqual(self.run_ok("trace", "--version"), self.run_ok("--version"))

    def test_no_command_is_a_usage_error(self):
        self.run_refused(2, "Usage: erx COMMAND")

    def test_unknown_command_gets_a_suggestion(self):
        self.run_refused(2, "did you mean 'erx inspect'?", "inspct")
        result = erx("zzzzzz")
        self.assertEqual(result.returncode, 2)
        self.assertNotIn(b"did you mean", result.stderr)

    def test_unknown_options_and_arguments_are_usage_errors(self):
        for command in self.commands():
            self.assertEqual(erx(command, "--no-such-option").returncode, 2, command)

    def test_full_output_is_a_failure(self):
        with open("/dev/full", "wb") as full:
            result = subprocess.run(
                [ERX, "--help"], stdout=full, stderr=subprocess.PIPE, check=False
            )
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"cannot write", result.stderr)


class Trace(CommandLine):
    def test_bundled_trace_is_what_its_command_makes(self):
        out = self.scratch / "scripted.trace"
        self.run_ok("trace", "--games", 32, "--frames", 900, "--seed", 1, "--out", out)
        self.assertEqual(out.read_bytes(), (MODELS / "scripted.trace").read_bytes())

    def test_trace_to_standard_output(self):
        out = self.scratch / "t"
        arguments = ("trace", "--games", 2, "--frames", 5, "--out")
        self.run_ok(*arguments, out)
        self.assertEqual(erx(*arguments, "-").stdout, out.read_bytes())
        self.assertEqual(len(out.read_bytes()), 16 + 2 * 12 + 10 * 16)

    def test_show(self):
        trace = MODELS / "scripted.trace"
        self.assertIn("32 games, 28800 frames", self.run_ok("trace", "--show", trace))
        report = json.loads(self.run_ok("trace", "--show", trace, "--json", "-"))
        self.assertEqual(len(report["games"]), 32)
        self.assertEqual(report["games"][0]["frames"], 900)
        self.assertAlmostEqual(sum(m["share"] for m in report["inputs"]["stick"].values()), 1)

    def test_impossible_options(self):
        out = ("--out", self.scratch / "t")
        self.run_refused(2, "--games: '0' is not a whole number from 1 to 4096",
                         "trace", "--games", 0, *out)
        self.run_refused(2, "--frames: '-1'", "trace", "--frames", -1, *out)
        self.run_refused(2, "--seed: 'x'", "trace", "--seed", "x", *out)
        self.run_refused(2, "say what to do", "trace")
        self.run_refused(2, "exclude each other", "trace", "--show", "a", *out)
        self.run_refused(2, "--json needs --show", "trace", "--json", "a", *out)
        self.assertEqual(list(self.scratch.iterdir()), [])

    def test_broken_trace(self):
        broken = self.scratch / "t"
        broken.write_bytes((MODELS / "scripted.trace").read_bytes()[:-1])
        self.run_refused(1, f"{broken}: size:", "trace", "--show", broken)
        self.run_refused(1, "No such file", "trace", "--show", self.scratch / "absent")


class Luts(CommandLine):
    def test_writes_both_files(self):
        out = self.scratch / "luts"
        self.run_ok("luts", "--out", out)
        self.assertEqual((out / "luts.bin").read_bytes(), (MODELS / "world/luts.bin").read_bytes())
        described = json.loads((out / "luts.json").read_text())
        self.assertEqual([t["offset"] for t in described["luts"]], [0, 256, 512, 768])

    def test_refusals(self):
        self.run_refused(2, "--out is missing", "luts")
        file = self.scratch / "file"
        file.write_text("")
        self.run_refused(1, str(file), "luts", "--out", file)


class Synth(CommandLine):
    def test_makes_a_model_that_inspect_accepts(self):
        out = self.scratch / "model"
        self.assertIn("action changes", self.run_ok("synth", "--preset", "micro", "--out", out))
        report = json.loads(self.run_ok("inspect", out, "--json", "-"))
        self.assertEqual(report["name"], "synth-micro-1")
        self.assertEqual(report["architecture"]["d_model"], 64)
        self.assertEqual(report["provenance"]["seed"], "1")
        self.assertIs(report["provenance"]["health"]["states_differ"], True)
        self.run_refused(1, "is not empty", "synth", "--preset", "micro", "--out", out)

    def test_explicit_sizes(self):
        out = self.scratch / "model"
        self.run_ok("synth", "--d-model", 32, "--d-state", 4, "--layers", 1, "--headdim", 32,
                    "--seed", 18446744073709551615, "--out", out)
        report = json.loads(self.run_ok("inspect", out, "--json", "-"))
        self.assertEqual(report["architecture"]["nheads"], 2)
        self.assertEqual(report["provenance"]["seed"], "18446744073709551615")

    def test_impossible_options(self):
        out = ("--out", self.scratch / "model")
        self.run_refused(2, "--preset: 'huge' is none of micro", "synth", "--preset", "huge", *out)
        self.run_refused(2, "say which shape", "synth", *out)
        self.run_refused(2, "--out is missing", "synth", "--preset", "micro")
        self.run_refused(2, "exclude", "synth", "--preset", "micro", "--layers", 2, *out)
        self.run_refused(2, "d_model: 33", "synth", "--d-model", 33, *out)
        self.run_refused(2, "--layers: '65'", "synth", "--d-model", 64, "--layers", 65, *out)
        self.run_refused(2, "nheads", "synth", "--d-model", 64, "--headdim", 48, *out)
        self.assertEqual(list(self.scratch.iterdir()), [])


class Inspect(CommandLine):
    def test_model(self):
        text = self.run_ok("inspect", MODELS / "world")
        for expected in ("melee-world", "d_model 128", "1126464 bytes", "59520 bytes a session"):
            self.assertIn(expected, text)
        self.assertNotIn("layers.0.Win", text)
        self.assertIn("layers.0.Win ", self.run_ok("inspect", MODELS / "world", "--tensors"))
        manifest = json.loads((MODELS / "world/manifest.json").read_text())
        self.assertIn(manifest["shard_map"]["shards"][0]["sha256"],
                      self.run_ok("inspect", MODELS / "world", "--shards"))

    def test_model_as_json_repeats_the_manifest(self):
        manifest = json.loads((MODELS / "world/manifest.json").read_text())
        report = json.loads(self.run_ok("inspect", MODELS / "world", "--json", "-"))
        for key, value in manifest.items():
            self.assertEqual(report[key], value, key)
        self.assertEqual(report["hidden_state_bytes"], 59520)

    def test_trace(self):
        self.assertIn("32 games", self.run_ok("inspect", MODELS / "scripted.trace"))

    def test_anything_else(self):
        other = self.scratch / "other"
        other.write_text("ERXTRAC")
        self.run_refused(1, "neither a directory nor a trace", "inspect", other)
        self.run_refused(1, "neither", "inspect", "/dev/null")
        self.run_refused(1, "No such file", "inspect", self.scratch / "absent")
        self.run_refused(1, "manifest.json: cannot open", "inspect", self.scratch)
        self.run_refused(2, "PATH is missing", "inspect")
        self.run_refused(2, "one PATH at a time", "inspect", other, other)

    def test_damaged_model_is_refused(self):
        model = self.scratch / "model"
        model.mkdir()
        for name in ("manifest.json", "weights_int8.bin"):
            (model / name).write_bytes((MODELS / "world" / name).read_bytes())
        weights = bytearray((model / "weights_int8.bin").read_bytes())
        weights[1000] ^= 1
        (model / "weights_int8.bin").write_bytes(weights)
        self.run_refused(1, "weights_int8.bin", "inspect", model)


def main():
    global ERX, MODELS
    ERX = sys.argv[1]
    MODELS = pathlib.Path(sys.argv[2])
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    result = unittest.TextTestRunner(stream=sys.stderr).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Checks the figures of `erx cu` against those that were published.

usage: cu_test.py ERX MODELS_DIR"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ERX = None
MODELS = None


def cu(*arguments):
    return subprocess.run(
        [ERX, "cu", *map(str, arguments)], capture_output=True, timeout=60, check=False
    )


class ComputeUnits(unittest.TestCase):
    def shapes(self, *arguments):
        result = cu(*arguments, "--json", "-")
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return {shape["name"]: shape for shape in json.loads(result.stdout)["shapes"]}

    def test_every_preset_is_there(self):
        self.assertEqual(list(self.shapes()), ["micro", "tiny", "small", "target", "wm384"])

    def test_native_figures_of_the_target(self):
        native = self.shapes("target")["target"]["native"]
        self.assertEqual(native["project_call"], 10585)
        self.assertEqual(native["output_call"], 5342)
        self.assertEqual(native["frame"]["matmul"], 191124)
        self.assertEqual(native["frame"]["scan"], 12 * 1024 * 616)
        self.assertEqual(round(native["frame"]["total"] / 1e5), 87)

    def test_bytecode_figures_are_the_published_ones(self):
        shapes = self.shapes()
        for name, scan in {"tiny": 159248, "small": 316432, "target": 630808}.items():
            for way in ("naive", "unsafe", "packed"):
                self.assertEqual(shapes[name][way]["layer"]["scan"], scan)
        for way, tenths in {"naive": 248, "unsafe": 207, "packed": 163}.items():
            self.assertEqual(shapes["target"][way]["project_call"], 2048 * 512 * tenths // 10)
            layer = shapes["target"][way]["layer"]
            self.assertEqual(layer["lookup"], 2112 * (187 if way == "naive" else 129) // 10)

    def test_frames_add_up(self):
        for shape in self.shapes().values():
            for way in ("naive", "unsafe", "packed", "native"):
                layer, frame = shape[way]["layer"], shape[way]["frame"]
                self.assertEqual(layer["matmul"],
                                 shape[way]["project_call"] + shape[way]["output_call"])
                self.assertEqual(frame["total"], layer["total"] * shape["layers"] + 10000)

    def test_prices_of_the_syscall(self):
        shape = self.shapes("target", "--base", "7", "--divisor", "1000")["target"]
        self.assertEqual(shape["native"]["project_call"], 7 + 2048 * 512 // 1000)
        self.assertEqual(shape["packed"]["project_call"], 2048 * 512 * 163 // 10)

    def test_model_directory(self):
        (shape,) = self.shapes(MODELS / "world").values()
        manifest = json.loads((MODELS / "world" / "manifest.json").read_text())
        self.assertEqual(shape["d_model"], manifest["architecture"]["d_model"])

    def test_table_for_people(self):
        text = cu("target").stdout.decode()
        for figure in ("10585", "5342", "191124", "8652964", "call: 2048x512"):
            self.assertIn(figure, text)

    def test_json_file(self):
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch, "units.json")
            result = cu("micro", "--json", path)
            self.assertEqual((result.returncode, result.stdout), (0, b""))
            self.assertEqual(json.loads(path.read_text())["table"]["matmul_base"], 100)

    def test_mistakes_are_explained(self):
        for status, message, arguments in (
            (1, "'targte' is no preset", ["targte"]),
            (2, "one MODEL at a time", ["micro", "tiny"]),
            (2, "--divisor", ["--divisor", "0"]),
        ):
            result = cu(*arguments)
            self.assertEqual(result.returncode, status)
            self.assertIn(message, result.stderr.decode())


if __name__ == "__main__":
    ERX, MODELS = sys.argv.pop(1), pathlib.Path(sys.argv.pop(1))
    unittest.main()

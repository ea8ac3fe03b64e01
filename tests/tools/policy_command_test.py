#!/usr/bin/env python3
"""Plays with the bundled policy as a user does: rollouts, load, recovery.

usage: policy_command_test.py ERX MODELS_DIR"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ERX = None
MODELS = None


class Policy(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        self.policy = MODELS / "policy"
        self.play = ("--model", MODELS / "world", "--trace", MODELS / "scripted.trace")

    def erx(self, *arguments):
        return subprocess.run([ERX, *map(str, arguments)], capture_output=True, text=True,
                              timeout=240, check=False)

    def run_ok(self, *arguments):
        result = self.erx(*arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def run_refused(self, status, message, *arguments):
        result = self.erx(*arguments)
        self.assertEqual(result.returncode, status, result)
        self.assertIn(message, result.stderr)

    def rollout(self, *arguments):
        return self.run_ok("rollout", *self.play, "--frames", 120, "--hash", *arguments)

    def test_rollout_is_the_same_on_every_kernel_and_in_any_company(self):
        bots = ("--bots", f"policy:{self.policy}", "--game", 3)
        hashes = self.rollout(*bots)
        self.assertEqual(self.rollout(*bots, "--isa", "scalar"), hashes)
        self.assertEqual(self.rollout(*bots, "--sessions", 5), hashes)
        self.assertNotEqual(self.rollout(*bots, "--seed", 2), hashes)
        self.assertNotEqual(self.rollout("--game", 3), hashes)

    def test_each_seat_has_its_own_player(self):
        traced = self.rollout()
        self.assertEqual(self.rollout("--p0", "trace", "--p1", "trace"), traced)
        first = self.rollout("--p0", f"steady:{self.policy}")
        second = self.rollout("--p1", f"steady:{self.policy}", "--p0", "script")
        self.assertEqual(len({traced, first, second}), 3)

    def test_load_journals_what_bots_press(self):
        data, figures = self.scratch / "data", self.scratch / "figures.json"
        text = self.run_ok("load", *self.play, "--bots", f"policy:{self.policy}", "--sessions", 6,
                           "--frames", 90, "--fps", 0, "--round", 40, "--data", data,
                           "--journal-bytes", 4 << 20, "--json", figures)
        self.assertIn("player 2    policy melee-policy", text)
        again = self.run_ok("load", *self.play, "--bots", f"policy:{self.policy}", "--sessions", 6,
                            "--frames", 90, "--fps", 0, "--round", 40, "--workers", 1)
        self.assertIn(json.loads(figures.read_text())["state_hash"], again)
        # Re-execution knows no policy: the inputs are in the journal.
        self.assertIn("every hash agrees", self.run_ok("verify", "--data", data))

    def test_inspect(self):
        text = self.run_ok("inspect", self.policy)
        for expected in ("melee-policy", "10 frames, layers of 256 and 128 units"):
            self.assertIn(expected, text)
        self.assertIn("Wd_m", self.run_ok("inspect", self.policy, "--tensors"))
        report = json.loads(self.run_ok("inspect", self.policy, "--json", "-"))
        manifest = json.loads((self.policy / "manifest.json").read_text())
        for key, value in manifest.items():
            self.assertEqual(report[key], value, key)

    def test_refusals(self):
        self.run_refused(2, "--p0: 'bot' is none of trace, script, policy:DIR, steady:DIR",
                         "rollout", *self.play, "--p0", "bot")
        self.run_refused(1, "absent/manifest.json: cannot open", "rollout", *self.play, "--p1",
                         f"policy:{self.scratch}/absent")
        self.run_refused(1, 'format: must be "erx_policy_v1"', "load", *self.play, "--bots",
                         f"policy:{MODELS / 'world'}")
        self.run_refused(1, "erx_model_v1", "rollout", "--model", self.policy, *self.play[2:])
        self.run_refused(2, "--data is missing", "imitate", "--out", self.scratch / "x")
        self.run_refused(1, "No such file", "imitate", "--data", self.scratch / "absent", "--out",
                         self.scratch / "x")


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

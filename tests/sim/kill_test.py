#!/usr/bin/env python3
"""Kills `erx load` as kill -9 does, again and again, and continues with
--resume: in the end the state must be that of a run that nobody disturbed, and
nothing that was confirmed may be lost.

usage: kill_test.py ERX MODEL TRACE [--kills N] [--seed S]"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("erx")
    parser.add_argument("model")
    parser.add_argument("trace")
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--frames", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


class Runs:
    """One load, which is run undisturbed and disturbed."""

    def __init__(self, given, folder):
        self.folder = folder
        self.command = [given.erx, "load", "--model", given.model, "--trace", given.trace]
        self.command += ["--sessions", "24", "--round", "90", "--seed", str(given.seed)]
        self.command += ["--frames", str(given.frames)]

    def undisturbed(self):
        figures = self.folder / "undisturbed.json"
        subprocess.run(self.command + ["--fps", "0", "--json", figures], check=True,
                       stdout=subprocess.DEVNULL)
        return json.loads(figures.read_text())["state_hash"]

    def start(self, fps):
        """Starts, or continues, the durable run."""
        data = ["--data", self.folder / "data", "--resume", "--checkpoint-frames", "40"]
        data += ["--journal-bytes", str(1 << 20), "--json", self.folder / "figures.json"]
        return subprocess.Popen(self.command + data + ["--fps", fps], stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True)

    def kill_after(self, seconds):
        """True where the run was over before."""
        run = self.start("200")
        try:
            run.wait(seconds)
        except subprocess.TimeoutExpired:
            run.kill()
        _, messages = run.communicate()
        if run.returncode not in (0, -9):
            sys.exit(f"exit status {run.returncode}: {messages}")
        return run.returncode == 0

    def finish(self):
        run = self.start("0")
        _, messages = run.communicate()
        if run.returncode != 0:
            sys.exit(f"exit status {run.returncode}: {messages}")
        return json.loads((self.folder / "figures.json").read_text())


def main():
    given = options()
    randoms = random.Random(given.seed)
    with tempfile.TemporaryDirectory(dir=".") as folder:
        runs = Runs(given, pathlib.Path(folder))
        expected = runs.undisturbed()
        begin = time.monotonic()
        for _ in range(given.kills):
            if runs.kill_after(randoms.uniform(0.0, 0.5)):
                break
        figures = runs.finish()
        if figures["state_hash"] != expected:
            sys.exit(f"FAILED: state {figures['state_hash']} and not {expected}, seed {given.seed}")
        if figures["confirmed_block"] != given.frames:
            sys.exit(f"FAILED: confirmed {figures['confirmed_block']} of {given.frames} blocks")
        print(f"{given.kills} kills in {time.monotonic() - begin:.1f} s: {expected}")


main()

#!/usr/bin/env python3
"""Runs the test suites of a build directory and closes with one line that
counts the single cases:

    N passed, N failed, N skipped

usage: run.py BUILD_DIR [MESON TEST ARGUMENT...]

A test program that reports its cases (Check's line "100%: Checks: 5, ..." or a
line of the form above) counts with these; any other counts as one case."""

import json
import pathlib
import re
import subprocess
import sys

CHECK_LINE = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)$", re.MULTILINE)
OWN_LINE = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.MULTILINE)


def count_cases(record):
    """Passed, failed and skipped cases of one record of meson's log."""
    output = record.get("stdout", "")
    passed = failed = skipped = 0
    for checks, failures, errors in CHECK_LINE.findall(output):
        passed += int(checks) - int(failures) - int(errors)
        failed += int(failures) + int(errors)
    for own_passed, own_failed, own_skipped in OWN_LINE.findall(output):
        passed += int(own_passed)
        failed += int(own_failed)
        skipped += int(own_skipped or 0)
    if record["result"] == "SKIP":
        skipped = max(skipped, 1)
    elif record["result"] not in ("OK", "EXPECTEDFAIL"):
        failed = max(failed, 1)
    elif passed + failed + skipped == 0:
        passed = 1
    return passed, failed, skipped


def main(arguments):
    if not arguments or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    build = pathlib.Path(arguments[0])
    log = build / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    command = ["meson", "test", "-C", str(build), "--no-rebuild", "--print-errorlogs"]
    status = subprocess.run([*command, *arguments[1:]], check=False).returncode

    records = []
    if log.exists():
        records = [json.loads(line) for line in log.read_text().splitlines() if line]
    passed, failed, skipped = (sum(column) for column in zip((0, 0, 0), *map(count_cases, records)))
    for record in records:
        if record["result"] == "SKIP":
            reason = (record.get("stdout", "").strip() or "no reason given").splitlines()[-1]
            print(f"skipped {record['name']}: {reason}")
    if not records:
        print("run.py: no test ran", file=sys.stderr)
        status = status or 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if status or failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

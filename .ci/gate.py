#!/usr/bin/env python3
"""Judges a conformance report: .ci/gate.py REPORT GATE LABEL

GATE lists the tests that must pass, one pytest node id a line; `#` starts a comment. Prints what failed and why, and
as its last line `PASSED FAILED`, the counts of the listed tests. Tests outside the list are counted but not judged.
"""

import json
import sys
from pathlib import Path


def gated(path):
    lines = (line.strip() for line in path.read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def main():
    report, gate, label = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    wanted = gated(gate)
    doubled = {name for name in wanted if wanted.count(name) > 1}
    if doubled:
        print(f"{label}: listed twice: {', '.join(sorted(doubled))}")
    tests = json.loads(report.read_text())["tests"] if report.exists() else {}

    passed = 0
    for name in wanted:
        entry = tests.get(name)
        if entry and entry["outcome"] == "passed":
            passed += 1
        else:
            reason = (entry["detail"] or entry["outcome"] or "did not run") if entry else "there is no such test in the report"
            print(f"{label}: FAILED {name}: {' '.join(str(reason).split())[:300]}")

    beyond = sorted(name for name, entry in tests.items() if entry["outcome"] == "passed" and name not in wanted)
    total = sum(entry["outcome"] == "passed" for entry in tests.values())
    print(f"{label}: {total} of {len(tests)} tests of the suite pass; {passed} of the {len(wanted)} in the gate do")
    for name in beyond:
        print(f"{label}: passes without being in the gate: {name}")
    failed = len(wanted) - passed + len(doubled)
    # No report and an empty gate must not look like success.
    if not tests:
        failed = max(failed, 1)
    print(passed, failed)


main()

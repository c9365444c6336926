"""Every case of `cases.toml` that needs no sandbox, in the Python that runs the tests."""

import io
import json
import os
import sys
import tomllib
import unittest
from pathlib import Path

import fake_host
import prepare

from mneme_runtime import homes, loading, loop, processes, program, threads, toolkits

for part in (homes, loading, loop, processes, threads, toolkits):
    part.install()
CASES = tomllib.loads((Path(__file__).parent / "cases.toml").read_text("utf-8"))["case"]


def _outcome(case):
    call = None
    if "function" in case:
        call = program.Call(case["function"], json.dumps(case.get("arguments", {})))
    state = json.dumps(case["agent-state"]) if "agent-state" in case else None
    fake_host.blocks.clear()
    fake_host.blocks.update(case.get("blocks", {}))
    fake_host.writes.clear()
    before = sys.stdout, sys.stderr, dict(os.environ), sys.argv, sys.modules["__main__"]
    written = io.BytesIO()
    stream = sys.stdout = sys.stderr = io.TextIOWrapper(written, "utf-8")
    try:
        done = program.run(
            program.Program(case["source"], case.get("filename", "tool.py"), call, case.get("environment", {}), state)
        )
        stream.flush()
    finally:
        sys.stdout, sys.stderr = before[:2]
        os.environ.clear()
        os.environ.update(before[2])
        sys.argv, sys.modules["__main__"] = before[3:]
    return done, written.getvalue().decode()


def _seen(done, stdout):
    seen = {"stdout": stdout, "displays": [f"{kind}: {data.decode()}" for kind, data in done.displays]}
    if done.invalid is not None:
        seen["invalid"] = done.invalid
    elif done.raised is not None:
        seen["error"], seen["message"], seen["traceback"] = done.raised
    elif done.value is None:
        seen["none"] = True
    else:
        seen["text"] = done.value.text
        if done.value.json is not None:
            seen["json"] = json.loads(done.value.json)
    if fake_host.writes:
        seen["writes"] = dict(fake_host.writes)
    return seen


class Cases(unittest.TestCase):
    """One test, a sub-test for each case."""

    maxDiff = None

    def test_cases(self):
        """What the case expects is what comes."""
        ran = 0
        for case in CASES:
            if case.get("needs") == "http" or case.get("only") == "sandbox":
                continue
            if case.get("uses") == "baked" and not prepare.BAKED:
                continue
            ran += 1
            with self.subTest(case["name"]):
                seen = _seen(*_outcome(case))
                for key, expected in case.get("expect", {}).items():
                    if key.endswith("-contains"):
                        for part in [expected] if isinstance(expected, str) else expected:
                            self.assertIn(part, seen.get(key.removesuffix("-contains"), seen))
                    else:
                        self.assertEqual(seen.get(key, seen), expected, key)
        self.assertGreater(ran, 30)


if __name__ == "__main__":
    unittest.main()

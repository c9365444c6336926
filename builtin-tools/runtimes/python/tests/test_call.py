"""Arguments that the cases cannot write down."""

import unittest
from typing import List, Optional

import prepare  # noqa: F401

from mneme_runtime import call


def tool(needed: int, count: int = 5, names: List[str] = ("a",), label: Optional[str] = "x", plain=1):
    """A tool."""
    return [needed, count, names, label, plain]


class Nulls(unittest.TestCase):
    """What models write for what they leave out."""

    def test_null_is_the_default_where_it_is_no_value(self):
        """And itself where it is one."""
        given = '{"needed": 1, "count": null, "names": null, "label": null, "plain": null}'
        self.assertEqual(call.call({"tool": tool}, "tool", given, None), [1, 5, ("a",), None, None])

    def test_null_for_what_is_needed_does_not_fit(self):
        """There is no default for it."""
        with self.assertRaisesRegex(call.InvalidArguments, "needed: must be an integer"):
            call.call({"tool": tool}, "tool", '{"needed": null}', None)


if __name__ == "__main__":
    unittest.main()

"""README.md names tests that exist, and has every nasty case by its number."""

import glob
import os
import re
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))


class Readme(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(HERE, "README.md"), encoding="utf-8") as f:
            self.text = f.read()

    def test_every_test_named_is_there(self):
        there = set()
        for path in glob.glob(os.path.join(HERE, "*_test.py")):
            with open(path, encoding="utf-8") as f:
                there |= set(re.findall(r"def (test_\w+)", f.read()))
        named = set(re.findall(r"\btest_\w+", self.text))
        self.assertGreater(len(named), 100)
        self.assertEqual(named - there, set())

    def test_nasty_cases_are_numbered_without_a_gap(self):
        numbers = [int(n) for n in re.findall(r"^\| (\d+) \|", self.text, re.MULTILINE)]
        self.assertEqual(numbers, list(range(1, 83)))


if __name__ == "__main__":
    unittest.main(verbosity=2)

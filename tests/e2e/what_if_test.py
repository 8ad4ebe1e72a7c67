"""A recording is exported from a running server and replayed under other rules."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from muster_fixture import BINARY, Muster, wait_until  # noqa: E402

PLAYERS = 40


def definition(distance):
    return json.dumps({
        "name": "duel", "ticketTimeoutSeconds": 60, "tickMs": 10,
        "ruleset": {
            "ruleLanguageVersion": "1.0",
            "playerAttributes": [{"name": "skill", "type": "number"},
                                 {"name": "foes", "type": "string_list", "default": []}],
            "teams": [{"name": "red", "minPlayers": 1, "maxPlayers": 1},
                      {"name": "blue", "minPlayers": 1, "maxPlayers": 1}],
            "rules": [{"name": "Close", "type": "batchDistance", "batchAttribute": "skill",
                       "maxDistance": distance}],
            "muster": {"avoid": {"attribute": "foes"}}}})


def sim(*words, timeout=60):
    return subprocess.run([BINARY, "sim", *words], capture_output=True, text=True, timeout=timeout)


class WhatIf(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="muster-what-if-")
        cls.muster = Muster(queues=None)
        cls.muster.cli("queue", "put", "-", stdin=definition(50), check=True)
        for i in range(PLAYERS):
            ticket = {"queues": ["duel"], "players": [
                {"playerId": f"person{i}", "attributes": {"skill": 1000 + 40 * (i // 2),
                                                          "foes": ["person1", "nobody"]}}]}
            cls.muster.cli("ticket", "create", "-", stdin=json.dumps(ticket), check=True)
        wait_until("most are matched", lambda: len(cls.matches()) >= PLAYERS // 2 - 2)
        cls.recording = os.path.join(cls.folder.name, "recording.jsonl")
        cls.export = cls.muster.cli("events", "--export", cls.recording)

    @classmethod
    def matches(cls):
        return cls.muster.cli("match", "list").stdout.splitlines()

    @classmethod
    def tearDownClass(cls):
        cls.muster.close()
        cls.folder.cleanup()

    def rules(self, distance):
        path = os.path.join(self.folder.name, f"rules-{distance}.json")
        with open(path, "w", encoding="utf-8") as f:
            f.write(definition(distance))
        return path

    def test_an_export_names_nobody(self):
        self.assertEqual(self.export.returncode, 0, self.export.stderr)
        with open(self.recording, encoding="utf-8") as f:
            text = f.read()
        self.assertNotIn("person", text)
        self.assertNotIn("nobody", text)
        events = [json.loads(line) for line in text.splitlines()]
        self.assertEqual(events[0]["type"], "QUEUE_UPDATED")
        queued = [e["ticket"]["players"][0] for e in events if e["type"] == "TICKET_QUEUED"]
        self.assertEqual(len({p["playerId"] for p in queued}), PLAYERS)
        # Whom they avoid is still the same somebody.
        self.assertEqual({p["attributes"]["foes"][0] for p in queued}, {queued[1]["playerId"]})

    def test_the_same_rules_replay_to_the_same_numbers(self):
        done = sim("--journal", self.recording, "--ruleset", self.rules(50), "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["replayed"], report["newRules"])
        for row in report["change"].values():
            self.assertEqual((row["value"], row["low"], row["high"]), (0, 0, 0))
        self.assertAlmostEqual(report["recorded"]["mismatch"], report["replayed"]["mismatch"],
                               delta=40)
        self.assertEqual(report["newRules"]["invalid"], 0)

    def test_stricter_rules_leave_more_waiting_and_make_closer_matches(self):
        done = sim("--journal", self.recording, "--ruleset", self.rules(1), "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["newRules"]["mismatch"], 0)
        self.assertGreaterEqual(report["newRules"]["unmatchedPercent"],
                                report["replayed"]["unmatchedPercent"])
        table = sim("--journal", self.recording, "--ruleset", self.rules(1))
        self.assertIn("change (95 % interval)", table.stdout)

    def test_a_server_is_asked_by_its_address(self):
        done = sim("--journal", self.muster.api, "--ruleset", self.rules(50), "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(json.loads(done.stdout)["tickets"], 0)

    def test_recorded_arrivals_are_played_to_every_matcher(self):
        done = sim("--journal", self.recording, "--matcher", "all", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        runs = json.loads(done.stdout)["runs"]
        self.assertEqual(len({run["matcher"] for run in runs}), 6)
        self.assertEqual(len({run["tickets"] for run in runs}), 1)
        self.assertEqual([run["invalid"] for run in runs], [0] * 6)

    def test_what_is_wrong_is_said(self):
        done = sim("--ruleset", self.rules(50))
        self.assertEqual(done.returncode, 2)
        done = sim("--journal", self.recording, "--ruleset", self.rules(50), "--journal-queue", "x")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no ticket", done.stderr)
        broken = os.path.join(self.folder.name, "broken.jsonl")
        with open(broken, "w", encoding="utf-8") as f:
            f.write('{"type":"TICKET_QUEUED"}\n{"typo":1}\n')
        done = sim("--journal", broken, "--ruleset", self.rules(50))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("line 1", done.stderr)


class Simulate(unittest.TestCase):
    def test_a_run_is_the_same_each_time_and_draws_its_chart(self):
        with tempfile.TemporaryDirectory() as folder:
            words = ["W1", "--duration", "20", "--seed", "9", "--json", "--svg", folder]
            first, second = sim(*words), sim(*words)
            self.assertEqual(first.returncode, 0, first.stderr)
            self.assertEqual(json.loads(first.stdout)["runs"][0]["hash"],
                             json.loads(second.stdout)["runs"][0]["hash"])
            self.assertEqual(os.listdir(folder), ["waits-W1-muster.svg"])

    def test_help_lists_workloads_and_matchers(self):
        done = sim("--help")
        self.assertEqual(done.returncode, 0)
        for word in ("W5t", "open-match", "--compare", "--journal"):
            self.assertIn(word, done.stdout)

    def test_wrong_words_are_usage_errors(self):
        for words in ([], ["W99"], ["W1", "--rate", "fast"], ["W1", "--matcher", "x"]):
            done = sim(*words)
            self.assertEqual(done.returncode, 2, words)


if __name__ == "__main__":
    unittest.main()

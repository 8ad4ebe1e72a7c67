#!/usr/bin/env python3
"""What stands in deploy/ is what its tools accept, and says what the binary says."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import urllib.request

import jsonschema
import kubernetes_validate
import yaml

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from activity import Activity  # noqa: E402
from muster_fixture import BINARY, ROOT, Muster, wait_until  # noqa: E402

DEPLOY = os.path.join(ROOT, "deploy")


def read(*names):
    with open(os.path.join(DEPLOY, *names), encoding="utf-8") as f:
        return f.read()


def run(*words, **options):
    return subprocess.run(words, capture_output=True, text=True, timeout=120, **options)


def metric_names():
    """Every name that a /metrics page can have, with the suffixes of histograms."""
    names = set(re.findall(r"\bprocess_\w+", read("..", "src", "monitor", "process.c")))
    table = read("REFERENCE.md").split("## Metrics")[1]
    for name, kind in re.findall(r"^\| `(muster_\w+)` \| (\w+)", table, re.MULTILINE):
        names.add(name)
        if kind == "histogram":
            names |= {name + suffix for suffix in ("_bucket", "_sum", "_count")}
    return names


def asked_metrics(text):
    return set(re.findall(r"\b((?:muster|process)_\w+)", text))


class Documents(unittest.TestCase):
    def test_the_reference_is_what_the_binary_prints(self):
        done = run(BINARY, "serve", "--print-reference")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, read("REFERENCE.md"),
                         "muster serve --print-reference > deploy/REFERENCE.md")

    def test_the_sample_configuration_has_every_option(self):
        table = read("REFERENCE.md").split("## Metrics")[0]
        options = re.findall(r"^\| `([\w-]+)` \| (?!flag only)", table, re.MULTILINE)
        sample = re.findall(r"^([\w-]+) =", read("muster.conf"), re.MULTILINE)
        self.assertEqual([o for o in options if o not in ("config", "seed") and o not in sample], [])

    def test_every_alert_has_a_page_in_the_runbook_and_the_other_way_round(self):
        alerts = re.findall(r"alert: (\w+)", read("prometheus", "alerts.yml"))
        pages = re.findall(r"^## (Muster\w+)$", read("RUNBOOK.md"), re.MULTILINE)
        self.assertEqual(sorted(alerts), sorted(pages))
        for alert in alerts:
            self.assertIn(f"deploy/RUNBOOK.md#{alert.lower()}", read("prometheus", "alerts.yml"))

    def test_alerts_and_dashboard_and_runbook_ask_for_metrics_that_exist(self):
        known = metric_names()
        self.assertIn("muster_queue_wait_seconds_bucket", known)
        for names in (("prometheus", "alerts.yml"), ("grafana", "muster.json"), ("RUNBOOK.md",)):
            self.assertEqual(asked_metrics(read(*names)) - known, set(), names)


class Prometheus(unittest.TestCase):
    def test_promtool_accepts_rules_and_configuration(self):
        done = run("promtool", "check", "config", "prometheus.yml",
                   cwd=os.path.join(DEPLOY, "prometheus"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_alerts_fire_on_bad_numbers_and_not_on_good_ones(self):
        done = run("promtool", "test", "rules", "alerts_test.yml", cwd=os.path.dirname(__file__))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Grafana(unittest.TestCase):
    """A real Prometheus scrapes a server under load; every query of the dashboard gives data."""

    def setUp(self):
        self.m = Muster()
        self.addCleanup(self.m.close)
        self.folder = tempfile.mkdtemp(prefix="prometheus-")
        self.addCleanup(shutil.rmtree, self.folder)
        with open(os.path.join(self.folder, "prometheus.yml"), "w", encoding="ascii") as f:
            f.write("global: {scrape_interval: 1s}\n"
                    "scrape_configs:\n- job_name: muster\n  static_configs:\n"
                    f"  - targets: ['{self.m.metrics[len('http://'):]}']\n")
        self.log = open(os.path.join(self.folder, "log"), "wb")
        self.addCleanup(self.log.close)
        self.prometheus = subprocess.Popen(
            ["prometheus", "--config.file", os.path.join(self.folder, "prometheus.yml"),
             "--storage.tsdb.path", os.path.join(self.folder, "data"),
             "--web.listen-address", "127.0.0.1:0"], stdout=self.log, stderr=self.log)
        self.addCleanup(self.prometheus.wait)
        self.addCleanup(self.prometheus.kill)
        self.url = None
        wait_until("Prometheus is ready", self.is_ready, 30)

    def is_ready(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8") as f:
            found = re.search(r"msg=\"Listening on\" address=([\d.:]+)", f.read())
        if not found:
            return False
        self.url = f"http://{found.group(1)}"
        try:
            with urllib.request.urlopen(self.url + "/-/ready", timeout=10) as r:
                return r.status == 200
        except OSError:
            return False

    def ask(self, expression):
        query = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{query}", timeout=10) as r:
            result = json.load(r)["data"]["result"]
        return [x for x in result if x["value"][1] != "NaN"]

    def test_every_query_returns_data(self):
        def scraped(least):
            found = self.ask('muster_queue_arrivals_total{queue="1v1_duel"}')
            return found and float(found[0]["value"][1]) >= least
        for players in (40, 40):  # a rate needs two scrapes that differ
            before = self.ask('sum(muster_queue_arrivals_total)')
            least = players + (float(before[0]["value"][1]) if before else 0)
            done = run(BINARY, "demo", "--queue", "1v1_duel", "--players", str(players), "--api",
                       self.m.api, "--events", self.m.events, "--bridge", self.m.bridge)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            wait_until("Prometheus has seen the players", lambda: scraped(least), 30)
        Activity(self.m).everything()
        panels = json.loads(read("grafana", "muster.json"))["panels"]
        expressions = [t["expr"].replace("$queue", ".*") for p in panels for t in p["targets"]]
        self.assertGreater(len(expressions), 15)
        for expression in expressions:
            wait_until(f"{expression} returns data", lambda: self.ask(expression), 10)


class Machines(unittest.TestCase):
    def test_the_unit_is_locked_down(self):
        unit = os.path.join(DEPLOY, "systemd", "muster.service")
        done = run("systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", unit)
        self.assertEqual(done.returncode, 0, done.stdout[-300:] + done.stderr)

    def test_the_compose_file_fits_its_schema(self):
        with open(os.environ["COMPOSE_SCHEMA"], encoding="utf-8") as f:
            schema = json.load(f)
        compose = yaml.safe_load(read("compose.yaml"))
        jsonschema.validate({k: v for k, v in compose.items() if k != "name"}, schema)
        for name, service in compose["services"].items():
            for option in re.findall(r"--[\w-]+", " ".join(map(str, service.get("command", [])))):
                if name not in ("redis", "prometheus"):
                    self.assertIn(f"`{option[2:]}`", read("REFERENCE.md"), name)

    def test_the_manifests_fit_their_schemas(self):
        items = yaml.safe_load(read("kubernetes", "muster.yaml"))["items"]
        for item in items:
            kubernetes_validate.validate(item, "1.30", strict=True)
        kinds = [i["kind"] for i in items]
        self.assertGreaterEqual(kinds.count("PodDisruptionBudget"), 3)
        for item in items:
            if item["kind"] in ("Deployment", "StatefulSet"):
                container = item["spec"]["template"]["spec"]["containers"][0]
                self.assertTrue(container.keys() & {"livenessProbe", "readinessProbe"})
        options = next(i for i in items if i["kind"] == "ConfigMap")["data"]
        for name in options:
            self.assertIn(f"`{name[len('MUSTER_'):].lower().replace('_', '-')}`", read("REFERENCE.md"))

    def test_the_image_is_built_by_the_same_lists_of_packages(self):
        text = read("Dockerfile")
        for words in ("$build_packages", "$runtime_packages", "USER 10001"):
            self.assertIn(words, text)
        done = run("sh", "-c", '. "$0"; for p in $runtime_packages; do dpkg-query -W "$p"; done',
                   os.path.join(DEPLOY, "packages.sh"))
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)

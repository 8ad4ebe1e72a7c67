"""The process, its Redis, and each role in turn are killed: nothing acknowledged is lost."""
import os
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from muster_fixture import Muster, wait_until  # noqa: E402

LOAD = os.environ["TEST_LOAD"]


class Load:
    """`load create` in the background, its acknowledged lines so far."""

    def __init__(self, api, queue, prefix, count, batch, skill, step):
        self.child = subprocess.Popen(
            [LOAD, "create", api, queue, prefix, str(count), str(batch), str(skill), str(step)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.child.stdout:
            self.lines.append(line)

    def close(self):
        """Ends it when a test failed before it was done."""
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait(30)

    def acknowledged(self):
        return len(self.lines)

    def wait(self, timeout=120):
        code = self.child.wait(timeout)
        self.reader.join()
        errors = self.child.stderr.read()
        self.child.stderr.close()
        self.child.stdout.close()
        return code, errors


def create(api, prefix, count, skill, step, queue="1v1_duel"):
    load = Load(api, queue, prefix, count, 500, skill, step)
    code, errors = load.wait()
    assert code == 0, errors
    return load.lines


def check(api, lines):
    """{"queued": n, "matched": n, ...} of the tickets in these lines."""
    done = subprocess.run([LOAD, "check", api], input="".join(lines), capture_output=True,
                          text=True, timeout=120)
    words = done.stdout.split()
    return dict(zip(words[::2], map(int, words[1::2]))), done.stderr


class Kill(unittest.TestCase):
    def assert_all_there(self, m, lines, **expected):
        counts, errors = check(m.api, lines)
        self.assertEqual(counts["missing"], 0, errors)
        self.assertEqual(counts["wrong"], 0)
        for name, number in expected.items():
            self.assertEqual(counts[name], number, counts)
        tickets = [line.split()[1] for line in lines]
        self.assertEqual(len(tickets), len(set(tickets)), "one ticket twice")

    def queued(self, m):
        import json
        done = m.cli("status", "--json")
        return int(json.loads(done.stdout).get("ticketsQueued", 0)) if done.returncode == 0 else -1

    def test_kill_of_the_process_with_10000_queued_tickets_loses_none(self):
        with Muster("--lease-ms", "500") as m:
            lines = create(m.api, "lone", 10000, 0, 1000)
            self.assertEqual(len(lines), 10000)
            m.process.kill()
            m.start()
            self.assertEqual(self.queued(m), 10000)
            self.assert_all_there(m, lines, queued=10000)
            partners = create(m.api, "mate", 10000, 1, 1000)
            wait_until("all pairs are matched", lambda: self.queued(m) == 0, 60)
            self.assert_all_there(m, lines + partners, matched=20000)

    def test_a_restart_does_not_wait_for_the_lease_of_the_dead(self):
        with Muster("--lease-ms", "60000") as m:
            lines = create(m.api, "lone", 10, 0, 1000)
            m.process.kill()
            m.start()  # fails after 30 s, half of the lease
            self.assert_all_there(m, lines, queued=10)

    def test_kill_of_the_embedded_redis_under_load_loses_none(self):
        with Muster() as m:
            load = Load(m.api, "1v1_duel", "lone", 10000, 50, 0, 1000)
            self.addCleanup(load.close)
            for share in (2000, 5000, 8000):
                wait_until(f"{share} acknowledged",
                           lambda share=share: load.acknowledged() >= share, 60)
                before = m.redis_pid()
                m.kill_redis()
                wait_until("redis-server is back", lambda: m.redis_pid() != before, 20)
            code, errors = load.wait()
            self.assertEqual(code, 0, errors)
            self.assertEqual(load.acknowledged(), 10000)
            self.assertEqual(self.queued(m), 10000)
            self.assert_all_there(m, load.lines, queued=10000)

    def test_kill_of_the_process_under_load_creates_no_ticket_twice(self):
        with Muster("--lease-ms", "500") as m:
            m.options += ["--api-listen", m.api]  # the same door after the restart
            load = Load(m.api, "1v1_duel", "lone", 10000, 20, 0, 1000)
            self.addCleanup(load.close)
            for share in (2000, 6000):
                wait_until(f"{share} acknowledged",
                           lambda share=share: load.acknowledged() >= share, 60)
                m.process.kill()
                m.start()
            code, errors = load.wait()
            self.assertEqual(code, 0, errors)
            self.assertEqual(self.queued(m), 10000)
            self.assert_all_there(m, load.lines, queued=10000)


if __name__ == "__main__":
    unittest.main(verbosity=2)

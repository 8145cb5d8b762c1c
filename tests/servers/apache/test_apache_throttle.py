"""Failures are counted by all children together, and stay counted over a graceful restart and a new start."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from apache.site import POLICY, Site
from frame import people, wire

LIMIT = 10
ON = 'GatepostPolicy "@POLICY@"\n<Location "/">\nGatepost on\n</Location>\n'
THROTTLED = POLICY + f"""
[throttle]
account = {{ failures = {LIMIT}, per = "15m" }}
address = {{ failures = 100000, per = "15m" }}
prefix = {{ failures = 100000, per = "15m" }}
pair = false
"""


def guess(site, password):
    """Each time over a connection of its own, so that any child may get it."""
    return wire.ask(site.port, "/page.html", fields=[people.basic_of("alice", password), ("Connection", "close")])


def test_a_guesser_who_reaches_all_children_has_as_many_tries_as_with_one():
    with Site(ON, THROTTLED, {"alice": []}, mpm="prefork").page("page.html") as site:
        with ThreadPoolExecutor(12) as clients:
            told = Counter(clients.map(lambda n: guess(site, f"wrong {n}").status, range(150)))
        assert set(told) == {401, 429} and told[401] <= LIMIT, told
        # Two that failed at the same moment may both have been told 429: then as many are left.
        for n in range(told[401], LIMIT):
            assert guess(site, f"last {n}").status == 401, told
        asked = {found[1] for line in site.told("gatepost: denied") if (found := re.search(r"\[pid (\d+)", line))}
        assert len(asked) > 1, "or nothing was shown"
        assert {guess(site, people.PASSWORD).status for _ in range(20)} == {429}
        site.graceful()
        assert guess(site, people.PASSWORD).status == 429

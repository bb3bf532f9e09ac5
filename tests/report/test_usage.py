from __future__ import annotations

import csv
import json
from io import StringIO

from gatepost.model.event import Cover
from gatepost.model.using import Peer, Way, Who
from gatepost.report.usage import peers_to_csv, peers_to_json, peers_to_text, to_csv, to_json, to_text
from gatepost.report.weeks import sparkline
from gatepost.usage import peers, used

DAY = 86_400 * 1_000_000
USED = used(
    [
        (
            Way("pop3", None, Cover.NONE, None, "", "PLAIN"),
            Who("=cmd@x", "192.0.2.7", 2, "he\x1b[31m", 7, 0, 0, DAY, 9 * DAY, (3, 4)),
        ),
        (
            Way("imaps", None, Cover.TLS, False, "TLSv1.3", "PLAIN"),
            Who("bob", "2001:db8::1", 1, "", 1, 0, 0, DAY, DAY, (1, 0)),
        ),
        (Way("smtp", None, Cover.TLS, True, "TLSv1.3", ""), Who("", "192.0.2.9", 1, "", 5, 5, 0, DAY, DAY, (5, 0))),
    ],
    DAY,
    9 * DAY,
)  # fmt: skip


def test_names_who_is_old_with_last_use_and_address() -> None:
    told = to_text(USED, width=120, colour=False, most=5, named=False)
    assert "110  pop3     in clear    PLAIN" in told
    line = next(one for one in told.splitlines() if "=cmd@x" in one)
    assert "1970-01-10 00:00  192.0.2.7" in line
    assert "bob" not in told  # uses nothing old
    assert "5 sessions more came to nothing" in told
    assert "\x1b" not in told
    assert "bob" in to_text(USED, width=120, colour=False, most=5, named=True)


def test_no_line_is_wider_than_the_terminal() -> None:
    for width in (60, 80, 160):
        assert max(map(len, to_text(USED, width=width, colour=False, most=5, named=True).splitlines())) <= width


def test_json_and_csv_have_all() -> None:
    told = json.loads(to_json(USED))
    assert told["schema"] == "gatepost/usage/1"
    assert told["ways"][0]["accounts"][0]["client"] == "192.0.2.7"
    rows = list(csv.DictReader(StringIO(to_csv(USED))))
    assert [row["account"] for row in rows] == ["'=cmd@x", "bob", ""]
    assert rows[0]["encryption"] == "none"


def test_peers() -> None:
    found = peers([Peer("in", "mx.example", "192.0.2.1", 4, 1, 0, (), DAY, DAY, (4,), "")], DAY, DAY)
    told = peers_to_text(found, width=100, colour=False, most=5)
    assert "Who gives us mail in clear" in told
    assert "mx.example" in told
    assert "To whom" not in told
    assert json.loads(peers_to_json(found))["peers"][0]["clear"] == 4
    assert next(csv.DictReader(StringIO(peers_to_csv(found))))["peer"] == "mx.example"


def test_nothing_seen_is_said() -> None:
    assert "nobody connected" in to_text(used([], 0, DAY), width=80, colour=False, most=5, named=False)
    assert "no mail from or to others" in peers_to_text(peers([], 0, DAY), width=80, colour=False, most=5)


def test_sparkline() -> None:
    assert sparkline((0, 1, 8)) == "·▁█"

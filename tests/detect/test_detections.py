"""Each of our rules sees what it is for, and stays silent just below it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gatepost.detect.rules import load
from gatepost.edge.watch.history import hits
from gatepost.model.event import Act, Cover, Signal
from tests.detect.signals import connection, signal

RULES = {rule.id: rule for rule in load().rules}
HOUR, DAY, WEEK = 3600, 86400, 7 * 86400
Made = list[Signal]
FAILED, LOGIN = Act.LOGIN_FAILED, Act.LOGIN


def many(count: int, act: Act = FAILED, gap: float = 1, **fields: Callable[[int], object]) -> Made:
    return [signal(n * gap, act, **{k: v(n) for k, v in fields.items()}) for n in range(count)]  # type: ignore[arg-type]


def habit(days: int = 20, act: Act = LOGIN, **fields: object) -> Made:
    """Once an hour in the day, for weeks."""
    whole = [d * DAY + h * HOUR for d in range(-days, 0) for h in range(8, 18)]
    return [signal(at, act, **fields) for at in whole]  # type: ignore[arg-type]


def who(n: int) -> str:
    return f"198.51.{100 + n // 200}.{n % 200 + 1}"


SEEN: dict[str, Made] = {
    "brute-address": many(10, user=lambda _: "ann"),
    "brute-network": many(40, client=lambda n: f"192.0.2.{n}"),
    "brute-account": many(60, user=lambda _: "ann"),
    "brute-account-distributed": many(6, user=lambda _: "ann", client=who),
    "spray-address": many(5, user=lambda n: f"u{n}"),
    "spray-slow": many(3, gap=5 * HOUR, user=lambda n: f"u{n}"),
    "spray-campaign": many(30, gap=600, client=lambda n: f"198.51.{n}.7", user=lambda n: f"u{n}"),
    "slow-guessing": many(5, gap=14 * HOUR, user=lambda _: "ann"),
    "stuffing-success": [*many(5, user=lambda n: f"u{n}"), signal(HOUR, LOGIN, user="u3")],
    "brute-success": [*many(8, user=lambda _: "ann"), signal(60, LOGIN, user="ann")],
    "success-many-networks": many(6, LOGIN, client=lambda n: f"198.51.{n}.7", user=lambda _: "ann"),
    "one-actor": many(3, service=lambda n: ("smtp", "submission", "imaps")[n]),
    "new-network": [*habit(user="ann"), signal(0, LOGIN, "203.0.113.9", "ann")],
    "port-sweep": many(3, Act.PROBE, service=lambda n: ("smtp", "imap", "pop3")[n]),
    "port-sweep-slow": many(2, Act.PROBE, gap=DAY, service=lambda n: ("smtp", "imap")[n]),
    "closed-ports": many(4, Act.DROPPED, port=lambda n: 100 + n),
    "http-on-mail": [signal(0, Act.NOT_SMTP, cause="GET / HTTP/1.1")],
    "not-smtp-commands": many(2, Act.NOT_SMTP),
    "violations": many(3, Act.PIPELINING, gap=HOUR),
    "early-talker": many(2, Act.EARLY, gap=HOUR),
    "rate-limited-client": many(5, Act.RATE_LIMITED),
    "probes": many(3, Act.PROBE, gap=HOUR),
    "harvest": many(20, Act.UNKNOWN_RECIPIENT),
    "relay-attempts": many(3, Act.RELAY_TRIED, gap=HOUR),
    "outbound-burst": many(4, Act.MESSAGE, user=lambda _: "ann", amount=lambda _: 50),
    "outbound-unusual": [*habit(act=Act.MESSAGE, user="ann"), signal(10 * HOUR, Act.MESSAGE, user="ann", amount=60)],
    "new-destinations": [
        *habit(act=Act.MESSAGE, peer="example.net", user="ann"),
        *many(20, Act.MESSAGE, user=lambda _: "ann", peer=lambda n: f"d{n}.example"),
    ],
    "mass-read": many(2, Act.READ, user=lambda _: "ann", amount=lambda _: 500_000_000),
    "read-unusual": [
        *habit(act=Act.READ, amount=1000, user="ann"), signal(10 * HOUR, Act.READ, user="ann", amount=200_000_000)
    ],
    "rule-after-guessing": [*many(8, user=lambda _: "ann"), signal(HOUR, Act.RULE_CHANGED, "203.0.113.9", "ann")],
    "rule-from-new-network": [
        *[signal(d * DAY, Act.RULE_CHANGED, user="ann") for d in (-20, -10)],
        signal(0, Act.RULE_CHANGED, "203.0.113.9", "ann"),
    ],
    "backscatter": many(30, Act.QUEUE, user=lambda _: "ann"),
    "queue-unusual": [*habit(act=Act.QUEUE), *many(100, Act.QUEUE)],
    "silence": [
        *[signal(w * WEEK + n, LOGIN) for w in (-3, -2, -1) for n in range(0, 4 * HOUR, 60)],
        *[signal(n, LOGIN, host="mx2") for n in range(0, 6 * HOUR, 600)],
    ],
    "handshake-failures": [signal(0, Act.HANDSHAKE_FAILED, cause="no shared cipher")],
    "handshake-failures-many": many(50, Act.HANDSHAKE_FAILED, client=who, cause=lambda _: "no shared cipher"),
    "legacy-tls-accounts": [signal(0, Act.LEGACY_TLS, user="ann", tls="TLSv1")],
    "legacy-tls-clients": [signal(0, Act.LEGACY_TLS, tls="TLSv1")],
    "clear-logins": [signal(0, Act.CLEAR_LOGIN, user="ann", cover=Cover.NONE)],
    "clear-refused-clients": many(2, Act.CLEAR_REFUSED),
    "certificate-rejections": many(3, Act.CERTIFICATE_REJECTED, client=who),
    "peer-downgrade": [
        *[signal(-d * DAY, Act.OUTBOUND, client="", peer="example.net") for d in range(2, 9)],
        signal(0, Act.OUTBOUND, client="", peer="example.net", cover=Cover.NONE),
    ],
    "client-downgrade": [*habit(user="ann"), signal(2 * DAY, LOGIN, user="ann", cover=Cover.NONE)],
    "sender-downgrade": [*habit(act=Act.MESSAGE), signal(2 * DAY, Act.MESSAGE, cover=Cover.NONE)],
}  # fmt: skip
SILENT: dict[str, Made] = {
    "a user who mistypes three times": [*many(3, user=lambda _: "ann"), signal(30, LOGIN, user="ann")],
    "an office that logs in": many(50, LOGIN, user=lambda n: f"u{n}"),
    "a message to a few": many(10, Act.MESSAGE, gap=300, user=lambda _: "ann", amount=lambda _: 3),
    "a new account": [signal(0, LOGIN, user="ann"), signal(9, LOGIN, "203.0.113.9", "ann")],
    "the first busy hour ever": many(60, Act.MESSAGE, user=lambda _: "ann"),
    "a peer that never had TLS": many(9, Act.OUTBOUND, DAY, peer=lambda _: "example.net", cover=lambda _: Cover.NONE),
    "a peer that always has TLS": many(9, Act.OUTBOUND, DAY, peer=lambda _: "example.net"),
    "a port that rests at night": [s for s in habit(40, service="imap") if s],
}


def told(signals: Made) -> set[str]:
    return {hit.rule for hit in hits(connection(signals), RULES.values())}


def test_every_rule_has_a_sample() -> None:
    assert SEEN.keys() == RULES.keys()


@pytest.mark.parametrize("name", SEEN)
def test_rule_sees_what_it_is_for(name: str) -> None:
    found = hits(connection(SEEN[name]), [RULES[name]])
    assert len(found) == (3 if name == "silence" else 1)  # of silence each window of two hours
    assert found[0].proofs or name == "silence"


@pytest.mark.parametrize("name", [name for name in SEEN if RULES[name].threshold > 1 or RULES[name].normal])
def test_rule_is_silent_below_its_threshold(name: str) -> None:
    shown = SEEN[name]
    without = shown[:-1] if name != "silence" else [*shown, *many(6, LOGIN, HOUR)]
    assert hits(connection(without), [RULES[name]]) == ()


@pytest.mark.parametrize("name", SILENT)
def test_everyday_life_raises_nothing(name: str) -> None:
    assert told(SILENT[name]) == set()

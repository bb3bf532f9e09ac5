"""Every fact of host and firewall has words of its own, and keeps within the bounds of a transcript."""

from __future__ import annotations

from typing import get_args

import pytest

from gatepost.model.architecture import Endpoint
from gatepost.model.host import HostFact, Place, SettingSeen
from gatepost.model.observation import Observation
from gatepost.model.rules import AdmissionSeen, DeviationSeen, Drift, FirewallFact, LifeSupportSeen, RuleRef
from gatepost.report import evidence, within

MX = Endpoint("mx.test")
SMTP = Endpoint("mx.test", "192.0.2.1", 25)
RULE = RuleRef("inet filter", "input", 12, "tcp dport 25 accept", "mx.test/smtp")


def test_every_fact_has_words() -> None:
    assert set(within.WORDS) == {*get_args(HostFact), *get_args(FirewallFact)}


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (
            SettingSeen(MX, "postfix", "/etc/postfix", "submission/inet", "smtpd_tls_auth_only", "no",
                        place=Place("/etc/postfix/master.cf", 17)),
            ("/etc/postfix/master.cf:17: smtpd_tls_auth_only [submission/inet] = no",),
        ),
        (
            SettingSeen(MX, "postfix", "/etc/postfix", "", "smtpd_tls_loglevel", "0", default=True),
            ("built-in default: smtpd_tls_loglevel = 0",),
        ),
        (
            AdmissionSeen(SMTP, ("10.0.0.0/8",), ("192.0.2.0/24",), rules=(RULE,), reasons=("xt match u32",)),
            (
                "mx.test:25 (192.0.2.1) by input: accepted from 10.0.0.0/8",
                "cannot tell for 192.0.2.0/24: xt match u32",
                "inet filter input rule 12: tcp dport 25 accept   # mx.test/smtp",
            ),
        ),
        (
            DeviationSeen(SMTP, Drift.WIDER, (25, 26), ("0.0.0.0/0",), "1.0.0.0"),
            ("wider-than-declared: input 25-26, 0.0.0.0/0; for example 1.0.0.0",),
        ),
        (
            LifeSupportSeen(MX, "neighbour-discovery", 6, alive=False),
            ("neighbour-discovery over IPv6: dead",),
        ),
    ],
)  # fmt: skip
def test_words(one: Observation, words: tuple[str, ...]) -> None:
    assert evidence.words(one) == words


def test_many_prefixes_are_counted() -> None:
    told = within.prefixes(tuple(f"10.{n}.0.0/16" for n in range(20)))
    assert told.endswith("and 12 more")

"""Held-out lines that other tools are tested with: is the attacker's address the right one, and nobody else's?

fail2ban calls a line an attack only in some of its modes; the share is counted for each. Benign lines must not read as
a failed login, a violation, a refusal or an early talker.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gatepost.logs.addresses import address
from gatepost.logs.heading import heading
from gatepost.logs.understanding import understand
from gatepost.model.event import Event, Kind
from gatepost.model.log import Clock, Line

CORPORA = Path("/work/shared/corpora/logs")
CLOCK = Clock(newest=1_795_600_000_000_000)
OURS = frozenset({"dovecot", "postfix"})
ACCUSED = frozenset({Kind.AUTH_FAILED, Kind.EARLY, Kind.NOT_SMTP, Kind.RATE_LIMITED, Kind.REJECTED})
REACHED = 0.99  # of attack lines with the right address

Case = dict[str, Any]


def cases(name: str) -> list[Case]:
    path = CORPORA / name
    if not path.exists():
        pytest.skip(f"no corpus {path}")
    read = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return [one for one in read if one["service"] in OURS]


def event(line: str) -> Event:
    headed = heading(line.encode(), CLOCK)
    assert headed is not None
    return understand(headed)


@pytest.mark.parametrize("mode", ["normal", "auth", "errors", "rbl", "ddos", "aggressive", "default"])
def test_fail2ban(mode: str) -> None:
    attacks = [one for one in cases("fail2ban_mail.jsonl") if mode in one.get("modes_attack", ())]
    right = [one for one in attacks if event(one["line"]).client == address(one["ip"])]
    assert attacks
    assert len(right) >= REACHED * len(attacks)


@pytest.mark.parametrize("name", ["fail2ban_mail.jsonl", "crowdsec_mail_lines.jsonl", "wazuh_mail.jsonl"])
def test_attacks_are_understood(name: str) -> None:
    attacks = [one for one in cases(name) if one["expected"] == "attack"]
    events = [event(one["line"]) for one in attacks]
    assert attacks
    assert [one.kind for one in events].count(Kind.UNKNOWN) == 0
    known = [(seen.client, address(one["ip"])) for one, seen in zip(attacks, events, strict=True) if one.get("ip")]
    assert sum(client == ip for client, ip in known) >= REACHED * len(known)


@pytest.mark.parametrize("name", ["fail2ban_mail.jsonl", "crowdsec_mail_lines.jsonl", "wazuh_mail.jsonl"])
def test_nobody_else_is_accused(name: str) -> None:
    benign = [one["line"] for one in cases(name) if one["expected"] != "attack"]
    assert [line for line in benign if event(line).kind in ACCUSED] == []


FIELDS = {
    "postfix_client_ip": "client",
    "postfix_client_hostname": "name",
    "postfix_queueid": "queue",
    "postfix_tls_version": "tls",
    "postfix_tls_cipher": "cipher",
    "postfix_sasl_method": "method",
    "postfix_sasl_username": "user",
}


def test_grok_fields() -> None:
    """The public grok patterns' expectations, where a field of theirs is one of ours."""
    wrong, compared = [], 0
    for one in cases("postfix_grok_fields.jsonl"):
        daemon = one["program"].replace("tls_features", "smtp")  # the name of their file, not of a daemon
        seen = understand(Line(0, "mx", f"postfix/{daemon}", 1, one["message"]))
        for theirs, ours in FIELDS.items():
            if theirs in one["expected_fields"]:
                compared += 1
                told = str(one["expected_fields"][theirs]).replace("NOQUEUE", "")
                if getattr(seen, ours) != (address(told) if ours == "client" else told):
                    wrong.append((one["message"], ours, getattr(seen, ours), told))
    assert compared > 50
    assert wrong == []

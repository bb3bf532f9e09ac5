"""Every kind of event is a document with what ECS and OCSF require."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gatepost.lake.columns import EVENTS
from gatepost.lake.export import ACTIVITIES, AUTHENTICATION, EMAIL, NETWORK, ecs, ocsf
from gatepost.model.event import Cover, Kind, Result

AT = datetime(2026, 3, 2, 10, 0, 0, 500000, tzinfo=UTC)
EMPTY = dict.fromkeys(EVENTS.names)


def row(kind: Kind, **values: object) -> dict[str, object]:
    return {**EMPTY, "at": AT, "host": "mx1", "kind": kind.value, "result": "", **values}


@pytest.mark.parametrize("kind", list(Kind))
def test_what_a_schema_requires_is_there(kind: Kind) -> None:
    theirs: Any = ocsf(row(kind))
    uid = theirs["class_uid"]
    assert uid in {AUTHENTICATION, EMAIL, NETWORK}
    assert theirs["type_uid"] == uid * 100 + theirs["activity_id"]
    assert theirs["category_uid"] == uid // 1000
    assert theirs["activity_id"] in ACTIVITIES[uid]
    assert theirs["time"] == int(AT.timestamp() * 1000)
    assert {"severity_id", "status_id", "metadata"} <= theirs.keys()
    assert uid != AUTHENTICATION or theirs["user"] == {"name": "unknown"}
    assert uid != EMAIL or {"direction_id", "email"} <= theirs.keys()
    elastic: Any = ecs(row(kind))
    assert elastic["@timestamp"] == "2026-03-02T10:00:00.500000Z"
    assert elastic["event"]["category"][0] in {"authentication", "email", "network"}
    assert elastic["event"]["outcome"] == "unknown"


def test_a_login_in_clear() -> None:
    said = row(
        Kind.LOGIN, user="alice", method="LOGIN", cover=Cover.NONE.value, result=Result.OK.value, client="192.0.2.7"
    )
    theirs: Any = ocsf(said)
    assert (theirs["is_cleartext"], theirs["status_id"], theirs["auth_protocol"]) == (True, 1, "LOGIN")
    assert theirs["src_endpoint"] == {"ip": "192.0.2.7"}
    assert ecs(said)["labels"] == {"sasl_mechanism": "LOGIN", "cover": "none"}


@pytest.mark.parametrize(
    ("ours", "number", "word"), [("TLSv1.2", "1.2", "tls"), ("TLSv1", "1.0", "tls"), ("SSLv3", "3.0", "ssl")]
)
def test_versions_of_tls(ours: str, number: str, word: str) -> None:
    said = row(Kind.TLS, tls=ours, cover="tls")
    assert ecs(said)["tls"] == {"version": number, "version_protocol": word, "established": True}
    assert ocsf(said)["tls"] == {"version": ours}


def test_a_pseudonym_is_no_address() -> None:
    said = row(Kind.CONNECT, client="192.0.2.0/24~00112233445566778899")
    assert ecs(said)["source"] == {"address": "192.0.2.0/24~00112233445566778899"}
    assert ocsf(said)["src_endpoint"] == {"name": "192.0.2.0/24~00112233445566778899"}


def test_a_message_that_went_out_and_a_row_without_a_time() -> None:
    said = row(Kind.DELIVERY, recipient="b@example.net", sender="a@example.org", queue="4Q", result="sent") | {
        "at": None
    }
    theirs: Any = ocsf(said)
    assert (theirs["direction_id"], theirs["smtp_to"], theirs["email"]) == (
        2, ["b@example.net"], {"from": "a@example.org", "to": ["b@example.net"], "uid": "4Q"},
    )  # fmt: skip
    assert "@timestamp" not in ecs(said)

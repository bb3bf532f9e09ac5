"""What is worth remembering of a run with its date: keys, policies, TLSA records and certificates.

An age cannot be seen from outside. It is told by the state directory, which first saw the thing then.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from gatepost.model.architecture import Endpoint
from gatepost.model.domain import DkimKeySeen, StsSeen, TlsaSeen
from gatepost.model.observation import CertificateSeen, Seen, of
from gatepost.records import dkim, mta_sts, tlsa


@dataclass(frozen=True, slots=True)
class Noted:
    """One thing at one place. `place` is where it stands: a record's owner name, or a port of an address."""

    at: Endpoint
    what: str
    place: str
    value: str
    detail: str


def noted(seen: Seen) -> tuple[Noted, ...]:
    """Everything of a run that is dated, each once. The words are those of `model.domain.Dated`."""
    return tuple(dict.fromkeys((*_keys(seen), *_policies(seen), *_pins(seen), *_certificates(seen))))


def _keys(seen: Seen) -> Iterator[Noted]:
    for one in of(DkimKeySeen, seen):
        if one.fingerprint:
            owner = dkim.owner(one.at.host, one.selector)
            yield Noted(one.at, "dkim-key", owner, one.fingerprint, _json({"selector": one.selector}))


def _policies(seen: Seen) -> Iterator[Noted]:
    for one in of(StsSeen, seen):
        place = mta_sts.owner(one.at.host)
        if one.id:
            yield Noted(one.at, "mta-sts-id", place, one.id, "")
        if one.fetched:
            told = {"id": one.id, "mode": one.mode, "mx": list(one.mx), "max_age": one.max_age}
            yield Noted(one.at, "mta-sts-policy", place, sha256(one.text.encode()).hexdigest(), _json(told))


def _pins(seen: Seen) -> Iterator[Noted]:
    for one in of(TlsaSeen, seen):
        for record in one.records:
            detail = _json({"port": one.port, "ttl": one.ttl, "security": one.security.value})
            yield Noted(one.at, "tlsa", tlsa.owner(one.at.host, one.port), str(record), detail)


def _certificates(seen: Seen) -> Iterator[Noted]:
    for one in of(CertificateSeen, seen):
        if not one.chain:
            continue
        leaf = one.chain[0]
        told = {
            "port": one.at.port,
            "address": one.at.address,
            "not_before": leaf.not_before.isoformat(),
            "not_after": leaf.not_after.isoformat(),
            "names": list(leaf.dns_names),
            "issuer": leaf.issuer,
            "spki_sha256": leaf.spki_sha256,
            "trusted": one.trust.valid,
        }
        place = f"{one.at.address} {one.at.port}"
        yield Noted(Endpoint(one.at.host), "certificate", place, leaf.sha256, _json(told))


def _json(told: dict[str, object]) -> str:
    return json.dumps(told, sort_keys=True)

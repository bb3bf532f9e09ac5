from __future__ import annotations

import asyncio

import pytest

from gatepost.model.observation import Unobserved
from gatepost.model.words import Reason
from gatepost.records.dmarc_alignment import Alignment, alignment
from tests.records.dmarc_rows import LISTED, NONE, REJECT, zone
from tests.zone import TIMEOUT, Zone

ALIGNMENTS = [
    # records, author, identifier, strict; aligned by walk, by list; in the warning
    ({"example.com": REJECT}, "news.example.com", "foo.example.com", False, True, True, ""),  # table 1
    ({"example.com": REJECT}, "news.example.com", "news.example.com", True, True, True, ""),
    ({"example.com": REJECT}, "news.example.com", "foo.example.net", False, False, False, ""),
    ({"example.com": REJECT}, "news.example.com", "foo.example.com", True, False, False, ""),
    ({"example.com": REJECT}, "example.com", "mail.example.com", False, True, True, ""),
    ({"example.com": REJECT}, "mail.example.com", "example.com", False, True, True, ""),
    ({"example.com": REJECT}, "Mail.Example.com", "EXAMPLE.com.", False, True, True, ""),
    ({"example.com": REJECT}, "mail.example.com", "com", False, False, False, ""),
    ({"news.example.com": REJECT}, "news.example.com", "news.example.com", False, True, True, ""),
    ({"news.example.com": REJECT}, "news.example.com", "example.com", False, False, True, "organisational domain"),
    ({"news.example.com": REJECT}, "news.example.com", "b.example.com", False, False, True, "_dmarc.example.com"),
    ({"news.example.com": REJECT}, "news.example.com", "x.news.example.com", False, True, True, ""),
    ({"a.example.com": NONE, "b.example.com": NONE}, "a.example.com", "b.example.com", False, False, True, "publish"),
    ({"a.example.com": NONE, "example.com": NONE}, "a.example.com", "b.example.com", False, True, True, ""),
    (
        {"a.example.com": f"{NONE}; psd=n", "example.com": NONE},
        "a.example.com",
        "example.com",
        False,
        False,
        True,
        "psd=n at _dmarc.a.example.com parts them",
    ),
    (
        {"a.example.com": f"{NONE}; psd=n", "example.com": NONE},
        "b.example.com",
        "c.a.example.com",
        False,
        False,
        True,
        "psd=n at _dmarc.a.example.com parts them",
    ),
    ({"com": f"{NONE}; psd=y"}, "a.example.com", "b.example.com", False, True, True, ""),
    ({"com": f"{NONE}; psd=y"}, "a.example.com", "a.example1.com", False, False, False, ""),
    ({"example.com": f"{NONE}; psd=y"}, "a.example.com", "b.example.com", False, False, True, "psd=y at _dmarc."),
    ({"com": NONE}, "a.example.com", "b.example1.com", False, True, False, "receivers that predate RFC 9989"),
    ({}, "a.example.com", "a.example.com", False, True, True, ""),
    ({}, "a.example.com", "example.com", False, False, True, "publish a record"),
    ({"example.com": [NONE, NONE]}, "a.example.com", "example.com", False, False, True, "publish a record"),
]  # fmt: skip


@pytest.mark.parametrize(("records", "author", "identifier", "strict", "walk", "listed", "told"), ALIGNMENTS)
def test_alignment(
    *,
    records: dict[str, str | list[str]],
    author: str,
    identifier: str,
    strict: bool,
    walk: bool,
    listed: bool,
    told: str,
) -> None:
    found = asyncio.run(alignment(author, identifier, zone(records), LISTED, strict=strict))
    assert isinstance(found, Alignment)
    assert (found.by_walk, found.by_list) == (walk, listed)
    assert told in found.warning
    assert bool(found.warning) == (walk != listed)


def test_alignment_that_could_not_be_asked() -> None:
    world = Zone({}, {"_dmarc.example.net": TIMEOUT})
    found = asyncio.run(alignment("example.com", "mail.example.net", world, LISTED, strict=False))
    assert isinstance(found, Unobserved)
    assert (found.at.host, found.reason) == ("mail.example.net", Reason.TIMEOUT)

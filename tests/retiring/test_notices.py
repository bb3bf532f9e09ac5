"""A draft goes to the account that it is about and to nobody else."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from gatepost.retire import assess
from gatepost.retiring.notices import Sender, notice
from tests.test_retire import OLD, POP, SINCE, TODAY


def recipients(user: str) -> tuple[str, ...]:
    found = assess([replace(OLD, user=user)], POP, since=SINCE, until=TODAY)
    draft = notice(found.accounts[0], found, TODAY, None, Sender("p@example.org", "", "example.org"))
    letter = message_from_bytes(draft.letter.as_bytes(), policy=policy.default)
    return tuple(one.addr_spec for one in letter["To"].addresses)


@pytest.mark.parametrize(
    "user",
    [
        *("carl@example.org, eve@x.example", "carl,eve@x.example", "a <eve@x.example>", "@", "eve@x.example (carl)"),
        *("a\x1b[2J@example.org", "a\u202e@example.org", "a@b@c"),
    ],
)
def test_what_is_no_single_address_gets_no_letter(user: str) -> None:
    assert recipients(user) == ()


@pytest.mark.parametrize(
    ("user", "to"),
    [("carl", "carl@example.org"), ("carl@example.com", "carl@example.com"), ("carl+x@a-b.de", "carl+x@a-b.de")],
)
def test_an_account_is_one_recipient(user: str, to: str) -> None:
    assert recipients(user) == (to,)

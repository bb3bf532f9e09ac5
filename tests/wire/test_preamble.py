"""Talking before the greeting, where the greeting may be faster."""

from __future__ import annotations

import pytest

from gatepost.model.observation import Observation, Tried, Unobserved
from gatepost.wire.dialogue import dialogue_for
from gatepost.wire.lines import Talk
from tests.script import Case, Script, collect

TAKEN = """\
> PROXY *
> NOOP
< 220 mx.example.org ESMTP Postfix
> EHLO gatepost-audit.invalid
< 502 5.5.2 Error: command not recognized
< 250 2.0.0 Ok
< 250 mx.example.org
> QUIT
< 221 2.0.0 Bye
"""
MINDED = """\
> PROXY *
> NOOP
< 554 SMTP synchronization error
"""


ASK = Case("early", {"mine": ""}, "", "").ask


class Greeted(Script):
    """The greeting is there as soon as the connection is."""

    def waiting(self) -> bool:
        return True


class Quiet(Script):
    def waiting(self) -> bool:
        return False


def early(wire: Script) -> list[Observation]:
    dialogue = dialogue_for("smtp")
    assert dialogue is not None
    seen = collect(dialogue.preamble(Talk(wire), ASK))
    return [one for one in seen if getattr(one, "what", getattr(one, "wanted", "")) == "early-talker"]


@pytest.mark.parametrize(
    ("wire", "accepted"), [(Quiet.of(TAKEN), True), (Quiet.of(MINDED), False), (Greeted.of(MINDED), False)]
)
def test_whoever_minds_says_so(wire: Script, accepted: bool) -> None:  # noqa: FBT001 - a column of the table
    (told,) = early(wire)
    assert isinstance(told, Tried)
    assert told.accepted is accepted


def test_a_talk_after_the_greeting_was_not_early() -> None:
    (told,) = early(Greeted.of(TAKEN))
    assert isinstance(told, Unobserved)
    assert told.detail == "the greeting was there before we could talk"

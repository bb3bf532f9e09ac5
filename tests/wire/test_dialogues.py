"""Every case of the `.txt` files beside this one, whole and in pieces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gatepost.model.observation import Observation
from gatepost.wire import relay, smuggling
from gatepost.wire.dialogue import dialogue_for
from gatepost.wire.lines import Talk
from tests.script import Case, Script, cases, collect, told

HERE = Path(__file__).parent
FILES = ("smtp", "imap", "pop3", "sieve", "hostile", "injection", "preamble", "relay", "smuggling")
CASES = [pytest.param(case, id=f"{name}: {case.title}") for name in FILES for case in cases(HERE / f"{name}.txt")]


def ran(case: Case, cut: int) -> tuple[list[Observation], Script]:
    script = Script.of(case.script, cut)
    talk, what = Talk(script), case.settings.get("do", "converse")
    if what == "relay":
        forms = case.settings["forms"].split(",")
        return list(collect(relay.relay(talk, case.ask, forms))), script
    if what == "smuggle":
        forms = case.settings["forms"].split(",")
        return list(collect(smuggling.smuggle(talk, case.ask, forms))), script
    dialogue = dialogue_for(case.ask.protocol)
    assert dialogue is not None
    return collect(getattr(dialogue, what)(talk, case.ask)), script


@pytest.mark.parametrize("case", CASES)
def test_a_script_gives_what_stands_below_it(case: Case) -> None:
    cuts = (0,) if "whole" in case.settings else (0, 1, 2, 3, 7)
    for cut in cuts:
        follows(case, cut)


def follows(case: Case, cut: int) -> None:
    seen, script = ran(case, cut)
    assert "\n".join(map(told, seen)) == case.seen, f"cut into {cut}"
    assert script.done, f"left over: {script.steps}"


@pytest.mark.parametrize("case", CASES)
def test_a_shorter_script_keeps_what_was_seen(case: Case) -> None:
    """The stream may end after any turn: what was seen stays, and the end of the list says what was lost.

    What is new is at most a verdict, a failed handshake and the loss.
    """
    whole, _ = ran(case, 0)
    lines = [line for line in case.script.splitlines() if line.strip() and line[0] != "#"]
    for length in range(len(lines)):
        seen, _ = ran(replace(case, script="\n".join(lines[:length])), 0)
        same = next((n for n, (one, other) in enumerate(zip(seen, whole, strict=False)) if one != other), len(whole))
        assert len(seen) <= same + 3, f"invented after {length} turns: {seen[same:]}"
        assert seen, f"not a word after {length} turns"

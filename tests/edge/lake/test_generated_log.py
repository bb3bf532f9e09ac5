"""A generated day of Postfix and Dovecot, from text to signals, both ways; and the planted users are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.logs.heading import heading
from gatepost.logs.understanding import understand
from gatepost.model.event import Act, Event
from gatepost.model.log import Clock
from lab.maillog import Wanted, write
from tests.lines import counted, counted_rows, derived, told

LINES = 6000


def _events(path: Path) -> list[Event]:
    clock, events, offset = Clock(newest=1_795_600_000_000_000), [], 0
    for raw in path.read_bytes().splitlines(keepends=True):
        line = heading(raw.rstrip(b"\n"), clock)
        assert line is not None
        events.append(understand(line, 0, offset))
        offset += len(raw)
    return events


@pytest.mark.parametrize(("dovecot", "postfix", "form"), [("2.3", "3.7", "rfc3164"), ("2.4", "3.10", "iso")])
def test_both_tell_the_same_of_a_generated_day(tmp_path: Path, dovecot: str, postfix: str, form: str) -> None:
    wanted = Wanted(lines=LINES, form=form, dovecot=dovecot, postfix=postfix, attack_share=0.3, users=200)
    truth = write(tmp_path / "mail.log", wanted)
    events = _events(tmp_path / "mail.log")
    live = told(events)
    found = derived(events, parts=2)
    assert counted_rows(found["signals"]) == counted(live)
    assert len(live) > LINES / 4
    clear = {one.user for one in live if one.act is Act.CLEAR_LOGIN}
    assert clear
    assert clear <= set(truth.legacy_cleartext_users)
    relays = {row["user"] for row in found["usage"] if row["service"] == "smtp" and row["user"]}
    assert relays <= set(truth.port25_submitters)
    assert len(found["sessions"]) == len({row["key"] for row in found["sessions"]})

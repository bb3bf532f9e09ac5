"""A plan as it is read at a terminal, and as it comes back from a file."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from gatepost.errors import UsageError
from gatepost.model.plan import Act, Kind, Plan, Step, Written
from gatepost.report.plan import read_json, render, summary, to_json
from tests.enforcement.house import NOW
from tests.report import strategies  # noqa: F401 - registers times and words

FIRST = Step(
    "postfix:/etc/postfix:disable_vrfy_command", "mx1.example.org", Kind.POSTFIX, "answer no questions about mailboxes",
    ("GP-RELAY-006",), "disable_vrfy_command is no (/etc/postfix/main.cf:7). VRFY lets a stranger list mailboxes.",
    diff="--- /etc/postfix/main.cf:7\n+++ /etc/postfix/main.cf:7\n"
    "-disable_vrfy_command = no\n+disable_vrfy_command = yes\n",
    touches=("/etc/postfix/main.cf",),
    acts=(Act(("postconf", "-c", "/etc/postfix", "-e", "disable_vrfy_command=yes")),),
    settles=(Act(("postfix", "-c", "/etc/postfix", "reload")),),
    promises=("GP-RELAY-006/users-not-told@mx1.example.org:25",),
)  # fmt: skip
SECOND = Step(
    "dovecot:/etc/dovecot/dovecot.conf", "mx1.example.org", Kind.DOVECOT, "mend 2 settings of Dovecot",
    ("GP-STLS-002", "GP-TLS-002"), "ssl is yes.\nssl_min_protocol is TLSv1.", "Old clients.\nOlder clients.",
    "--- /dev/null\n+++ /etc/dovecot/conf.d/zz-gatepost.conf\n@@ -0,0 +1 @@\n+ssl = required\n",
    writes=(Written("/etc/dovecot/conf.d/zz-gatepost.conf", "ssl = required\n"),),
    settles=(Act(("doveadm", "-c", "/etc/dovecot/dovecot.conf", "reload")),),
)  # fmt: skip
HAND = replace(
    FIRST, key="k", title="choose a certificate", by_hand=True, acts=(), diff="postconf -e x=y\n", promises=()
)
PLAN = Plan("20261124-120000-abc123", NOW, "gatepost.toml", (FIRST, SECOND, HAND), notes=("mx2 was not seen.",))
GOLDEN = """\
◆ plan 20261124-120000-abc123   made 2026-11-24 12:00 UTC   from gatepost.toml

mx1.example.org

  1  answer no questions about mailboxes   Postfix · GP-RELAY-006
     disable_vrfy_command is no (/etc/postfix/main.cf:7). VRFY lets a stranger
     list mailboxes.
     --- /etc/postfix/main.cf:7
     -disable_vrfy_command = no
     +disable_vrfy_command = yes
     $ postconf -c /etc/postfix -e disable_vrfy_command=yes
     undo  main.cf as before, then postfix reload

  2  mend 2 settings of Dovecot   Dovecot · GP-STLS-002 GP-TLS-002
     · ssl is yes.
     · ssl_min_protocol is TLSv1.
     +++ /etc/dovecot/conf.d/zz-gatepost.conf
     +ssl = required
     risk  · Old clients.
           · Older clients.
     undo  zz-gatepost.conf as before, then doveadm reload

mx1.example.org   by hand

  3  choose a certificate   Postfix · GP-RELAY-006
     disable_vrfy_command is no (/etc/postfix/main.cf:7). VRFY lets a stranger
     list mailboxes.
     postconf -e x=y

GOOD TO KNOW
  · mx2 was not seen.

2 steps on mx1.example.org, 1 by hand; nothing was changed. Do it with: gatepost
apply
"""


def test_as_it_is_read() -> None:
    assert render(PLAN, width=80) == GOLDEN


@pytest.mark.parametrize("width", [60, 80, 120])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    long = replace(SECOND, diff="+" + "word " * 200 + "\n", why="word " * 100, title="word " * 30)
    for line in render(replace(PLAN, steps=(FIRST, long, HAND)), width=width).splitlines():
        assert cell_len(line) <= width


def test_colours_add_nothing_but_colours() -> None:
    coloured = render(PLAN, width=80, colour=True)
    assert "\x1b[32m+disable_vrfy_command = yes" in coloured
    assert "\x1b[31m-disable_vrfy_command = no" in coloured
    assert "\x1b[" not in render(PLAN, width=80)


def test_pieces_of_a_file_stand_apart() -> None:
    diff = "--- a.conf\n+++ a.conf\n@@ -1 +1 @@\n-x\n+y\n@@ -9 +9 @@\n z\n+q\n"
    page = render(replace(PLAN, steps=(replace(FIRST, diff=diff),)), width=80)
    assert "     --- a.conf\n     -x\n     +y\n     …\n      z\n     +q\n" in page


def test_what_each_step_ends() -> None:
    assert "ends  GP-RELAY-006/users-not-told@mx1.example.org:25" in render(PLAN, width=80, verbose=True)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ((), "no step to take"),
        ((FIRST,), "1 step on mx1.example.org"),
        ((FIRST, replace(SECOND, host="mx2.example.org")), "2 steps on mx1.example.org, mx2.example.org"),
        ((HAND,), "1 step by hand on mx1.example.org"),
        ((FIRST, HAND), "1 step on mx1.example.org, 1 by hand"),
    ],
)
def test_summary(steps: tuple[Step, ...], words: str) -> None:
    assert summary(replace(PLAN, steps=steps)) == words


def test_nothing_to_do() -> None:
    assert render(Plan("x", NOW, "gatepost.toml")) == "✔ nothing to do: what is there is what is declared\n"


def test_words_of_strangers_command_no_terminal() -> None:
    assert "\x1b" not in render(
        replace(PLAN, steps=(replace(FIRST, why="\x1b[2J", title="\x1b]0;x\x07", diff="+\x1b[1m"),))
    )


@given(st.builds(Plan, steps=st.lists(st.builds(Step), max_size=3).map(tuple)))
def test_what_is_saved_comes_back(plan: Plan) -> None:
    text = to_json(plan)
    assert read_json(text) == plan
    assert to_json(read_json(text)) == text


def test_the_form_is_a_contract() -> None:
    loaded = json.loads(to_json(PLAN))
    assert loaded["schema"] == "gatepost/plan/1"
    assert {"before", "declaration", "digest", "id", "made_at", "notes", "steps"} <= set(loaded)
    assert loaded["steps"][0]["kind"] == "postfix"
    assert set(loaded["steps"][0]) == {
        "acts", "already", "by_hand", "checks", "controls", "diff", "found", "host", "key", "kind", "promises", "risk",
        "settles", "title", "touches", "undo", "why", "writes",
    }  # fmt: skip


def changed(change: str) -> str:
    loaded: dict[str, Any] = json.loads(to_json(PLAN))
    match change:
        case "argv":
            loaded["steps"][0]["acts"][0]["argv"] = ["rm", "-rf", "/"]
        case "step":
            del loaded["steps"][1]
        case "unknown":
            loaded["steps"][0]["sudo"] = True
        case "kind":
            loaded["steps"][0]["kind"] = "rocket"
        case "schema":
            loaded["schema"] = "gatepost/plan/2"
        case "digest":
            del loaded["digest"]
        case "many":
            loaded["steps"] *= 1000
        case "type":
            loaded["steps"][0]["acts"] = "postconf"
    return json.dumps(loaded)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (changed("argv"), "digest: the plan was changed after it was made"),
        (changed("step"), "digest: the plan was changed"),
        (changed("digest"), "digest: the plan was changed"),
        (changed("unknown"), "steps[0].sudo: not a part of a plan"),
        (changed("kind"), "steps[0].kind: expected one of dns, dovecot"),
        (changed("schema"), "schema: expected 'gatepost/plan/1', got 'gatepost/plan/2'"),
        (changed("many"), "steps: at most 2000 are read"),
        (changed("type"), "steps[0].acts: expected a list"),
        ("", "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "expected an object, got a list"),
        ('{"schema": "gatepost/plan/1"}', "steps: expected a list, got null"),
        ('{"schema": NaN}', "not JSON"),
        ("x" * (64 * 1024 * 1024 + 1), "this is no plan"),
    ],
    ids=["argv", "step", "digest", "unknown", "kind", "schema", "many", "type", *map(str, range(6))],
)
def test_what_is_no_plan_is_refused_in_one_line(text: str, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_json(text, "plan.json")
    assert words in str(refused.value)
    assert str(refused.value).startswith("plan.json: ")
    assert "\n" not in str(refused.value)

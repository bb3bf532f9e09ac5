from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.errors import PeerGarbled, PeerLimited
from gatepost.wire.lines import MAX_LINES, Talk
from gatepost.wire.replies import Reply, ReplyReader, reply
from tests.script import Script, run


def read(*lines: str) -> Reply | None:
    reader = ReplyReader()
    whole = None
    for line in lines:
        assert whole is None, "the reply was over"
        whole = reader.feed(line)
    return whole


@pytest.mark.parametrize(
    ("lines", "code", "texts"),
    [
        (("250 ok",), 250, ("ok",)),
        (("250",), 250, ("",)),
        (("250 ",), 250, ("",)),
        (("250-a", "250-", "250 c"), 250, ("a", "", "c")),
        (("220-teaser", "521 go away"), 521, ("teaser", "go away")),
        (("502 code 220",), 502, ("code 220",)),
        (("250-\r\x85x", "250 y"), 250, ("\r\x85x", "y")),
    ],
)
def test_replies(lines: tuple[str, ...], code: int, texts: tuple[str, ...]) -> None:
    assert read(*lines) == Reply(code, texts)


@pytest.mark.parametrize(
    "line", ["", "2500 x", "25", "250_x", "250:x", "150 x", "650 x", " 250 x", "250x", "abc", "٢٥٠ x"]
)
def test_what_is_no_reply(line: str) -> None:
    with pytest.raises(PeerGarbled):
        read(line)


def test_a_flood_of_lines() -> None:
    reader = ReplyReader()
    for _ in range(MAX_LINES - 1):
        assert reader.feed("250-x") is None
    with pytest.raises(PeerGarbled):
        reader.feed("250-x")


def test_421_is_a_limit_whatever_was_asked() -> None:
    with pytest.raises(PeerLimited, match=r"421 4\.7\.0 too fast"):
        run(reply(Talk(Script.of("< 421 4.7.0 too fast"))))


@given(
    st.integers(200, 599).filter(lambda code: code != 421),
    st.lists(st.text("abc -\0\xff", max_size=9), min_size=1, max_size=9),
    st.sampled_from([0, 1, 2, 3, 7]),
)
def test_what_was_rendered_is_read_back(code: int, texts: list[str], cut: int) -> None:
    lines = [f"{code}-{text}" for text in texts[:-1]] + [f"{code} {texts[-1]}"]
    script = Script.of("", cut)
    script.steps = [f"< {line}" for line in lines]
    assert run(reply(Talk(script))) == Reply(code, tuple(texts))

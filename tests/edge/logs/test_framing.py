from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gatepost.edge.logs.cutting import LONGEST
from gatepost.edge.logs.framing import Frames

messages = st.binary(max_size=40).map(lambda text: b"<22>a " + text.replace(b"\n", b"").replace(b"\0", b"") + b"z")
framed = st.lists(st.tuples(messages, st.sampled_from(["count", "end", "crlf"])), max_size=8)


def _sent(message: bytes, how: str) -> bytes:
    if how == "count":
        return b"%d %s" % (len(message), message)
    return message + (b"\r\n" if how == "crlf" else b"\n")


def _fed(stream: bytes, cuts: list[int]) -> list[bytes]:
    frames = Frames()
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    lines = [line for a, b in pairwise(edges) for line in frames.feed(stream[a:b])]
    return lines + frames.close()[0]


@given(framed, st.lists(st.integers(0, 999), max_size=8))
def test_both_framings_on_one_connection_cut_anywhere(sent: list[tuple[bytes, str]], cuts: list[int]) -> None:
    stream = b"".join(_sent(*one) for one in sent)
    assert _fed(stream, cuts) == [message + b"\n" for message, _ in sent]


@given(st.binary(max_size=300), st.lists(st.integers(0, 999), max_size=8))
def test_any_bytes_give_the_same_lines_however_cut(stream: bytes, cuts: list[int]) -> None:
    assert _fed(stream, cuts) == _fed(stream, [])
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in _fed(stream, cuts))


def test_a_line_feed_inside_a_message_begins_no_line() -> None:
    assert Frames().feed(b"16 <22>a\n<22>forged") == [b"<22>a#012<22>forged\n"]


def test_what_is_too_long_is_cut_and_the_next_is_whole() -> None:
    frames = Frames()
    lines: list[bytes] = []
    stream = b"9000000 <22>" + b"x" * (9_000_000 - 4) + b"<22>" + b"y" * 9_000_000 + b"\n7 <22>abc"
    for at in range(0, len(stream), 100_000):
        lines += frames.feed(stream[at : at + 100_000])
        assert len(frames.held) <= LONGEST + 10
    assert [len(line) for line in lines] == [LONGEST + 1, LONGEST + 1, 8]
    assert frames.cut == 2


def test_a_counted_message_that_breaks_off_is_no_line() -> None:
    frames = Frames()
    assert frames.feed(b"100 <22>half") == []
    assert frames.close() == ([], True)

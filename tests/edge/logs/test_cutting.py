from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gatepost.edge.logs.cutting import LONGEST, Cutter, Piece

streams = st.lists(
    st.sampled_from([b"a\n", b"\n", b"b" * 100 + b"\n", b"x", b"\0\0", b"c" * LONGEST, b"d" * (LONGEST + 1), b"e\r\n"]),
    max_size=12,
).map(b"".join)


def _cut(stream: bytes, cuts: list[int]) -> list[Piece]:
    cutter = Cutter()
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    found = [piece for a, b in pairwise(edges) for piece in cutter.feed(stream[a:b])]
    return found + cutter.flush()


def _lines(pieces: list[Piece]) -> list[bytes]:
    return [line for piece in pieces for line in piece.lines.splitlines(keepends=True)]


@given(streams, st.lists(st.integers(0, 10**7), max_size=6))
def test_where_a_stream_is_cut_does_not_matter(stream: bytes, cuts: list[int]) -> None:
    whole, cut = _cut(stream, []), _cut(stream, cuts)
    assert [line.strip(b"\0") for line in _lines(cut)] == [line.strip(b"\0") for line in _lines(whole)]


@given(streams, st.lists(st.integers(0, 10**7), max_size=6))
def test_every_piece_is_whole_lines_and_says_where_it_stood(stream: bytes, cuts: list[int]) -> None:
    pieces = _cut(stream, cuts)
    for before, after in pairwise(pieces):
        assert not stream[before.end : after.start].strip(b"\0")
    for piece in pieces:
        assert piece.lines.endswith(b"\n")
        assert max(map(len, piece.lines.split(b"\n"))) <= LONGEST
        if not piece.note:
            assert stream[piece.start : piece.end] == piece.lines


def test_a_line_of_ten_megabytes_is_cut_and_said_and_what_follows_is_whole() -> None:
    stream = b"before\n" + b"x" * 10_000_000 + b"\nafter\n"
    cutter, pieces = Cutter(), []
    for at in range(0, len(stream), 4096):
        pieces += cutter.feed(stream[at : at + 4096])
        assert len(cutter.held) <= LONGEST
    assert [len(piece.lines) for piece in pieces] == [7, LONGEST + 1, 6]
    assert [piece.note for piece in pieces] == ["", "a line of 10000000 bytes was cut at 65536", ""]
    assert pieces[2] == Piece(b"after\n", 10_000_008, 10_000_014)


def test_a_hole_of_zero_bytes_does_not_swallow_the_line_behind_it() -> None:
    cutter = Cutter(100)
    assert cutter.feed(b"\0" * 1_000_000) == []
    assert cutter.feed(b"\0" * 1_000_000 + b"line\n") == [
        Piece(b"line\n", 2_000_100, 2_000_105, "2000000 zero bytes were skipped")
    ]

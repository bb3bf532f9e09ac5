"""Outcomes by address: the same as a list with one entry for each address."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gatepost.firewall.proving.fates import (
    ACCEPT,
    DROP,
    FALL,
    ON,
    UNTRACKED_ACCEPT,
    UNTRACKED_FALL,
    Fates,
    merged,
    untracked,
)
from gatepost.firewall.proving.regions import Region

TOP = 50
marks = st.sampled_from([ACCEPT, DROP, FALL, ON, ACCEPT | DROP, DROP | FALL, ACCEPT | ON])
pair = st.tuples(st.integers(0, TOP), st.integers(0, 12)).map(lambda p: (p[0], min(p[0] + p[1], TOP)))
regions = st.lists(pair, max_size=4).map(Region.of)
scattered = st.sets(st.integers(0, TOP)).map(lambda numbers: Region.of((n, n) for n in numbers))
steps = st.lists(st.tuples(regions | scattered, marks, st.sampled_from(["paint", "add"])), max_size=8)


@st.composite
def laid(draw: st.DrawFn) -> tuple[Fates, list[int]]:
    """One of ours and the plain list it stands for."""
    first = draw(marks)
    fates, plain = Fates(TOP, first), [first] * (TOP + 1)
    for region, mark, how in draw(steps):
        if how == "paint":
            fates.paint(region, mark)
        else:
            fates.add(region, mark)
        plain = [(mark if how == "paint" else old | mark) if n in region else old for n, old in enumerate(plain)]
    return fates, plain


def listed(fates: Fates) -> list[int]:
    return [fates.at(n) for n in range(TOP + 1)]


@given(laid())
def test_painting_and_adding(both: tuple[Fates, list[int]]) -> None:
    fates, plain = both
    assert listed(fates) == plain
    assert [n for s, e, _ in fates.pieces() for n in range(s, e + 1)] == list(range(TOP + 1))
    assert all(a != b for a, b in zip(fates.marks, fates.marks[1:], strict=False))


@given(laid(), laid(), regions | scattered, st.booleans())
def test_laying_one_on_another(
    below: tuple[Fates, list[int]],
    above: tuple[Fates, list[int]],
    region: Region,
    keep: bool,  # noqa: FBT001 - drawn
) -> None:
    below[0].lay(region, above[0], keep=keep)
    wanted = [
        (b | (a if keep else 0)) if n in region else a for n, (a, b) in enumerate(zip(below[1], above[1], strict=True))
    ]
    assert listed(below[0]) == wanted


@given(laid(), laid(), laid())
def test_going_on_by_outcome(
    first: tuple[Fates, list[int]], after: tuple[Fates, list[int]], fell: tuple[Fates, list[int]]
) -> None:
    found = first[0].then({ACCEPT: after[0], FALL: fell[0]})
    wanted = [
        (mark & ~(ACCEPT | FALL)) | (after[1][n] if mark & ACCEPT else 0) | (fell[1][n] if mark & FALL else 0)
        for n, mark in enumerate(first[1])
    ]
    assert listed(found) == wanted


@given(laid(), laid())
def test_several_together(one: tuple[Fates, list[int]], other: tuple[Fates, list[int]]) -> None:
    found = merged((one[0], other[0]), lambda pair: pair[0] | pair[1], TOP)
    assert listed(found) == [a | b for a, b in zip(one[1], other[1], strict=True)]


@given(laid())
def test_where_something_is_certain(both: tuple[Fates, list[int]]) -> None:
    fates, plain = both
    region = fates.where(lambda mark: mark == ACCEPT)
    assert [n in region for n in range(TOP + 1)] == [mark == ACCEPT for mark in plain]


def test_what_is_taken_out_of_conntrack_keeps_its_drops() -> None:
    assert untracked(ACCEPT | DROP | FALL) == UNTRACKED_ACCEPT | DROP | UNTRACKED_FALL

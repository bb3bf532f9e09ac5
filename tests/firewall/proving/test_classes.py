"""Ports that no rule tells apart."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gatepost.firewall.proving.classes import UNTOLD, PortClass, kind_of, port_classes
from gatepost.firewall.proving.regions import HIGHEST_PORT, Region

spans = st.tuples(st.integers(0, HIGHEST_PORT), st.integers(0, 300)).map(lambda p: (p[0], min(sum(p), HIGHEST_PORT)))
sets = st.lists(st.lists(spans, min_size=1, max_size=3).map(Region.of), max_size=5)


@given(sets, st.sets(st.integers(1, HIGHEST_PORT), max_size=4))
def test_every_port_is_in_one_class_and_a_class_is_in_or_out_of_each_set(told: list[Region], cuts: set[int]) -> None:
    found = port_classes(told, cuts)
    assert found[0].first == 1
    assert found[-1].last == HIGHEST_PORT
    assert all(a.last + 1 == b.first for a, b in pairwise(found))
    assert all(any(c.first == c.last == port for c in found) for port in cuts)
    for region in told:
        for one in found:
            assert (one.first in region) == (one.last in region)


@given(sets)
def test_one_kind_means_the_same_sets(told: list[Region]) -> None:
    by_kind: dict[int, set[tuple[bool, ...]]] = {}
    for one in port_classes(told):
        by_kind.setdefault(one.kind, set()).add(tuple(one.first in region for region in told))
    assert all(len(same) == 1 for same in by_kind.values())


def test_a_port_in_no_set_is_untold() -> None:
    found = port_classes([Region((25,), (25,))])
    assert found == [PortClass(1, 24, UNTOLD), PortClass(25, 25, found[1].kind), PortClass(26, HIGHEST_PORT, UNTOLD)]
    assert kind_of(found, 25) != UNTOLD == kind_of(found, 26)

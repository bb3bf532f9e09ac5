"""Sets of numbers as intervals: the same as sets of numbers."""

from __future__ import annotations

from ipaddress import ip_network

from hypothesis import given
from hypothesis import strategies as st

from gatepost.firewall.proving.regions import EVERYWHERE, Region, networks, of_networks, prefixes

TOP = 60
pairs = st.lists(st.tuples(st.integers(0, TOP), st.integers(0, 9)).map(lambda p: (p[0], min(p[0] + p[1], TOP))))


def plain(region: Region) -> set[int]:
    return {n for low, high in region.pairs() for n in range(low, high + 1)}


@given(pairs, pairs)
def test_like_sets_of_numbers(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    a, b = Region.of(one), Region.of(other)
    assert plain(a & b) == plain(a) & plain(b)
    assert plain(a | b) == plain(a) | plain(b)
    assert plain(a - b) == plain(a) - plain(b)
    assert plain(a.complement(TOP)) == set(range(TOP + 1)) - plain(a)
    assert a.size() == len(plain(a))
    assert all((n in a) == (n in plain(a)) for n in range(TOP + 1))


@given(pairs, pairs)
def test_every_result_is_in_order_and_apart(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    a, b = Region.of(one), Region.of(other)
    for found in (a, a & b, a | b, a - b, a.complement(TOP)):
        ends = [n for pair in found.pairs() for n in pair]
        assert ends == sorted(ends)
        assert all(low > high + 1 for low, high in zip(found.lo[1:], found.hi, strict=False))


@given(pairs, st.integers(0, TOP), st.integers(0, TOP))
def test_a_part_of_it(written: list[tuple[int, int]], low: int, high: int) -> None:
    region = Region.of(written)
    assert plain(region.between(low, high)) == plain(region) & set(range(low, high + 1))


@given(pairs, pairs)
def test_what_is_unimportant_may_go_either_way_and_the_rest_stays(
    one: list[tuple[int, int]], other: list[tuple[int, int]]
) -> None:
    region, unimportant = Region.of(one), Region.of(other)
    found = region.without_gaps(unimportant, TOP)
    assert plain(found) - plain(unimportant) == plain(region) - plain(unimportant)
    assert len(found) <= len(region - unimportant) or not region


def test_everybody_is_one_network_whatever_happens_to_addresses_that_nobody_has() -> None:
    region = EVERYWHERE[4] - of_networks([ip_network("127.0.0.0/8"), ip_network("224.0.0.0/4")])
    unimportant = of_networks([ip_network("127.0.0.0/8"), ip_network("224.0.0.0/4")])
    assert prefixes(region.without_gaps(unimportant, (1 << 32) - 1), 4, 9) == (("0.0.0.0/0",), 0)


@given(
    st.lists(st.integers(0, (1 << 128) - 1).flatmap(lambda n: st.tuples(st.just(n), st.integers(n, (1 << 128) - 1))))
)
def test_networks_make_up_the_region(written: list[tuple[int, int]]) -> None:
    region = Region.of(written)
    assert of_networks(networks(region, 6)) == region


def test_the_widest_come_first_and_the_rest_is_counted() -> None:
    region = of_networks([ip_network("10.0.0.1/32"), ip_network("10.1.0.0/16"), ip_network("10.3.0.0/24")])
    assert prefixes(region, 4, 2) == (("10.1.0.0/16", "10.3.0.0/24"), 1)

"""The matrix as it is shown."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from rich.cells import cell_len

from gatepost.firewall.forbidden import forbidden
from gatepost.firewall.matrix import matrix
from gatepost.model.architecture import Architecture
from gatepost.report.matrix import SCHEMA, render, to_json
from tests.firewall.estate import TOML, architectures, estate
from tests.report.golden import golden


def shown(whole: Architecture, *, width: int = 100, barred: bool = False, everything: bool = False) -> str:
    found = matrix(whole)
    kept = forbidden(found, whole) if barred else None
    return render(found, whole, whole.hosts, kept, width=width, everything=everything)


@pytest.mark.parametrize("width", [80, 120])
def test_as_kept(width: int) -> None:
    text = shown(estate(), width=width)
    assert golden(f"firewall-{width}.txt", text) == text


def test_forbidden_as_kept() -> None:
    text = shown(estate(), width=80, barred=True)
    assert golden("forbidden-80.txt", text) == text


@settings(max_examples=40, deadline=None)
@given(architectures())
def test_nothing_is_wider_than_the_terminal(architecture: Architecture) -> None:
    for width in (60, 80, 120):
        for barred in (False, True):
            for line in shown(architecture, width=width, barred=barred, everything=True).splitlines():
                assert cell_len(line) <= width, line
                assert line.isprintable()


@settings(max_examples=20, deadline=None)
@given(architectures())
def test_every_flow_is_in_the_json(architecture: Architecture) -> None:
    whole = matrix(architecture)
    told = json.loads(to_json(whole, architecture, architecture.hosts, forbidden(whole, architecture)))
    assert told["schema"] == SCHEMA
    flows = {(f["id"], f["address"], f["port"], *f["sources"]) for h in told["hosts"] for f in h["flows"]}
    assert flows == {(f.id, f.address, f.port, *map(str, f.sources)) for f in whole.flows}
    assert [row["ports"] for row in told["forbidden"]] == [list(b.ports) for b in forbidden(whole, architecture)]


def test_every_network_with_verbose() -> None:
    networks = [f"172.16.{n}.0/24" for n in range(0, 20, 2)]
    whole = estate(
        TOML.replace('office = ["192.0.2.0/24"', f'office = ["192.0.2.0/24", {", ".join(map(repr, networks))}')
    )
    assert not all(network in shown(whole) for network in networks)
    assert all(network in shown(whole, everything=True) for network in networks)


def test_colours_say_nothing_of_their_own() -> None:
    whole = estate()
    bright = render(matrix(whole), whole, whole.hosts, colour=True)
    assert "\x1b[" in bright
    plain = "".join(part.partition("m")[2] if n else part for n, part in enumerate(bright.split("\x1b[")))
    assert plain == shown(whole)


def test_an_estate_without_internal_zones_keeps_nobody_from_anything() -> None:
    whole = estate('version = 1\n[hosts.mx]\naddresses = ["192.0.2.1"]\n')
    assert "No internal zone is declared" in shown(whole, barred=True)
    assert "anywhere   no egress is declared" in shown(whole)

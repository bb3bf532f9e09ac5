"""Whole rule sets as kernels print them, and exactly who gets in where.

A file holds objects of `nft -j list ruleset`, one a line (`#` above tells them in nft's words), what iptables-save
says, and the answer. `GATEPOST_RENEW=1` writes the answers anew: read them before believing them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.firewall.proving import overlay, ruleset
from gatepost.firewall.proving.classes import PortClass
from gatepost.firewall.proving.proof import Admission, Proof, sample
from gatepost.firewall.proving.regions import Region
from tests.firewall.around import V4, V6, around

FILES = sorted((Path(__file__).parent / "proofs").glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_who_gets_in(path: Path) -> None:
    given, _, wanted = path.read_text().rpartition("----\n")
    found = "".join(f"{line}\n" for line in answer(*parts(given)))
    if os.environ.get("GATEPOST_RENEW"):
        path.write_text(f"{given}----\n{found}")
    assert found == wanted


def parts(given: str) -> tuple[str, dict[int, str | None]]:
    rules, _, saves = given.partition("---- iptables-save\n")
    four, _, six = saves.partition("---- ip6tables-save\n")
    objects = ",".join(line for line in rules.splitlines() if not line.startswith("#"))
    return f'{{"nftables": [{objects}]}}', {4: four or None, 6: six or None}


def answer(rules: str, saves: dict[int, str | None]) -> Iterator[str]:
    proof = Proof.of(overlay.joined(ruleset.read(rules), saves), around())
    for address in (V4, V6):
        for first, last, admission in alike(proof, address):
            span = f"{first}" if first == last else f"{first}-{last}"
            yield from said(proof, address, first, f"{address} {span}", admission)
    yield from (f"assumed: {sentence}" for sentence in proof.assumed)


def alike(proof: Proof, address: str) -> Iterator[tuple[int, int, Admission]]:
    """Neighbouring classes of ports with the same answer and the same way in."""
    run: list[tuple[PortClass, Admission, object]] = []  # the last: what else tells them apart
    for one in proof.classes():
        admission = proof.inbound(address, one.first)
        region = admission.accepted or admission.undecided
        way: object = (
            proof.paths.translation(proof.inbound_packets(address, one.first), sample(region)) if region else None
        )
        way = one.kind if admission.undecided else way
        if run and (run[-1][1], run[-1][2]) != (admission, way):
            yield run[0][0].first, run[-1][0].last, run[0][1]
            run = []
        run.append((one, admission, way))
    yield run[0][0].first, run[-1][0].last, run[0][1]


def said(proof: Proof, address: str, port: int, what: str, admission: Admission) -> Iterator[str]:
    family = 6 if ":" in address else 4
    outside = proof.outside(family)
    if not admission.accepted & outside and not admission.undecided & outside:
        yield f"{what}: nobody"
    for word, region in (("accepted", admission.accepted), ("cannot tell", admission.undecided)):
        if seen := region & outside:
            yield f"{what}: {word} {' '.join(proof.listed(region, family).prefixes)}"
            yield from why(proof, address, port, seen)


def why(proof: Proof, address: str, port: int, region: Region) -> Iterator[str]:
    found = proof.why(proof.inbound_packets(address, port), sample(region))
    if found.path != "input":
        yield f"  {found.path}"
    yield from (f"  {rule}: {rule.text}" for rule in found.rules)
    yield from (f"  ? {reason}" for reason in found.reasons)

"""What the proof says against what a kernel does: random rule sets, real connections, not one disagreement."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from gatepost.firewall.proving import overlay, ruleset
from gatepost.firewall.proving.proof import Proof, sample
from lab.packets import Lanes, why_not
from lab.proofs import prove
from tests.firewall.around import V4, V6, around

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_not()), reason=why_not() or "can run")]

FLOWS = 10_000
SHARE = 0.1  # of connections about which nothing may be said
FIXTURES = Path(__file__).resolve().parents[3] / "shared" / "notes" / "prototypes" / "fixtures"


def test_ten_thousand_connections_go_as_they_were_said_to_go(capsys: pytest.CaptureFixture[str]) -> None:
    with Lanes() as lanes:
        count = prove(lanes, Random(20261102), FLOWS)  # noqa: S311 - the same rule sets each time
    with capsys.disabled():
        print(f"\n{count}")  # noqa: T201 - the counts are what it is for
    told = "\n\n".join(f"{one} was said to be {word}\n{rules}" for one, word, rules in count.wrong[:2])
    assert not count.wrong, told
    assert count.said["cannot tell"] <= SHARE * count.flows
    assert all(count.said[word] > FLOWS / 5 for word in ("accept", "drop"))
    assert all(count.by_way.get(way, 0) > FLOWS / 20 for way in ("in", "out", "through"))


@pytest.mark.parametrize("name", ["ufw", "firewalld", "docker", "docker29", "iptnft-106"])
def test_rules_of_real_tools_are_read_to_the_end(name: str) -> None:
    """Those of ufw, firewalld and docker leave nothing open once iptables-save tells its part."""
    path = FIXTURES / f"{name}.json"
    if not path.exists():
        pytest.skip(f"{path.name} is not beside the project")
    saves = {family: _text(FIXTURES / f"{name}.v{family}save") for family in (4, 6)}
    proof = Proof.of(overlay.joined(ruleset.read(path.read_text()), saves), around())
    undecided = {
        (address, one.first)
        for address in (V4, V6)
        for one in proof.classes()
        if proof.inbound(address, one.first).undecided & proof.outside(6 if ":" in address else 4)
    }
    assert bool(undecided) == (name == "iptnft-106")  # comes without its iptables-save
    for address, port in undecided:
        region = proof.inbound(address, port).undecided
        assert proof.why(proof.inbound_packets(address, port), sample(region)).reasons


def _text(path: Path) -> str | None:
    return path.read_text() if path.exists() else None

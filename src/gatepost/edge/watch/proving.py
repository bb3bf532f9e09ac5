"""Proof that a block drops: the running rules read back, and evaluated for the address on the way its packets take.

That includes ports that lead into containers: the same evaluation follows translations of addresses.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from ipaddress import ip_network

from gatepost.edge.host.runner import Runner, read
from gatepost.edge.watch.wall import PLACE
from gatepost.firewall.proving.evaluation import TooMuchWork
from gatepost.firewall.proving.proof import Proof
from gatepost.firewall.proving.regions import Region, address, of_networks
from gatepost.firewall.proving.ruleset import NoRuleset
from gatepost.firewall.witness import LEGACY_NAMES
from gatepost.firewall.witness import read as joined
from gatepost.model.bundle import Bundle
from gatepost.servers.asking import FIREWALL

MOST_PORTS = 60


def prove(
    runner: Runner, addresses: Sequence[str], own: Sequence[str], ports: Sequence[int], now: datetime
) -> dict[str, str]:
    """A sentence by address that begins with `proved` where the rules drop it for sure, on every address and port.

    Raises CannotLook as the runner does.
    """
    try:
        proof = joined(_bundle(runner, now))
        return _judged(proof, addresses, [a for a in own if a] or _own(proof), ports[:MOST_PORTS])
    except (NoRuleset, TooMuchWork) as error:
        return dict.fromkeys(addresses, f"not proved: {error}")
    except RecursionError:
        return dict.fromkeys(addresses, "not proved: the rules are nested too deeply")


def _bundle(runner: Runner, now: datetime) -> Bundle:
    ran = tuple(runner.run(argv) for argv in FIREWALL)
    files = tuple(read(runner, path) for path in LEGACY_NAMES.values())
    return Bundle("", now, runner.where, ran, files)


def _own(proof: Proof) -> list[str]:
    found = [(family, proof.around.only_address(family)) for family in (4, 6)]
    return [address(number, family) for family, number in found if number is not None]


def _judged(proof: Proof, addresses: Sequence[str], own: Sequence[str], ports: Sequence[int]) -> dict[str, str]:
    passing = {family: _passing(proof, family, own, ports) for family in (4, 6)}
    return {one: _sentence(one, passing) for one in addresses}


Passing = list[tuple[str, int, Region, bool]]


def _passing(proof: Proof, family: int, own: Sequence[str], ports: Sequence[int]) -> Passing:
    """By our address and port: who gets in for sure, or perhaps."""
    found: Passing = []
    for one in own:
        if (6 if ":" in one else 4) != family:
            continue
        for port in ports:
            admission = proof.inbound(one, port)
            found += [(one, port, admission.accepted, True), (one, port, admission.undecided, False)]
    return found


def _sentence(blocked: str, passing: dict[int, Passing]) -> str:
    net = ip_network(blocked)
    asked = of_networks([net])
    looked = passing[net.version]
    if not looked:
        return f"not proved: the host has no IPv{net.version} address that was looked at"
    for sure in (True, False):
        for own, port, region, certain in looked:
            if certain is sure and asked & region:
                word = "gets in" if sure else "cannot tell whether it gets in"
                return f"not proved: it {word} to {own} port {port}"
    doors = len({(own, port) for own, port, _, _ in looked})
    return f"proved: the running rules drop it at {doors} addresses and ports ({PLACE}, before translation)"

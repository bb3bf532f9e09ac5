"""Where blocks are set: every declared host that can be got onto, or this machine where nothing is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatepost.errors import UsageError

if TYPE_CHECKING:
    from gatepost.edge.host.runner import Ways
    from gatepost.edge.watch.wall import Wall
    from gatepost.model.architecture import Architecture, Host
    from gatepost.watching.spared import Spared


def walls(architecture: Architecture, ways: Ways, *, every_port: bool = False) -> dict[str, tuple[Wall, Host]]:
    """Raises UsageError where hosts are declared and none can be got onto."""
    from gatepost.edge.host import here
    from gatepost.edge.watch.blocks import ports
    from gatepost.edge.watch.wall import Wall
    from gatepost.model.architecture import Host

    hosts = architecture.hosts or (Host("this machine", (), (), via="local"),)
    found = {
        host.name: (Wall(ways.to(way), () if every_port else ports([host])), host)
        for host in hosts
        if (way := here.way(host))
    }
    if not found:
        raise UsageError("no declared host is this machine, and none says how to get onto it: write via for one")
    return found


def sparing(architecture: Architecture, raised: dict[str, tuple[Wall, Host]], together: str = "") -> Spared:
    """With what the hosts tell of their own addresses and gateways."""
    from gatepost.edge.watch.surroundings import gateways, own
    from gatepost.watching.spared import spared

    runners = [wall.runner for wall, _ in raised.values()]
    return spared(
        architecture,
        own=[one for runner in runners for one in own(runner)],
        gateways=[one for runner in runners for one in gateways(runner)],
        together=together,
    )


def plain(text: str) -> str:
    """An address or network in its usual spelling. Raises UsageError for what is none."""
    from ipaddress import ip_network

    from gatepost.logs.addresses import address

    if one := address(text):
        return one
    try:
        net = ip_network(text)
    except ValueError:
        raise UsageError(f"{text[:60]!r} is no address, and no network like 192.0.2.0/24") from None
    return str(net.network_address if net.prefixlen == net.max_prefixlen else net)

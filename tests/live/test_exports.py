"""iptables-restore takes what is rendered for it, and the kernel then does what the matrix says."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from gatepost.firewall.exports import iptables
from gatepost.firewall.matrix import matrix
from tests.firewall.estate import estate
from tests.live.crossing import ADDRESSES, PORTS, TOML, Site, why_not


def _why_not() -> str:
    return why_not() or ("" if shutil.which("iptables-restore") else "needs iptables")


pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(_why_not()), reason=_why_not())]

TOOLS = {4: "iptables", 6: "ip6tables"}
HOOKS = {iptables.IN: "INPUT", iptables.THROUGH: "FORWARD", iptables.OUT: "OUTPUT"}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Loaded twice: the second time changes nothing."""
    site, whole = Site(), estate(TOML)
    try:
        site.up()
        for family, tool in TOOLS.items():
            for _ in range(2):
                text = iptables.render(matrix(whole), whole.hosts[0], family)
                site.run("mx", f"{tool}-restore", "--noflush", stdin=text)
            for chain, hook in HOOKS.items():
                site.run("mx", tool, "-I", hook, "1", "-j", chain)
        yield site
    finally:
        site.down()


def test_each_zone_reaches_what_it_should_and_no_more(site: Site) -> None:
    places = [(address, port) for address in ADDRESSES["mx"] for port in PORTS]
    for zone in ("office", "world"):
        wanted = {
            (f.address, f.port)
            for f in matrix(estate(TOML)).flows
            if f.port in PORTS and (zone == "office" or any(n.prefixlen == 0 for n in f.sources))
        }
        assert site.reached(zone, *places) == wanted


def test_containers_and_neighbours(site: Site) -> None:
    places = [("198.51.100.5", port) for port in (587, 2525, 3306)] + [("172.17.0.2", 3306)]
    assert site.reached("office", *places) == {("198.51.100.5", 587)}
    assert site.reached("world", ("192.0.2.9", 25), ("192.0.2.9", 445)) == set()
    out = [("203.0.113.9", 25), ("203.0.113.9", 443), ("192.0.2.9", 25), ("192.0.2.9", 445)]
    for client in ("box", "mx"):
        assert site.reached(client, *out) == set(out[:3])


def test_nothing_is_doubled(site: Site) -> None:
    for family, tool in TOOLS.items():
        whole = estate(TOML)
        wanted = iptables.render(matrix(whole), whole.hosts[0], family).count("\n-A ")
        assert site.run("mx", f"{tool}-save").count("-A GATEPOST-") == wanted


def test_whatever_can_be_declared_is_taken(site: Site) -> None:
    odd = estate(TOML.replace("office = ", '"Büro \\"1\\"" = ').replace('["office"]', '["Büro \\"1\\""]'))
    for whole in (estate(), odd):
        for host in whole.hosts:
            for family, tool in TOOLS.items():
                text = iptables.render(matrix(whole), host, family)
                site.run("mx", f"{tool}-restore", "--noflush", "--test", stdin=text)

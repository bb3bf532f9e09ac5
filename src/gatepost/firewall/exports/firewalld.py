"""firewalld: a zone of our own with rich rules, and a policy for what leaves the host."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from gatepost.firewall.exports.posture import Admitted, Posture, mail, posture
from gatepost.firewall.rendering.life import DHCP6_SERVER, DHCP_SERVER
from gatepost.model.architecture import Host
from gatepost.model.flows import Matrix, Network

ZONE, POLICY = "gatepost", "gatepost-out"
_RICH = re.compile(
    r'rule family="ipv(?P<family>[46])" source address="(?P<source>[^"]+)" '
    r'port port="(?P<port>\d+)" protocol="tcp" accept'
)
_ALIVE = (
    'rule priority="0" family="ipv4" protocol value="icmp" accept',
    'rule priority="0" family="ipv6" protocol value="ipv6-icmp" accept',
    f'rule priority="0" family="ipv4" port port="{DHCP_SERVER}" protocol="udp" accept',
    f'rule priority="0" family="ipv6" port port="{DHCP6_SERVER}" protocol="udp" accept',
)


def render(matrix: Matrix, host: Host) -> str:
    told = posture(matrix, host)
    made = [f"firewall-cmd --permanent --delete-zone={ZONE} 2>/dev/null || true"]
    made += [f"firewall-cmd --permanent --delete-policy={POLICY} 2>/dev/null || true"]
    made += [f"firewall-cmd --permanent --new-zone={ZONE}", *(_command(f"--zone={ZONE}", rule) for rule in _in(told))]
    leaving = list(_out(told))
    if leaving:
        made += [
            f"firewall-cmd --permanent --new-policy={POLICY}",
            f"firewall-cmd --permanent --policy={POLICY} --add-ingress-zone=HOST",
            f"firewall-cmd --permanent --policy={POLICY} --add-egress-zone=ANY",
            f"firewall-cmd --permanent --policy={POLICY} --set-target={'DROP' if told.closed else 'CONTINUE'}",
            *(_command(f"--policy={POLICY}", rule) for rule in leaving),
        ]
    return "\n".join([
        *(f"# {line}" for line in _head(told)), *made, "firewall-cmd --check-config", "firewall-cmd --reload",
        f"firewall-cmd --set-default-zone={ZONE}", "",
    ])  # fmt: skip


def read(text: str) -> frozenset[Admitted]:
    found = set()
    for line in text.splitlines():
        for word in shlex.split(line, comments=True) if f"--zone={ZONE}" in line else ():
            if row := _RICH.fullmatch(word.removeprefix("--add-rich-rule=")):
                found.add((row["source"], int(row["port"]), int(row["family"])))
    return frozenset(found)


def _head(told: Posture) -> Iterator[str]:
    yield f"gatepost: {told.host}. Needs firewalld 0.9 or newer. Interfaces bound to another zone stay there."
    yield "The zone's default target rejects the rest and lets ICMP through; neighbour discovery is firewalld's own."
    yield "Ports that Docker publishes have a zone of their own; only the nft form holds them to the declaration."


def _in(told: Posture) -> Iterator[str]:
    for one in told.openings:
        for source in one.sources:
            port = f'port port="{one.port}" protocol="tcp"'
            yield f'rule family="ipv{one.family}" source address="{source}" {port} accept'


def _out(told: Posture) -> Iterator[str]:
    """Priorities make the order: exits, the port for mail, exits for any port, what is kept."""
    if not (told.closed or told.muted or told.kept):
        return
    yield from _ALIVE if told.closed else ()
    for one in told.exits:
        for target in one.targets:
            port = (
                f'port port="{one.port}" protocol="{one.transport}"'
                if one.port
                else f'protocol value="{one.transport}"'
            )
            yield f"{_to(target, 10 if one.port else 30)} {port} accept"
    if told.muted:
        for family in (4, 6):
            yield f'rule priority="20" family="ipv{family}" port port="{mail()}" protocol="tcp" reject'
    for network in told.kept:
        yield f'{_to(network, 40)} protocol value="tcp" reject'


def _to(target: Network, priority: int) -> str:
    return f'rule priority="{priority}" family="ipv{target.version}" destination address="{target}"'


def _command(where: str, rule: str) -> str:
    return f"firewall-cmd --permanent {where} --add-rich-rule={shlex.quote(rule)}"

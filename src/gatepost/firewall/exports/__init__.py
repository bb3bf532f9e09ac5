"""The matrix of one host for firewalls that are not ours to load: each dialect renders it, and reads it back.

Reading what was rendered gives the sources and ports that the matrix admits, no more and no less. What a dialect
cannot say stands in comments at its head.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from gatepost.firewall.exports import aws, azure, firewalld, gcp, iptables, kubernetes, pf, ufw
from gatepost.firewall.exports.posture import Admitted, admitted
from gatepost.model.architecture import Host
from gatepost.model.flows import Matrix

__all__ = ["DIALECTS", "Admitted", "Dialect", "admitted"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """`family` 0: both in one text."""

    name: str
    render: Callable[[Matrix, Host], str]
    read: Callable[[str], frozenset[Admitted]]
    family: int = 0


DIALECTS = (
    Dialect("aws", aws.render, aws.read),
    Dialect("azure", azure.render, azure.read),
    Dialect("firewalld", firewalld.render, firewalld.read),
    Dialect("gcp", gcp.render, gcp.read),
    Dialect("ip6tables", partial(iptables.render, family=6), iptables.read, 6),
    Dialect("iptables", partial(iptables.render, family=4), iptables.read, 4),
    Dialect("kubernetes", kubernetes.render, kubernetes.read),
    Dialect("pf", pf.render, pf.read),
    Dialect("ufw", ufw.render, ufw.read),
)

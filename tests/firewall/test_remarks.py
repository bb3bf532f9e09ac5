"""What a declaration implies without saying so."""

from __future__ import annotations

import pytest

from gatepost.firewall.matrix import matrix
from gatepost.firewall.remarks import remarks, unreached
from tests.firewall.estate import estate

HEAD = 'version = 1\n[zones]\nfour = ["192.0.2.0/24"]\nsix = ["2001:db8::/32"]\n[hosts.mx]\n'
BOTH = 'addresses = ["192.0.2.1", "2001:db8::1"]\nmanagement = ["four", "six"]\n'


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ('addresses = ["192.0.2.1"]\nmanagement = ["four"]', ()),
        ('addresses = ["192.0.2.1"]', ("everybody may try to log in over ssh (22): name management to limit it",)),
        (
            'addresses = ["192.0.2.1"]\nmanagement = ["six"]',
            ("nobody can log in over ssh (22): who is named has no network of a family this host has",),
        ),
        (
            f'{BOTH}services = ["smtp", {{ name = "imaps", from = ["six"] }}]',
            ("nobody reaches imaps (993) over IPv4: there is no IPv4 network in six",),
        ),
        (
            'addresses = ["192.0.2.1"]\nmanagement = ["four"]\nservices = ["smtp"]\negress = []',
            ("mail cannot leave: no egress names port 25", "names cannot be looked up: no egress names port 53"),
        ),
        (
            'addresses = ["192.0.2.1"]\nmanagement = ["four"]\nservices = ["smtp"]\negress = [{ to = ["four"] }]',
            (),
        ),
        (
            f'{BOTH}management_ports = [2222]\negress = [{{ to = ["four"], ports = ["dns"], transport = "udp" }}]',
            (),
        ),
    ],
)  # fmt: skip
def test_remarks(host: str, said: tuple[str, ...]) -> None:
    whole = estate(HEAD + host + "\n")
    assert remarks(matrix(whole), whole.hosts[0]) == said


def test_what_nobody_reaches() -> None:
    whole = estate()
    assert unreached(matrix(whole), whole.hosts[0]) == ((11332, "rspamd-proxy"),)
    assert unreached(matrix(whole), whole.hosts[1]) == ((6379, "redis"),)

"""What `gatepost init` reads off a machine nobody declared, and what it leaves to the reader as comments."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from gatepost import catalogue, declare
from gatepost.cli import hinting
from gatepost.cli.looking import Looked
from gatepost.cli.machine import Machine, machine
from gatepost.model.architecture import Architecture, Endpoint, Host, Service
from gatepost.model.bundle import Bundle, Ran
from gatepost.model.host import BundleRead, ServerSeen, SettingSeen, SocketSeen
from gatepost.model.observation import Listening, Observation, Run, Seen
from gatepost.model.words import Mode, Role

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = Endpoint("mx.test")
ADDRESSES = {
    "lo": ("127.0.0.1", "::1"),
    "eth0": ("198.51.100.5", "2001:db8:100::5", "fe80::1"),
    "eth1": ("203.0.113.1",),
    "docker0": ("172.17.0.1",),
}
ROUTES = {
    4: (("default", "eth0"), ("198.51.100.0/24", "eth0"), ("203.0.113.0/25", "eth1"), ("172.17.0.0/16", "docker0")),
    6: (("default", "eth0"), ("2001:db8:100::/64", "eth0"), ("fe80::/64", "eth0"), ("fe80::/64", "eth1")),
}


def taken(*, routes: bool = True) -> Bundle:
    links = [{"ifname": n, "addr_info": [{"local": a} for a in listed]} for n, listed in ADDRESSES.items()]
    ran = [Ran(("ip", "-j", "address"), 0, json.dumps(links))]
    for family, listed in ROUTES.items() if routes else ():
        told = [{"dst": dst, "dev": dev, **({"gateway": "x"} if dst == "default" else {})} for dst, dev in listed]
        ran.append(Ran(("ip", "-j", f"-{family}", "route", "show", "table", "all"), 0, json.dumps(told)))
    return Bundle("mx.test", NOW, "this machine", tuple(ran))


def named(value: str, *, running: bool = True, service: str = "") -> Seen:
    server = ServerSeen(AT, "postfix", "3.7", "/etc/postfix", running=running)
    return Seen((server, SettingSeen(AT, "postfix", "/etc/postfix", service, "myhostname", value)))


def test_a_machine_is_where_its_way_out_is() -> None:
    told = machine(taken(), named("MX.Example.org"))
    assert told == Machine(
        "mx.example.org",
        ("198.51.100.5", "2001:db8:100::5"),
        ("203.0.113.1",),
        (("eth1", ("203.0.113.0/25",)),),
    )


def test_without_routes_no_address_is_thought_the_one() -> None:
    told = machine(taken(routes=False), named("mx.example.org"))
    assert (told.addresses, told.beside) == ((), ())


@pytest.mark.parametrize(
    "seen",
    [
        named("mail"),
        named("localhost.localdomain"),
        named("mx.example.org", running=False),
        named("mx.example.org", service="smtps/inet"),
        named("198.51.100.5"),
        named("no name.example"),
        Seen(()),
    ],
)
def test_a_name_nobody_could_know_it_by_is_none(seen: Seen) -> None:
    assert machine(taken(), seen).name == ""


SMTP = Service("smtp", 25, "smtp", Role.MX, Mode.STARTTLS)
HOST = Host("mx.test", ("198.51.100.5",), (SMTP,))


def hints(*seen: Observation, host: Host = HOST, own: Machine | None = None) -> list[str]:
    looked = Looked(
        Run(Seen(seen), NOW), Architecture(), catalogue.profile("rfc9325"), {}, ("mx.test",), (), mine=False
    )
    return list(hinting.of_host(host, looked, own))


def socket(port: int, address: str = "0.0.0.0", process: str = "") -> SocketSeen:
    return SocketSeen(AT, address, port, 6 if ":" in address else 4, process=process)


def test_listeners_beside_the_declared_are_named_by_process() -> None:
    told = hints(
        BundleRead(AT, NOW, "this machine"), socket(25, process="master"), socket(22, process="sshd"),
        socket(3306, process="mysqld"), socket(24, "::"), socket(11332, "127.0.0.1", "rspamd"),
    )  # fmt: skip
    assert told[0].startswith("Open beside these, and not declared on purpose: 24, 3306 mysqld. ")
    assert not any("rspamd" in line or "sshd" in line for line in told)


def test_from_outside_only_what_answered_is_known() -> None:
    answers = [Listening(Endpoint("mx.test", "198.51.100.5", port)) for port in (22, 24, 25)]
    other = Listening(Endpoint("other.test", "198.51.100.6", 8080))
    assert hints(*answers, other)[0].startswith("Open beside these, and not declared on purpose: 24 lmtp. ")


def test_what_settings_trust_is_offered_for_declaration() -> None:
    told = hints(
        ServerSeen(AT, "postfix", "3.7", "/etc/postfix", running=True),
        ServerSeen(AT, "postfix", "3.7", "/etc/postfix-old"),
        SettingSeen(AT, "postfix", "/etc/postfix", "", "mynetworks", "127.0.0.0/8, [::1]/128 [2001:db8::]/32 hash:/x"),
        SettingSeen(AT, "postfix", "/etc/postfix-old", "", "mynetworks", "10.0.0.0/8"),
    )
    (relaying,) = (line for line in told if line.startswith("relay_clients"))
    assert relaying.startswith('relay_clients = ["2001:db8::/32"]  # ')
    assert not any(line.startswith("proxies") for line in told)


def test_hints_are_comments_and_read_back_when_put_to_use() -> None:
    """Each setting among them is valid as it stands, once its zone is there."""
    own = machine(taken(), named("mx.test"))
    lines = hints(own=own)
    assert (
        lines[0] == "It has other addresses too; add those that mail is to be reached at: 2001:db8:100::5, 203.0.113.1"
    )
    text = declare.write(Architecture("x", hosts=(HOST,)), (), {"mx.test": lines})
    assert declare.read(text, "x.toml", today=date(2026, 3, 1)).hosts[0].management == ()
    used = text.replace("# management", "management").replace("# via", "via").replace('["admin"]', '["192.0.2.0/24"]')
    host = declare.read(used, "x.toml", today=date(2026, 3, 1)).hosts[0]
    assert (host.management, host.via) == (("192.0.2.0/24",), "ssh root@mx.test")


def test_zones_are_the_networks_it_is_in_or_an_example() -> None:
    assert list(hinting.of_zones([machine(taken(), named("mx.test"))]))[1:] == ['eth1 = ["203.0.113.0/25"]']
    assert list(hinting.of_zones([]))[1:] == ['office = ["192.0.2.0/24", "2001:db8:1::/48"]']

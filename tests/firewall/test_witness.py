"""From a bundle to facts: what is told of a host, and why nothing is told where nothing was seen."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network, ip_network

import pytest

from gatepost.firewall.witness import facts
from gatepost.model.architecture import Endpoint, Host
from gatepost.model.bundle import Bundle, FileTaken, Ran
from gatepost.model.flows import Exit, Flow, Matrix
from gatepost.model.observation import Observation, Unobserved, of
from gatepost.model.rules import AdmissionSeen, BanSeen, DeviationSeen, Drift, FirewallSeen, LifeSupportSeen
from gatepost.model.words import Reason
from tests.firewall.around import (
    ACCEPT,
    DROP,
    V4,
    V6,
    bundle,
    chain,
    dport,
    field,
    jump,
    listed,
    match,
    named,
    net,
    rule,
    saddr,
    table,
)

HOST = Host("mx1.example.org", (V4, V6), ())
AT = Endpoint(HOST.name)
EVERYBODY = {4: ip_network("0.0.0.0/0"), 6: ip_network("::/0")}
OFFICE = {4: ip_network("192.0.2.0/24"), 6: ip_network("2001:db8:1::/48")}
ESTABLISHED = match({"ct": {"key": "state"}}, ["established", "related"], "in")
NEIGHBOURS = match(field("icmpv6", "type"), {"set": ["nd-neighbor-solicit", "nd-neighbor-advert"]})
INPUT = chain("inet t input", "input", policy="drop")
LIFE = (
    rule("inet t input", match({"meta": {"key": "iif"}}, "lo"), ACCEPT),
    rule("inet t input", ESTABLISHED, ACCEPT),
    rule("inet t input", NEIGHBOURS, ACCEPT),
)


def flows(port: int, sources: dict[int, IPv4Network | IPv6Network], *, management: bool = False) -> tuple[Flow, ...]:
    return tuple(
        Flow(
            f"{HOST.name}/{port}",
            HOST.name,
            address,
            port,
            (sources[6 if ":" in address else 4],),
            management=management,
        )
        for address in HOST.addresses
    )


MATRIX = Matrix((*flows(25, EVERYBODY), *flows(993, OFFICE)))
OPEN = (
    *LIFE,
    rule("inet t input", dport(25), ACCEPT, handle=10),
    rule("inet t input", saddr(net("192.0.2.0/24")), dport(993), ACCEPT, handle=11),
    rule("inet t input", saddr(net("2001:db8:1::/48")), dport(993), ACCEPT, handle=12),
)


def told(
    *rules: object, matrix: Matrix = MATRIX, taken: Bundle | None = None, forwarding: bool = False
) -> tuple[Observation, ...]:
    text = listed(table("inet", "t"), INPUT, *rules)  # type: ignore[arg-type]  # objects of a rule set
    return facts(taken or bundle(text, forwarding="1\n1\n" if forwarding else "0\n0\n"), HOST, matrix)


def deviations(found: tuple[Observation, ...], direction: str = "input") -> list[DeviationSeen]:
    return [one for one in of(DeviationSeen, found) if one.direction == direction]


def test_rules_as_declared_differ_in_nothing() -> None:
    found = told(*OPEN)
    assert not of(DeviationSeen, found)
    assert not of(Unobserved, found)
    assert all(one.alive for one in of(LifeSupportSeen, found))
    assert {(one.what, one.family) for one in of(LifeSupportSeen, found)} == {
        ("loopback", 4), ("replies", 4), ("path-mtu", 4),
        ("loopback", 6), ("replies", 6), ("path-mtu", 6), ("neighbour-discovery", 6),
    }  # fmt: skip
    (seen,) = of(FirewallSeen, found)
    assert (seen.tables, seen.rules, seen.volatile, seen.ours) == (("inet t",), 6, False, "")


def test_who_is_admitted_to_each_declared_port() -> None:
    admitted = {(one.at.address, one.at.port): one for one in of(AdmissionSeen, told(*OPEN))}
    assert admitted[V4, 25].accepted == ("0.0.0.0/0",)
    assert admitted[V6, 993].accepted == ("2001:db8:1::/48",)
    assert [str(r) for r in admitted[V4, 993].rules] == ["inet t input rule 11"]
    assert (admitted[V4, 993].path, admitted[V4, 993].undecided) == ("input", ())


def test_what_is_wider_and_what_is_closed_with_a_witness_and_its_rule() -> None:
    wide = rule("inet t input", saddr(net("10.0.0.0/8")), dport({"range": [110, 143]}), ACCEPT, handle=20)
    shut = rule("inet t input", saddr("203.0.113.66"), DROP, handle=19)
    found = deviations(told(*LIFE, shut, wide, *OPEN[3:]))
    assert [(d.drift, d.ports, d.sources, d.witness) for d in found] == [
        (Drift.CLOSED, (25, 25), ("203.0.113.66/32",), "203.0.113.66"),
        (Drift.WIDER, (110, 143), ("10.0.0.0/8",), "10.0.0.1"),
    ]
    assert [str(d.rules[-1]) for d in found] == ["inet t input rule 19", "inet t input rule 20"]
    assert found[1].because == "inet t input rule 20 accepts it: ip saddr 10.0.0.0/8 tcp dport 110-143 accept"


def test_a_closed_port_is_told_by_the_policy_that_closes_it() -> None:
    (first, *_) = deviations(told(*LIFE))
    assert (first.drift, first.ports, first.sources) == (Drift.CLOSED, (25, 25), ("0.0.0.0/0",))
    assert first.because == "no rule of inet t input decides it, and its policy drop drops it"


def test_without_any_rule_everything_is_open() -> None:
    found = facts(bundle(listed()), HOST, MATRIX)
    wide = [d for d in deviations(found) if d.at.address == V4]
    assert [d.ports for d in wide] == [(1, 24), (26, 992), (993, 993), (994, 65535)]
    assert {d.because for d in wide} == {"there are no rules at all"}
    assert of(AdmissionSeen, found)[0].accepted == ("0.0.0.0/0",)


def test_a_declared_port_is_never_told_together_with_its_neighbours() -> None:
    assert (993, 993) in [d.ports for d in deviations(facts(bundle(listed()), HOST, MATRIX))]


def test_what_cannot_be_read_is_told_as_such() -> None:
    odd = rule("inet t input", dport(26), match({"meta": {"key": "cpu"}}, 0), ACCEPT, handle=30)
    (one, *_) = deviations(told(*OPEN, odd))
    assert (one.drift, one.ports, one.reasons) == (Drift.CANNOT_TELL, (26, 26), ("meta cpu in inet t input rule 30",))
    assert [str(r) for r in one.rules] == ["inet t input rule 30"]


@pytest.mark.parametrize(
    ("ran", "reason", "detail"),
    [
        (None, Reason.NOT_ASKED, "was not run"),
        (Ran((), 127), Reason.REFUSED, "nft is not installed"),
        (Ran((), 1, stderr="Operation not permitted (you must be root)\n"), Reason.REFUSED, "you must be root"),
        (Ran((), 127, why="no end within 30 s"), Reason.TIMEOUT, "no end within 30 s"),
        (Ran((), 0, "table inet t {"), Reason.GARBLED, "not JSON"),
        (Ran((), 0, '{"nftables": [1]}'), Reason.GARBLED, "no object of a rule set"),
    ],
)
def test_rules_that_could_not_be_read_are_neither_open_nor_closed(ran: Ran | None, reason: Reason, detail: str) -> None:
    taken = bundle(listed())
    mine = (replace(ran, argv=("nft", "-j", "list", "ruleset")),) if ran else ()
    found = facts(replace(taken, ran=mine + taken.ran[1:]), HOST, MATRIX)
    assert [(u.at, u.wanted, u.reason) for u in of(Unobserved, found)] == [(AT, "firewall", reason)]
    assert detail in of(Unobserved, found)[0].detail
    assert len(found) == 1


def test_a_rule_set_that_would_take_too_long_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatepost.firewall.proving.evaluation.MOST_WORK", 10)
    (one,) = told(*OPEN)
    assert isinstance(one, Unobserved)
    assert (one.reason, one.detail) == (Reason.BUDGET, "the rule set is too large to be evaluated in reasonable time")


def test_tables_of_the_old_iptables_leave_their_family_undecided() -> None:
    names = FileTaken("/proc/net/ip_tables_names", exists=True, text="filter\n")
    found = facts(bundle(listed(table("inet", "t"), INPUT, *OPEN), files=(names,)), HOST, MATRIX)
    assert {d.at.address for d in deviations(found)} == {V4}
    assert {(d.drift, d.reasons) for d in deviations(found)} == {
        (Drift.CANNOT_TELL, ("tables of the old iptables are loaded, which nft does not show",))
    }
    by_family = {one.family: one.alive for one in of(LifeSupportSeen, found) if one.what == "replies"}
    assert by_family == {4: None, 6: True}
    assert of(AdmissionSeen, found)[0].undecided == ("0.0.0.0/0",)
    assert of(FirewallSeen, found)[0].blind[0].startswith("IPv4: tables of the old iptables")


def test_iptables_save_of_the_old_iptables_means_the_same() -> None:
    legacy = (
        "# Generated by iptables-save v1.8.9 (legacy) on Mon Nov  2 10:00:00 2026\n*filter\n:INPUT DROP [0:0]\nCOMMIT\n"
    )
    found = facts(bundle(listed(table("inet", "t"), INPUT, *OPEN), saves={4: legacy}), HOST, MATRIX)
    assert {d.drift for d in deviations(found)} == {Drift.CANNOT_TELL}


def test_ports_that_something_listens_on_are_told_as_well() -> None:
    text = (
        'tcp LISTEN 0 511 0.0.0.0:6379 0.0.0.0:* users:(("redis-server",pid=9,fd=6))\n'
        "udp UNCONN 0 0 0.0.0.0:53 0.0.0.0:*\ntcp LISTEN 0 100 [::1]:12340 [::]:*\ntcp LISTEN garbage\n"
    )
    found = facts(bundle(listed(table("inet", "t"), INPUT, *OPEN), Ran(("ss", "-Htulnpe"), 0, text)), HOST, MATRIX)
    ports = {one.at.port for one in of(AdmissionSeen, found)}
    assert ports == {25, 993, 6379, 12340}


def test_ports_of_the_catalogue_that_rules_treat_differently_are_told() -> None:
    found = told(*OPEN, rule("inet t input", dport(4190), ACCEPT))
    assert {one.at.port for one in of(AdmissionSeen, found)} == {25, 993, 4190}


def test_an_address_the_host_does_not_have_is_taken_as_its_own_and_that_is_said() -> None:
    host = replace(HOST, addresses=("203.0.113.80",))
    matrix = Matrix((Flow("a", HOST.name, "203.0.113.80", 25, (EVERYBODY[4],)),))
    onto = rule("inet t input", match(field("ip", "daddr"), V4), dport(25), ACCEPT)
    found = facts(bundle(listed(table("inet", "t"), INPUT, *LIFE, onto)), host, matrix)
    assert not deviations(found)
    assert f"203.0.113.80 is not an address of the host: taken as its {V4}" in of(FirewallSeen, found)[0].assumed


class TestContainers:
    """What docker publishes goes by prerouting and forward, past input."""

    PUBLISHED = (
        table("ip", "nat"),
        chain("ip nat PREROUTING", "prerouting", "nat", -100),
        chain("ip nat DOCKER"),
        rule("ip nat PREROUTING", match({"fib": {"result": "type", "flags": ["daddr"]}}, "local"), jump("DOCKER")),
        rule("ip nat DOCKER", match({"meta": {"key": "iifname"}}, "br-mail", "!="), dport(143),
             {"dnat": {"addr": "172.22.1.250", "port": 143}}, handle=7),
        table("ip", "filter"),
        chain("ip filter FORWARD", "forward", policy="drop"),
        chain("ip filter ufw-user-input"),
        rule("ip filter FORWARD", match({"meta": {"key": "oifname"}}, "br-mail"),
             match(field("ip", "daddr"), "172.22.1.250"), dport(143), ACCEPT, handle=9),
    )  # fmt: skip

    def test_who_published_what_past_whom(self) -> None:
        (one,) = [d for d in deviations(told(*OPEN, *self.PUBLISHED, forwarding=True)) if d.drift is Drift.WIDER]
        assert (one.ports, one.sources, one.path) == ((143, 143), ("0.0.0.0/0",), "forward after dnat 172.22.1.250:143")
        assert one.because == "docker published 143 past ufw: chain DOCKER rule 7"
        assert str(one.rules[-1]) == "ip filter FORWARD rule 9"

    def test_without_forwarding_nobody_gets_there(self) -> None:
        assert not deviations(told(*OPEN, *self.PUBLISHED))

    def test_a_container_is_not_reached_past_what_is_published(self) -> None:
        hole = rule("ip filter FORWARD", match(field("ip", "daddr"), "172.22.1.249"), dport(3306), ACCEPT, handle=12)
        (one,) = deviations(told(*OPEN, *self.PUBLISHED, hole, forwarding=True), "forward")
        assert (one.drift, one.ports, one.target) == (Drift.WIDER, (3306, 3306), "172.22.1.0/24")
        assert one.because == ("ip filter FORWARD rule 12 accepts it: ip daddr 172.22.1.249 tcp dport 3306 accept")

    def test_a_container_is_kept_from_what_its_host_is_kept_from(self) -> None:
        out = rule("ip filter FORWARD", match({"meta": {"key": "iifname"}}, "br-mail"), ACCEPT, handle=13)
        door = Exit("mx1.example.org/egress-1", HOST.name, (ip_network("192.0.2.10/32"),), 636)
        matrix = replace(MATRIX, kept_from=((HOST.name, (OFFICE[4],)),), exits=(door,))
        found = deviations(told(*OPEN, *self.PUBLISHED, out, matrix=matrix, forwarding=True), "forward")
        assert {(d.sources, d.target) for d in found} == {(("172.22.1.0/24",), "192.0.2.0/24")}

    def test_a_ban_in_input_does_not_keep_anybody_from_a_container(self) -> None:
        ban = (
            named("inet t addr-set-dovecot", "ipv4_addr", ["203.0.113.9"]),
            rule("inet t input", dport({"set": [143, 993]}), saddr("@addr-set-dovecot"), {"reject": {}}, handle=5),
        )
        matrix = Matrix((*MATRIX.flows, *flows(143, EVERYBODY)))
        bans = of(BanSeen, told(*ban, *OPEN, *self.PUBLISHED, matrix=matrix, forwarding=True))
        assert [(b.source, b.where, b.passes, b.path) for b in bans] == [
            ("203.0.113.9", "inet t addr-set-dovecot", (143,), "forward after dnat 172.22.1.250:143")
        ]
        assert str(bans[0].rules[-1]) == "ip filter FORWARD rule 9"


class TestBans:
    def test_one_that_holds(self) -> None:
        banned = (named("inet t f2b", "ipv4_addr", ["203.0.113.9"]), rule("inet t input", saddr("@f2b"), DROP))
        assert [(b.source, b.passes) for b in of(BanSeen, told(*banned, *OPEN))] == [("203.0.113.9", ())]

    def test_one_behind_an_accept(self) -> None:
        late = rule("inet t input", saddr("203.0.113.9"), DROP)
        (ban,) = of(BanSeen, told(*OPEN, late))
        assert (ban.source, ban.where, ban.passes) == ("203.0.113.9", "inet t input", (25,))
        assert str(ban.rules[-1]) == "inet t input rule 10"

    def test_one_for_other_ports_says_nothing_of_mail(self) -> None:
        assert not of(BanSeen, told(*OPEN, rule("inet t input", dport(22), saddr("203.0.113.9"), DROP)))

    def test_one_for_some_ports_by_the_way_to_its_chain(self) -> None:
        """As the actions of fail2ban for iptables do it."""
        chains = (
            chain("inet t f2b-sshd"),
            rule("inet t f2b-sshd", saddr("203.0.113.8"), DROP),
            rule("inet t input", dport(22), jump("f2b-sshd")),
            chain("inet t f2b-postfix"),
            rule("inet t f2b-postfix", saddr("203.0.113.9"), DROP),
            rule("inet t input", dport({"set": [25, 465]}), jump("f2b-postfix")),
        )
        assert [b.source for b in of(BanSeen, told(*chains, *OPEN))] == ["203.0.113.9"]

    def test_a_policy_for_a_network_is_no_ban(self) -> None:
        assert not of(BanSeen, told(*OPEN, rule("inet t input", saddr(net("203.0.113.0/24")), DROP)))

    def test_one_that_nobody_can_decide_about(self) -> None:
        odd = rule("inet t input", match({"meta": {"key": "cpu"}}, 0), ACCEPT, handle=3)
        found = told(odd, rule("inet t input", saddr("203.0.113.9"), DROP), *OPEN)
        assert not of(BanSeen, found)
        assert [u.wanted for u in of(Unobserved, found)] == ["bans"]
        assert "meta cpu in inet t input rule 3" in of(Unobserved, found)[0].detail

    def test_thousands_are_told_by_their_place(self) -> None:
        many = [rule("inet t input", saddr(f"203.0.{n // 256}.{n % 256}"), DROP) for n in range(3000)]
        bans = of(BanSeen, told(*many, *OPEN))
        assert 0 < len(bans) < 100
        assert {b.where for b in bans} == {"inet t input"}


class TestLifeSupport:
    def dead(self, *rules: object, matrix: Matrix = MATRIX) -> dict[tuple[str, int], LifeSupportSeen]:
        found = of(LifeSupportSeen, told(*rules, matrix=matrix))
        return {(one.what, one.family): one for one in found if one.alive is not True}

    def test_a_default_of_drop_without_anything_else(self) -> None:
        dead = self.dead(*OPEN[3:])
        assert set(dead) == {
            ("loopback", 4), ("replies", 4), ("path-mtu", 4),
            ("loopback", 6), ("replies", 6), ("path-mtu", 6), ("neighbour-discovery", 6),
        }  # fmt: skip
        assert all(one.alive is False for one in dead.values())
        assert [str(r) for r in dead["neighbour-discovery", 6].rules] == ["inet t input policy"]

    def test_neighbour_discovery_that_only_established_covers_is_dead(self) -> None:
        assert set(self.dead(*LIFE[:2], *OPEN[3:])) == {("neighbour-discovery", 6)}

    def test_neighbour_discovery_from_the_link_alone_is_dead_for_routers_with_global_addresses(self) -> None:
        near = rule("inet t input", saddr(net("fe80::/10")), NEIGHBOURS, ACCEPT)
        assert set(self.dead(*LIFE[:2], near, *OPEN[3:])) == {("neighbour-discovery", 6)}

    def test_hop_limit_255_is_what_neighbours_send(self) -> None:
        near = rule("inet t input", match(field("ip6", "hoplimit"), 255), NEIGHBOURS, ACCEPT)
        assert not self.dead(*LIFE[:2], near, *OPEN[3:])

    def test_some_banned_addresses_do_not_make_replies_dead(self) -> None:
        assert not self.dead(rule("inet t input", saddr(net("203.0.113.0/24")), DROP), *OPEN)

    def test_an_output_that_lets_no_answer_out(self) -> None:
        shut = (chain("inet t output", "output", policy="drop"), rule("inet t output", dport(25), ACCEPT))
        assert set(self.dead(*OPEN, *shut)) == {
            ("loopback", 4), ("replies", 4), ("loopback", 6), ("replies", 6), ("neighbour-discovery", 6),
        }  # fmt: skip

    def test_what_cannot_be_read_is_neither(self) -> None:
        odd = rule("inet t input", match({"rt": {"key": "mtu"}}, 1), DROP, handle=4)
        (one, *_) = self.dead(odd, *OPEN).values()
        assert (one.alive, one.detail) == (None, "rt in inet t input rule 4")

    def test_the_way_in_for_operators(self) -> None:
        matrix = Matrix((*MATRIX.flows, *flows(22, OFFICE, management=True)))
        dead = self.dead(*OPEN, rule("inet t input", saddr(net("192.0.2.0/24")), dport(22), ACCEPT), matrix=matrix)
        assert list(dead) == [("management", 6)]
        assert dead["management", 6].detail == "port 22 from 2001:db8:1::1"


class TestOutput:
    OUTPUT = chain("inet t output", "output", policy="drop")
    KEPT = replace(MATRIX, kept_from=((HOST.name, (OFFICE[4], OFFICE[6])),))

    def test_into_what_it_is_kept_from(self) -> None:
        (one, other) = deviations(told(*OPEN, matrix=self.KEPT), "output")
        assert (one.drift, one.ports, one.sources, one.target) == (
            Drift.WIDER, (1, 65535), ("192.0.2.0/24",), "192.0.2.0/24",
        )  # fmt: skip
        assert other.target == "2001:db8:1::/48"

    def test_closed_by_rule(self) -> None:
        rules = (self.OUTPUT, rule("inet t output", ESTABLISHED, ACCEPT))
        assert not deviations(told(*OPEN, *rules, matrix=self.KEPT), "output")

    def test_by_an_exit_it_may(self) -> None:
        door = Exit("mx1.example.org/egress-1", HOST.name, (ip_network("192.0.2.10/32"),), 636)
        matrix = replace(self.KEPT, exits=(door,))
        rules = (
            self.OUTPUT,
            rule("inet t output", match(field("ip", "daddr"), net("192.0.2.0/24")), dport(636), ACCEPT),
        )
        (one,) = deviations(told(*OPEN, *rules, matrix=matrix), "output")
        assert (one.drift, one.ports) == (Drift.WIDER, (636, 636))
        assert "192.0.2.10/32" not in one.sources
        assert "192.0.2.128/25" in one.sources

    def test_an_exit_that_is_shut(self) -> None:
        door = Exit("mx1.example.org/egress-1", HOST.name, (ip_network("192.0.2.10/32"),), 636)
        (one,) = deviations(told(*OPEN, self.OUTPUT, matrix=replace(self.KEPT, exits=(door,))), "output")
        assert (one.drift, one.ports, one.target) == (Drift.CLOSED, (636, 636), "192.0.2.10/32")

    def test_what_is_implied_must_get_out_somewhere_only(self) -> None:
        dns = Exit("mx1.example.org/to-dns", HOST.name, (EVERYBODY[4],), 53, "udp")
        to_resolver = rule("inet t output", match(field("ip", "daddr"), "203.0.113.53"),
                           match(field("udp", "dport"), 53), ACCEPT)  # fmt: skip
        matrix = replace(MATRIX, exits=(dns,))
        assert not deviations(told(*OPEN, self.OUTPUT, to_resolver, matrix=matrix), "output")
        (one,) = deviations(told(*OPEN, self.OUTPUT, matrix=matrix), "output")
        assert (one.drift, one.ports) == (Drift.CLOSED, (53, 53))

    def test_to_everybody_on_any_port_but_that_of_mail_where_no_exit_names_it(self) -> None:
        door = Exit("mx1.example.org/egress-1", HOST.name, (EVERYBODY[4],))
        matrix = replace(MATRIX, exits=(door,), kept_from=((HOST.name, (EVERYBODY[4],)),), muted=frozenset({HOST.name}))
        found = [d for d in deviations(told(*OPEN, matrix=matrix), "output") if d.at.address == V4]
        assert [(d.drift, d.ports) for d in found] == [(Drift.WIDER, (25, 25))]

    def test_no_mail_to_others_from_a_host_that_relays_none(self) -> None:
        matrix = replace(MATRIX, muted=frozenset({HOST.name}))
        found = [d for d in deviations(told(*OPEN, matrix=matrix), "output") if d.at.address == V4]
        assert [(d.drift, d.ports) for d in found] == [(Drift.WIDER, (25, 25))]


class TestForward:
    ZONES = (("office", (OFFICE[4], OFFICE[6])), ("inner", (ip_network("172.22.1.0/24"),)))
    MATRIX = replace(MATRIX, zones=ZONES)

    def test_between_zones_on_several_interfaces(self) -> None:
        found = deviations(told(*OPEN, matrix=self.MATRIX, forwarding=True), "forward")
        assert {(d.drift, d.ports, d.target, d.sources[0]) for d in found} >= {
            (Drift.WIDER, (1, 65535), "172.22.1.0/24", "0.0.0.0/1"),
            (Drift.WIDER, (1, 65535), "192.0.2.0/24", "172.22.1.0/24"),
        }

    def test_shut_by_a_rule(self) -> None:
        shut = chain("inet t forward", "forward", policy="drop")
        assert not deviations(told(*OPEN, shut, matrix=self.MATRIX, forwarding=True), "forward")

    def test_a_hole_for_one_port(self) -> None:
        hole = (
            chain("inet t forward", "forward", policy="drop"),
            rule("inet t forward", match(field("ip", "daddr"), "172.22.1.9"), dport(3306), ACCEPT, handle=8),
        )
        (one, *_) = deviations(told(*OPEN, *hole, matrix=self.MATRIX, forwarding=True), "forward")
        assert (one.ports, one.target) == ((3306, 3306), "172.22.1.0/24")
        assert str(one.rules[-1]) == "inet t forward rule 8"

    def test_a_router_may(self) -> None:
        matrix = replace(self.MATRIX, routers=frozenset({HOST.name}))
        assert not deviations(told(*OPEN, matrix=matrix, forwarding=True), "forward")

    def test_a_host_that_forwards_nothing(self) -> None:
        assert not deviations(told(*OPEN, matrix=self.MATRIX), "forward")

    def test_where_nobody_read_whether_it_forwards(self) -> None:
        taken = bundle(listed(table("inet", "t"), INPUT, *OPEN), forwarding="?")
        found = deviations(told(taken=taken, matrix=self.MATRIX), "forward")
        assert {(d.drift, d.reasons) for d in found} == {
            (Drift.CANNOT_TELL, ("whether the host forwards packets was not read",))
        }

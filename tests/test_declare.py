"""gatepost.toml: read whole, refused with every problem at once, written so that it reads back the same."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from datetime import date, timedelta
from importlib import resources
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

import jsonschema  # type: ignore[import-untyped] # it ships no types
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatepost import catalogue, declare
from gatepost.errors import DeclarationError, Problem
from gatepost.model.architecture import Architecture, Domain, Host, Selector, Service, Waiver, Zone
from gatepost.model.watching import Delivery, Watching
from gatepost.model.words import Mode, Role

Network = IPv4Network | IPv6Network

TODAY = date(2026, 11, 24)

GOOD = """\
version = 1
organization = "Example"
profile = "rfc9325"

[zones]
internet = ["0.0.0.0/0", "::/0"]
office   = ["192.0.2.0/24", "2001:db8:1::/48"]

[hosts."MX1.example.org"]
addresses = ["198.51.100.5", "2001:DB8::5"]
services = [
  "smtp", "submissions", "imaps",
  { name = "submission", from = ["office"] },
  { name = "pop3", from = ["office"], owner = "helpdesk", until = 2027-03-31, reason = "scanners" },
  { name = "webmail-imap", port = 1144, protocol = "imap", mode = "starttls", exposure = "internal" },
  { name = "imap4-ssl", port = 1993, owner = "a", reason = "b", until = 2026-12-31 },
]

[hosts."192.0.2.9"]

[domains."example.org"]
mx = ["mx1.example.org", { host = "mx.backup.example", external = true }]
dmarc = "reject"
mta_sts = "enforce"
dane = true

[[waivers]]
control = "GP-TLS-004"
subject = "mx1.example.org:25"
owner = "postmaster"
reason = "partner X still sends TLS 1.0"
expires = 2027-01-31
"""


def read(text: str) -> Architecture:
    return declare.read(text, "gatepost.toml", today=TODAY)


def problems(text: str) -> list[str]:
    with pytest.raises(DeclarationError) as caught:
        read(text)
    assert caught.value.name == "gatepost.toml"
    return [str(problem) for problem in caught.value.problems]


def host(*services: str, more: str = "") -> str:
    """A declaration with one host; its services stand on line 4 onwards, one a line."""
    listed = "".join(f"\n{one}," for one in services)
    return f'version = 1\n[hosts.mx]\naddresses = ["192.0.2.1"]\nservices = [{listed}\n]\n{more}'


def test_whole_declaration() -> None:
    found = read(GOOD)
    assert (found.organization, found.profile, found.source) == ("Example", "rfc9325", "gatepost.toml")
    assert found.zones[1] == Zone("office", (ip_network("192.0.2.0/24"), ip_network("2001:db8:1::/48")))
    mx1, literal = found.hosts
    assert (mx1.name, mx1.addresses, mx1.line) == ("mx1.example.org", ("198.51.100.5", "2001:db8::5"), 9)
    assert (literal.name, literal.addresses, literal.services) == ("192.0.2.9", ("192.0.2.9",), ())
    assert found.domains == (
        Domain("example.org", ("mx1.example.org", "mx.backup.example"), "reject", "enforce", dane=True, line=21),
    )
    reason = "partner X still sends TLS 1.0"
    assert found.waivers == (
        Waiver("GP-TLS-004", "mx1.example.org:25", "postmaster", reason, date(2027, 1, 31), line=27),
    )


def test_services_come_from_the_catalogue() -> None:
    services = {s.name: s for s in read(GOOD).hosts[0].services}
    assert services["smtp"] == Service("smtp", 25, "smtp", Role.MX, Mode.STARTTLS, "internet", line=12)
    assert services["submission"].sources == ("office",)
    assert services["pop3"] == Service(
        "pop3",
        110,
        "pop3",
        Role.ACCESS,
        Mode.STARTTLS,
        sources=("office",),
        owner="helpdesk",
        reason="scanners",
        until=date(2027, 3, 31),
        line=14,
    )
    own = services["webmail-imap"]
    assert (own.port, own.protocol, own.role, own.mode) == (1144, "imap", Role.ACCESS, Mode.STARTTLS)
    assert (own.exposure, own.declared) == ("internal", True)
    assert (services["imap4-ssl"].port, services["imap4-ssl"].mode) == (1993, Mode.IMPLICIT)


def test_all_problems_at_once() -> None:
    text = """\
version = 2
profil = "x"
[zones]
internet = []
office = ["192.0.2.1/24", 5]
[hosts.mx1]
addresses = ["1.2.3", "192.0.2.1", "192.0.2.1", "0.0.0.0"]
services = ["smpt", 465, "smtp",
  "smtp", "pop3", { name = "foo", port = 99999 },
  { name = "imaps", form = ["lan"], from = ["ofice"], until = "2027-01-01" },
  { name = "my", port = 1144, protocol = "imapp", mode = "starttls" }, "biff", ["x"]]
[hosts."mx 2"]
address = []
[domains."example.org"]
mx = ["mx11", "other.example"]
dane = "yes"
[[waivers]]
control = "GP-TLS-999"
subject = "x"
owner = " "
reason = "r"
expires = 2027-01-01
[waiver]
"""
    assert problems(text) == [
        "line 1: version: this gatepost reads version 1, got 2",
        'line 2: profil: unknown key; did you mean "profile"?',
        "line 4: zones.internet: is empty: no address would belong to it",
        'line 5: zones.office[0]: "192.0.2.1/24" has bits set behind the prefix; did you mean 192.0.2.0/24?',
        "line 5: zones.office[1]: expected a network like 192.0.2.0/24, got 5",
        'line 7: hosts.mx1.addresses[0]: "1.2.3" is no IPv4 or IPv6 address of a host',
        "line 7: hosts.mx1.addresses[2]: 192.0.2.1 is listed twice",
        'line 7: hosts.mx1.addresses[3]: "0.0.0.0" is no IPv4 or IPv6 address of a host',
        (
            'line 8: hosts.mx1.services[0]: "smpt" is not in the port catalogue and has no port, protocol '
            'and mode; did you mean "smtp"?'
        ),
        'line 8: hosts.mx1.services[1]: expected a service like "submissions", got 465; did you mean "submissions"?',
        "line 9: hosts.mx1.services[3]: port 25 is declared twice, see smtp on line 8",
        "line 9: hosts.mx1.services[4]: pop3 needs owner, reason and until: it is a legacy port that starts in clear",
        "line 9: hosts.mx1.services[5].port: 99999 is no port number, which go from 1 to 65535",
        'line 10: hosts.mx1.services[6].form: unknown key; did you mean "from"?',
        'line 10: hosts.mx1.services[6].from[0]: no zone named "ofice" under [zones]; did you mean "office"?',
        'line 10: hosts.mx1.services[6].until: expected a date without quotes, like 2027-03-31, got "2027-01-01"',
        'line 11: hosts.mx1.services[7].protocol: no protocol named "imapp"; did you mean "imap"?',
        "line 11: hosts.mx1.services[8]: biff runs over UDP; only TCP services are declared",
        'line 11: hosts.mx1.services[9]: expected a service like "submissions", got an array',
        'line 12: hosts."mx 2": "mx 2" is no host name',
        'line 13: hosts."mx 2".address: unknown key; did you mean "addresses"?',
        'line 15: domains."example.org".mx[0]: mx11 is not declared under [hosts]; did you mean "mx1"?',
        (
            'line 15: domains."example.org".mx[1]: other.example is not declared under [hosts]; '
            'write { host = "other.example", external = true } when others run it'
        ),
        'line 16: domains."example.org".dane: expected true or false, got "yes"',
        'line 18: waivers[0].control: no control named "GP-TLS-999"; did you mean "GP-TLS-009"?',
        "line 20: waivers[0].owner: is empty",
        'line 23: waiver: unknown key; did you mean "waivers"?',
    ]


SERVICE = '{{ name = "{}", owner = "o", reason = "r", until = 2027-01-01 }}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = [\n1,\n", "line 3: not TOML: "),
        ("version = 1\nversion = 1", "line 2: not TOML: "),
        ("x = " + "9" * 4000, "line 1: x: unknown key"),
        ("version = 0x" + "f" * 4000, "line 1: version: this gatepost reads version 1, got a very large number"),
        ("version = 1\nx = " + "[" * 4000, "brackets nested too deeply"),
        ("x = " + "9" * 5000, "line 1: a line longer than 4096 characters"),
        ("\n" * 300_000, "longer than 262144 characters"),
        ("a = 1\n" + "a." * 301 + "b = 1", "line 2: a line with more than 300 dots"),
        ("a = '\0'", "line 1: not TOML: "),
        ("# nothing\n", "version: is missing"),
        ("version = true", "line 1: version: expected a whole number, got true"),
        ('version = 1\nprofile = "rfc9235"', 'line 2: profile: no TLS profile named "rfc9235"; did you mean'),
        ("version = 1\nhosts = 5", "line 2: hosts: expected a table, got 5"),
        ("version = 1\nwaivers = 5", "line 2: waivers: expected an array, got 5"),
        ("version = 1\nzones = []", "line 2: zones: expected a table, got an array"),
        ("version = 1\n[zones]\na = 5", "line 3: zones.a: expected an array of networks, got 5"),
        ('version = 1\n[zones]\na = ["::/0", "::/0"]', "line 3: zones.a[1]: ::/0 is listed twice"),
        ("version = 1\n[zones]\n" + "".join(f"z{n} = []\n" for n in range(101)), "line 2: zones: more than 100"),
        ('version = 1\n[zones]\na = ["office"]', 'line 3: zones.a[0]: "office" is no network like'),
        ("version = 1\n[hosts]\nmx = 5", "line 3: hosts.mx: expected a table, got 5"),
        ("version = 1\n[hosts.mx]", "line 2: hosts.mx.addresses: a host needs at least one address"),
        ('version = 1\n[hosts.mx]\naddresses = "::1"', "line 3: hosts.mx.addresses: expected an array, got"),
        ("version = 1\n[hosts.mx]\naddresses = [1]", "line 3: hosts.mx.addresses[0]: expected a string, got 1"),
        (
            'version = 1\n[hosts.MX]\naddresses = ["::1"]\n[hosts."mx."]\naddresses = ["::1"]',
            'line 4: hosts."mx.": mx is declared twice',
        ),
        ('version = 1\n[domains."192.0.2.1"]', 'line 2: domains."192.0.2.1": "192.0.2.1" is no domain name'),
        ("version = 1\n[domains.a]\n[domains.A]", "line 3: domains.A: a is declared twice"),
        ('version = 1\n[domains.a]\nmx = ["b"]', "line 3: domains.a.mx[0]: b is not declared under [hosts]"),
        ('version = 1\n[domains.a]\nmx = ["a b"]', 'line 3: domains.a.mx[0]: "a b" is no host name'),
        (
            'version = 1\n[domains.a]\nmx = [{ hots = "b" }]',
            'line 3: domains.a.mx[0].hots: unknown key; did you mean "host"?',
        ),
        (
            'version = 1\n[domains.a]\ndmarc = "strict"',
            'line 3: domains.a.dmarc: expected none, quarantine or reject, got "strict"',
        ),
        ("version = 1\n[[waivers]]\n", "line 2: waivers[0].control: is missing"),
    ],
)
def test_one_problem(text: str, said: str) -> None:
    assert any(problem.startswith(said) for problem in problems(text))


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ('"imap"', "imap needs owner, reason and until"),
        ('{ name = "imap", owner = "o", until = 2027-01-01 }', "imap needs reason: it is a legacy port"),
        ('{ name = "smtp", mode = "none" }', "smtp needs owner, reason and until: it has no encryption"),
        ('{ name = "submission", mode = "tls-optional" }', "it lets users in without encryption"),
        ('"pop2"', "pop2 needs owner, reason and until"),
        ('"smtp-alt-2525"', "it should be retired"),
        ('{ name = "webmail", port = 8082, protocol = "imap", mode = "none" }', "webmail needs owner"),
        ('{ name = "smtp", until = 2037-01-01 }', "2037-01-01 is more than 10 years away"),
        ('{ name = "mine", port = 8082 }', '"mine" is not in the port catalogue and has no protocol and mode'),
        ('{ name = "smtp", mode = "tls" }', "expected implicit, none, tls-optional or starttls, got"),
        ('{ name = "smtp", from = "office" }', 'expected an array, got "office"'),
        ('{ name = "smtp", until = 2027-01-01T00:00:00 }', "expected a date without quotes"),
        ("true", 'expected a service like "submissions", got true'),
        ('""', "is empty"),
    ],
)
def test_one_service(service: str, said: str) -> None:
    (problem,) = problems(host(service))
    assert problem.startswith("line 5: hosts.mx.services[0]")
    assert said in problem


@pytest.mark.parametrize(
    "service",
    [
        '"lmtp"',
        '"filter-in"',
        '"http"',
        '{ name = "imap", exposure = "loopback" }',
        SERVICE.format("imap"),
        SERVICE.format("pop2"),
    ],
)
def test_good_service(service: str) -> None:
    assert len(read(host(service)).hosts[0].services) == 1


@pytest.mark.parametrize(
    ("zones", "fault"),
    [
        ('a = ["10.0.0.0/8"]\nb = ["10.1.0.0/16"]', False),
        ('a = ["10.1.0.0/16"]\nb = ["10.0.0.0/8", "192.0.2.0/24"]', False),
        ('a = ["0.0.0.0/0"]\nb = ["10.0.0.0/8", "2001:db8::/32"]', False),
        ('a = ["10.0.0.0/9"]\nb = ["10.128.0.0/9"]', False),
        ('a = ["10.0.0.0/8"]\nb = ["10.1.0.0/16", "192.0.2.0/24"]', True),
        ('a = ["10.0.0.0/8"]\nb = ["10.0.0.0/8"]', True),
        ('a = ["2001:db8::/32", "10.0.0.0/8"]\nb = ["2001:db8::/48", "10.0.0.0/7"]', True),
    ],
)
def test_zones_are_nested_or_apart(zones: str, fault: bool) -> None:  # noqa: FBT001 - a column of the table
    text = f"version = 1\n[zones]\n{zones}\n"
    if fault:
        (problem,) = problems(text)
        assert problem.startswith("line 4: zones.b: ")
        assert "neither zone lies inside the other" in problem
    else:
        assert len(read(text).zones) == 2


def test_ends_in_the_past_still_load_and_are_told() -> None:
    waiver = '[[waivers]]\ncontrol = "GP-TLS-004"\nsubject = "*"\nowner = "o"\nreason = "r"\nexpires = 2026-11-24\n'
    pop3 = '{ name = "pop3", owner = "o", reason = "r", until = 2026-11-23 }'
    found = read(host(pop3, SERVICE.format("imap"), more=waiver))
    said = Problem("hosts.mx.services[0].until", "pop3 should have been closed by 2026-11-23", 5)
    assert declare.overdue(found, TODAY) == (said,)
    assert [p.path for p in declare.overdue(found, TODAY + timedelta(days=1))] == [
        "hosts.mx.services[0].until",
        "waivers[0].expires",
    ]


def test_presumed_host() -> None:
    found = declare.presume("mx1.example.org", ("192.0.2.1",))
    services = {s.name: s for s in found.services}
    usual = {"smtp", "submissions", "submission", "imaps", "imap", "pop3s", "pop3", "managesieve", "lmtp"}
    assert usual <= set(services)
    assert not any(s.declared for s in found.services)
    assert len({s.port for s in found.services}) == len(found.services)
    assert services["submissions"] == Service(
        "submissions", 465, "smtp", Role.SUBMISSION, Mode.IMPLICIT, declared=False
    )
    assert {s.protocol for s in found.services} == {"imap", "lmtp", "managesieve", "pop3", "smtp"}


def test_adopted_gives_ends() -> None:
    bare = Architecture(hosts=(declare.presume("mx1", ("192.0.2.1",)),))
    found = declare.adopted(bare, today=date(2028, 2, 29))
    services = {s.name: s for s in found.hosts[0].services}
    assert all(s.declared for s in services.values())
    assert (services["pop3"].owner, services["pop3"].until) == ("postmaster", date(2029, 2, 28))
    assert (services["imaps"].owner, services["imaps"].until) == (None, None)
    assert plain(read(declare.write(found))) == found


def test_written_file_in_words() -> None:
    text = declare.write(read(GOOD))
    assert '  "smtp",  # 25: ' in text
    assert "# pop3 has an end date: it is a legacy port that starts in clear.\n" in text
    assert '{ host = "mx.backup.example", external = true }' in text


def plain(found: Architecture) -> Architecture:
    """Without what a rewritten file changes: lines and its name."""
    hosts = tuple(replace(h, line=None, services=tuple(replace(s, line=None) for s in h.services)) for h in found.hosts)
    return replace(
        found,
        source=None,
        hosts=hosts,
        domains=tuple(replace(d, line=None, dkim=tuple(replace(s, line=None) for s in d.dkim)) for d in found.domains),
        waivers=tuple(replace(w, line=None) for w in found.waivers),
        watching=replace(
            found.watching, line=None, deliver=tuple(replace(d, line=None) for d in found.watching.deliver)
        ),
    )


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(str.strip)
days = st.dates(TODAY, TODAY + timedelta(days=3000))
names = st.from_regex(r"[a-z]([a-z0-9-]{0,6}[a-z0-9])?(\.[a-z]{2,5}){0,2}", fullmatch=True)
known = [p for p in catalogue.ports() if "tcp" in p.transport and p.exposure != "outbound"]


@st.composite
def services(draw: st.DrawFn, zones: list[str]) -> Service:
    row = draw(st.sampled_from(known) | st.none())
    usual = (
        Service(row.id, row.number, row.protocol, Role(row.duty), Mode(row.mode), row.exposure)
        if row
        else Service(draw(texts.filter(lambda t: catalogue.port(t) is None)), 1, "smtp", Role.MX, Mode.NONE)
    )
    return replace(
        usual,
        port=draw(st.just(usual.port) | st.integers(1, 65535)),
        protocol=draw(st.just(usual.protocol) | st.sampled_from(["imap", "pop3"])),
        role=draw(st.just(usual.role) | st.sampled_from(Role)),
        mode=draw(st.just(usual.mode) | st.sampled_from(Mode)),
        exposure=draw(st.just(usual.exposure) | st.sampled_from(["internet", "loopback"])),
        sources=tuple(draw(st.lists(st.sampled_from(zones), max_size=2))) if zones else (),
        owner=draw(texts),
        reason=draw(texts),
        until=draw(days),
    )


dotted = st.from_regex(r"[a-z]{1,4}\.[a-z]{2,5}", fullmatch=True)
mailboxes = st.builds("{}@{}".format, st.from_regex(r"[A-Za-z0-9+._-]{1,8}", fullmatch=True), dotted)
selectors = st.builds(Selector, st.from_regex(r"[a-z0-9]{1,4}(\.[a-z]{1,3})?", fullmatch=True), st.none() | texts, days)


def some(of: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(of, max_size=2, unique_by=lambda one: getattr(one, "name", one)).map(tuple)


@st.composite
def domains(draw: st.DrawFn, exchangers: tuple[str, ...], hosts: list[str]) -> Domain:
    sends = draw(st.booleans())
    sources = st.sampled_from(["192.0.2.7", "198.51.100.0/24", "2001:db8::/32", *hosts])
    return Domain(
        draw(names),
        exchangers,
        draw(st.none() | st.just("none")),
        "testing",
        dane=draw(st.booleans()),
        sends=sends,
        senders=draw(some(sources)) if sends else (),
        includes=draw(some(dotted | st.just("%{ir}._spf.example.net"))) if sends else (),
        dkim=draw(some(selectors)),
        dmarc_reports=draw(some(mailboxes)),
        tls_reports=draw(some(mailboxes | st.just("https://reports.example.net/tls?a=%2C"))),
        caa=draw(some(dotted)),
    )


deliveries = st.builds(
    Delivery,
    st.sampled_from(["mailto:a@example.org", "https://h.example/x?y=1", "syslog://h:1514?tcp", "tgram://a/b"]),
    st.sampled_from(["critical", "high", "info"]),
)


def watchings(zones: list[str]) -> st.SearchStrategy[Watching]:
    return st.builds(
        Watching,
        zone=st.sampled_from(["", "UTC", "+02:00"]),
        keep_days=st.integers(100, 900),
        pseudonymise_days=st.none() | st.integers(1, 99),
        rules=some(texts),
        off=some(texts),
        allow=some(st.sampled_from(["192.0.2.0/24", "2001:db8::7", *zones])),
        block=st.booleans(),
        block_seconds=st.integers(1, 9000),
        block_longest=st.integers(9000, 900_000),
        deliver=st.lists(deliveries, max_size=3).map(tuple),
        metrics=st.sampled_from(["", "[::1]:9117"]),
        syslog=some(st.sampled_from(["udp:0.0.0.0:514", "tls:[::]:6514"])),
        policy=st.sampled_from(["", "127.0.0.1:9118", "/run/gatepost/policy"]),
    )


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    zones = draw(st.lists(texts, max_size=3, unique=True))
    listed = st.lists(services(zones), max_size=4, unique_by=lambda s: s.port)
    hosts = tuple(
        Host(name, ("192.0.2.1", "2001:db8::1"), tuple(draw(listed)))
        for name in draw(st.lists(names, max_size=3, unique=True))
    )
    exchangers = tuple(draw(st.lists(names, max_size=3, unique=True)))
    domain = draw(domains(exchangers, [h.name for h in hosts]))
    waiver = Waiver("GP-TLS-004", draw(texts), draw(texts), draw(texts), draw(days))
    return Architecture(
        organization=draw(st.just("") | texts),
        profile=draw(st.sampled_from(catalogue.profile_names())),
        zones=tuple(Zone(name, (ip_network(f"10.{n}.0.0/16"),)) for n, name in enumerate(zones)),
        hosts=hosts,
        domains=(domain,) if draw(st.booleans()) else (),
        waivers=(waiver,) if draw(st.booleans()) else (),
        resolver=(resolver := draw(st.sampled_from(["", "192.0.2.53", "2001:db8::53#5353"]))),
        resolver_trusted=bool(resolver) and draw(st.booleans()),
        watching=draw(watchings(zones)),
    )


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(architectures())
def test_what_is_written_reads_back(wanted: Architecture) -> None:
    text = declare.write(wanted)
    assert plain(read(text)) == wanted
    assert problems_of_schema(text) == []


SCHEMA = declare.schema()


def problems_of_schema(text: str) -> list[str]:
    """As an editor sees it: dates are strings there."""
    document = json.loads(json.dumps(tomllib.loads(text), default=str))
    return [error.message for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(document)]


def test_schema_is_a_schema_and_takes_the_shorthand() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert problems_of_schema(GOOD) == []


@pytest.mark.parametrize(
    "text",
    [
        "version = 2",
        "version = 1\nprofil = 'x'",
        "version = 1\n[hosts.mx]\nservices = ['smpt']",
        "version = 1\n[hosts.mx]\nservices = [{ name = 'smtp', form = [] }]",
        "version = 1\n[zones]\na = []",
        "version = 1\n[domains.a]\ndane = 'yes'",
    ],
)
def test_schema_refuses(text: str) -> None:
    assert problems_of_schema(text)


def test_schema_published_in_the_package_is_current() -> None:
    """Refresh it with: ./gatepost schema -o src/gatepost/catalogue/data/gatepost.schema.json"""
    published = resources.files("gatepost.catalogue").joinpath("data", "gatepost.schema.json")
    assert json.loads(published.read_text(encoding="utf-8")) == declare.schema()


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.text() | st.text(alphabet="[]{}=.,#'\"\n\\ab1-") | st.binary().map(lambda b: b.decode("latin-1")))
def test_any_text_is_refused_with_reasons(text: str) -> None:
    """No random text is a declaration, because `version = 1` is asked for."""
    assert not text or problems(text)


def test_empty_file_declares_nothing() -> None:
    assert read("") == Architecture()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.characters(codec="utf-8")), max_size=4))
def test_changed_declaration_reads_or_is_refused(changes: list[tuple[int, str]]) -> None:
    text = list(GOOD)
    for at, character in changes:
        text[at] = character
    try:
        found = read("".join(text))
    except DeclarationError as error:
        said = [str(problem) for problem in error.problems]
    else:
        assert plain(read(declare.write(found))) == plain(found)
        said = ["well"]
    assert said
    assert all(line.isprintable() for line in said)


networks = st.builds(
    lambda first, length: ip_network((first << (32 - length), length)),
    st.integers(0, 7),
    st.integers(3, 5),
) | st.builds(lambda first: ip_network((first << 125, 3)), st.integers(0, 3))


@given(st.lists(networks, min_size=1, max_size=4, unique=True), st.lists(networks, min_size=1, max_size=4, unique=True))
def test_zones_against_a_plain_count(first: list[Network], second: list[Network]) -> None:
    """The sweep over sorted networks says what comparing each with each says."""
    listed = "".join(f"{name} = {[str(n) for n in zone]}\n" for name, zone in (("a", first), ("b", second)))
    shared = any(a.overlaps(b) for a in first for b in second)
    text = f"version = 1\n[zones]\n{listed}"
    if shared and lies_inside(first, second) == lies_inside(second, first):
        assert len(problems(text)) == 1
    else:
        assert len(read(text).zones) == 2


def lies_inside(inner: list[Network], outer: list[Network]) -> bool:
    families = {n.version for n in outer}
    return all(
        any(n.version == o.version and n.prefixlen >= o.prefixlen and n.overlaps(o) for o in outer)
        for n in inner
        if n.version in families
    )


def test_problems_without_end() -> None:
    said = problems("version = 1\n[hosts]\n" + "".join(f"h{n} = {n}\n" for n in range(2000)))
    assert len(said) == 501
    assert said[-1] == "more than 500 problems: the rest is not listed"

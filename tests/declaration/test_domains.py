"""[dns] and the keys of a domain that end up in DNS: read in one spelling, each mistake told in one sentence."""

from __future__ import annotations

from datetime import date

import pytest

from gatepost import declare
from gatepost.errors import DeclarationError
from gatepost.model.architecture import Architecture, Domain, Selector

HEAD = 'version = 1\n[hosts."mx1.example.org"]\naddresses = ["198.51.100.5"]\n'
DOMAIN = f'{HEAD}[domains."example.org"]\n'  # its first key stands on line 5


def read(text: str) -> Architecture:
    return declare.read(text, "gatepost.toml", today=date(2026, 11, 24))


def problems(text: str) -> list[str]:
    with pytest.raises(DeclarationError) as caught:
        read(text)
    return [str(problem) for problem in caught.value.problems]


def domain(keys: str) -> Domain:
    return read(DOMAIN + keys).domains[0]


def test_everything_a_domain_can_say() -> None:
    found = domain("""\
senders = ["192.0.2.7", "198.51.100.0/24", "2001:DB8::/32", "2001:db8:0::1", "MX1.example.org."]
includes = ["_SPF.example.net", "%{ir}._spf.example.com"]
dkim = [
  "S1", { selector = "2026.mail", key = "keys/new.pem" },
  { selector = "old", until = 2027-01-31 },
]
dmarc_reports = ["mailto:dmarc@Example.ORG", "a+b@example.net"]
tls_reports = ["tls@example.org", "https://reports.example.net/v1?tenant=7"]
caa = ["Letsencrypt.org."]
""")
    assert found.sends
    assert found.senders == ("192.0.2.7", "198.51.100.0/24", "2001:db8::/32", "2001:db8::1", "mx1.example.org")
    assert found.includes == ("_spf.example.net", "%{ir}._spf.example.com")
    assert found.dkim == (
        Selector("s1", line=8),
        Selector("2026.mail", "keys/new.pem", line=8),
        Selector("old", until=date(2027, 1, 31), line=9),
    )
    assert found.dmarc_reports == ("dmarc@example.org", "a+b@example.net")
    assert found.tls_reports == ("tls@example.org", "https://reports.example.net/v1?tenant=7")
    assert found.caa == ("letsencrypt.org",)


def test_a_parked_domain_may_withdraw_its_keys() -> None:
    found = domain('sends = false\ndkim = [{ selector = "s1", until = 2026-12-01 }]')
    assert (found.sends, [one.name for one in found.dkim]) == (False, ["s1"])


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ('sends = "no"', 'sends: expected true or false, got "no"'),
        (
            'sends = false\nsenders = ["192.0.2.1"]',
            "senders: a domain with sends = false has none; drop this, or sends",
        ),
        ('sends = false\nincludes = ["a.example"]', "includes: a domain with sends = false has none"),
        ('sends = false\ndkim = ["s1"]', "dkim[0]: a domain with sends = false signs nothing; say until when"),
        ('senders = ["127.0.0.1"]', 'senders[0]: "127.0.0.1" is loopback: no other site sees mail come from there'),
        ('senders = ["::1"]', 'senders[0]: "::1" is loopback'),
        ('senders = ["fe80::1%eth0"]', 'senders[0]: "fe80::1%eth0" has a scope'),
        ('senders = ["169.254.0.0/16"]', 'senders[0]: "169.254.0.0/16" is link-local'),
        ('senders = ["0.0.0.0"]', 'senders[0]: "0.0.0.0" is unspecified'),
        ('senders = ["0.0.0.0/0"]', "senders[0]: 0.0.0.0/0 would let the whole internet send for the domain"),
        (
            'senders = ["192.0.2.1/24"]',
            'senders[0]: "192.0.2.1/24" has bits set behind the prefix; did you mean 192.0.2.0/24?',
        ),
        ('senders = ["192.0.2.1", "192.0.2.1/32"]', "senders[1]: 192.0.2.1 is listed twice"),
        ('senders = ["192.0.2"]', 'senders[0]: "192.0.2" is no address, network or name of a host'),
        (
            'senders = ["mx2.example.org"]',
            'senders[0]: mx2.example.org is not declared under [hosts]; did you mean "mx1.example.org"?',
        ),
        ('senders = ["spf.other.test"]', "senders[0]: spf.other.test is not declared under [hosts]; write its addr"),
        ("senders = [5]", "senders[0]: expected a string, got 5"),
        ('sender = ["192.0.2.1"]', 'sender: unknown key; did you mean "senders"?'),
        ('includes = ["include:a.example"]', 'includes[0]: write the domain alone: "a.example"'),
        ('includes = ["192.0.2.0/24"]', 'includes[0]: "192.0.2.0/24" is an address: addresses go under senders'),
        ('includes = ["v=spf1 -all"]', 'includes[0]: "v=spf1 -all" is no domain whose SPF could be included'),
        ('includes = ["example.org"]', "includes[0]: example.org cannot include itself"),
        ('dkim = ["s1", { selector = "S1" }]', "dkim[1]: selector s1 is listed twice"),
        ('dkim = ["s 1"]', 'dkim[0]: "s 1" is no selector: letters, digits, - and _ make one'),
        ('dkim = ["a..b"]', 'dkim[0]: "a..b" is no selector'),
        ('dkim = [{ selector = "s1._domainkey.example.org" }]', 'dkim[0].selector: write the selector alone: "s1"'),
        (f'dkim = ["{".".join(["a" * 63] * 4)[:240]}"]', "dkim[0]: with the domain its name is longer than 253 char"),
        ('dkim = [{ selector = "s1", keys = "a" }]', 'dkim[0].keys: unknown key; did you mean "key"?'),
        ('dkim = [{ selector = "s1", until = "soon" }]', "dkim[0].until: expected a date without quotes"),
        ('dkim = [{ selector = "s1", until = 2046-01-01 }]', "dkim[0].until: 2046-01-01 is more than 10 years away"),
        ('dkim = [{ key = "a.pem" }]', "dkim[0].selector: is missing"),
        ('dmarc_reports = ["dmarc"]', 'dmarc_reports[0]: "dmarc" is no mail address'),
        ('dmarc_reports = ["a@b.example!10m"]', 'dmarc_reports[0]: "a@b.example!10m" is no mail address'),
        ('dmarc_reports = ["https://a.example"]', 'dmarc_reports[0]: "https://a.example" is no mail address, and'),
        ('dmarc_reports = ["A@b.example", "mailto:A@B.example"]', "dmarc_reports[1]: A@b.example is listed twice"),
        ('tls_reports = ["http://a.example"]', 'tls_reports[0]: "http://a.example" is not safe: reports go to https'),
        ('tls_reports = ["https://a.example/,"]', 'tls_reports[0]: "https://a.example/," is no https URI that fits'),
        ('tls_reports = ["https:///x"]', 'tls_reports[0]: "https:///x" is no https URI that fits'),
        ('tls_reports = ["https://[::1/x"]', 'tls_reports[0]: "https://[::1/x" is no https URI that fits'),
        ('caa = ["Let\'s Encrypt"]', 'caa[0]: "Let\'s Encrypt" is no issuer; authorities go by a domain there'),
        ('caa = "letsencrypt.org"', 'caa: expected an array, got "letsencrypt.org"'),
    ],
)
def test_one_problem(keys: str, said: str) -> None:
    (problem,) = problems(DOMAIN + keys)
    _, _, rest = problem.partition('domains."example.org".')
    assert rest.startswith(said)


def test_a_bad_name_hides_no_bad_key() -> None:
    assert problems('version = 1\n[domains."a b"]\ncaa = ["x"]\ndkim = ["s 1"]\n') == [
        'line 2: domains."a b": "a b" is no domain name',
        'line 3: domains."a b".caa[0]: "x" is no issuer; authorities go by a domain there, like ca.example.net',
        'line 4: domains."a b".dkim[0]: "s 1" is no selector: letters, digits, - and _ make one',
    ]


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("", ("", False)),
        ("[dns]", ("", False)),
        ('[dns]\nresolver = "192.0.2.53"', ("192.0.2.53", False)),
        ('[dns]\nresolver = "127.0.0.1#05353"\ntrusted = true', ("127.0.0.1#5353", True)),
        ('[dns]\nresolver = "[2001:DB8::53]#53"', ("2001:db8::53#53", False)),
    ],
)
def test_resolver(written: str, read_as: tuple[str, bool]) -> None:
    found = read(f"version = 1\n{written}\n")
    assert (found.resolver, found.resolver_trusted) == read_as


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ('resolver = "dns.example.net"', 'line 3: dns.resolver: "dns.example.net" begins with no IP address; expected'),
        ('resolver = "192.0.2.53:53"', 'line 3: dns.resolver: "192.0.2.53:53" begins with no IP address'),
        ('resolver = "192.0.2.53#"', 'line 3: dns.resolver: "" is no port number'),
        ('resolver = "192.0.2.53#70000"', 'line 3: dns.resolver: "70000" is no port number'),
        ("resolver = 53", "line 3: dns.resolver: expected a string, got 53"),
        ("trusted = true", "line 3: dns.trusted: trusts nobody: name the resolver too"),
        ('resolvers = "192.0.2.53"', 'line 3: dns.resolvers: unknown key; did you mean "resolver"?'),
    ],
)
def test_resolver_that_is_none(keys: str, said: str) -> None:
    (problem,) = problems(f"version = 1\n[dns]\n{keys}\n")
    assert problem.startswith(said)


def test_dns_is_a_table() -> None:
    assert problems("version = 1\ndns = 5\n") == ["line 2: dns: expected a table, got 5"]


def test_a_name_in_another_script_is_its_a_labels() -> None:
    found = declare.read(
        'version = 1\n[domains."Müller.example"]\ndmarc = "reject"\n', "gatepost.toml", today=date(2026, 11, 24)
    )
    assert [domain.name for domain in found.domains] == ["xn--mller-kva.example"]

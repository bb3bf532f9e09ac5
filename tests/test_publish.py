"""Declaration against DNS: exactly what is lacking, in an order that breaks nothing, and nothing else touched."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from gatepost.certs.facts import certificate
from gatepost.model.architecture import Architecture, Domain, Host, Selector, Service
from gatepost.model.dns import Security
from gatepost.model.words import Mode, Reason, Role
from gatepost.publish import Given, missing, publish, questions, wanted
from gatepost.records.lookup import Fetched
from gatepost.records.publishing.record import Part
from gatepost.records.sts_policy import Policy, render
from tests.authority import HOST, issue
from tests.published import (
    BARE,
    DOMAIN,
    IN_ORDER,
    MX1,
    NOW,
    Records,
    applied,
    changes,
    dane,
    facts,
    published,
    serving,
)
from tests.zone import BOGUS, SERVFAIL, TIMEOUT

GOOD = {**BARE, **IN_ORDER}
LEAF = certificate(issue(HOST, names=(HOST,)).der)
OTHER = certificate(issue(HOST, names=(HOST,)).der)
RSA = "v=DKIM1; k=rsa; p=" + "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA" + "A" * 300


def without(records: Records, *keys: str) -> Records:
    return {key: values for key, values in records.items() if key not in keys}


def test_everything_in_order_lacks_nothing() -> None:
    told = published(DOMAIN, GOOD)
    assert (told.steps, told.advice, told.unasked, told.lacking) == ((), (), (), 0)
    assert {one.present for one in told.records} == {True}


def test_nothing_but_an_address() -> None:
    told = published(DOMAIN, BARE)
    found = changes(told)
    assert found["example.org MX"] == ((), ("10 mx1.example.org",))
    assert found["example.org TXT"] == ((), ("v=spf1 ip4:198.51.100.5 ip6:2001:db8::5 -all",))
    assert found["_imaps._tcp.example.org SRV"] == ((), ("0 1 993 mx1.example.org",))
    assert found["_pop3._tcp.example.org SRV"] == ((), ("0 0 0 .",))
    assert "_sieve._tcp.example.org SRV" not in found


@pytest.mark.parametrize(
    ("published_as", "mx", "lacking"),
    [
        (["5 mx1.example.org", "5 mx2.example.net"], ("mx1.example.org", "mx2.example.net"), False),
        (["0 mx1.example.org", "9 mx2.example.net"], ("mx1.example.org", "mx2.example.net"), False),
        (["9 mx1.example.org", "0 mx2.example.net"], ("mx1.example.org", "mx2.example.net"), True),
        (["10 mx1.example.org", "20 old.example.org"], ("mx1.example.org",), True),
        (["10 mx1.example.org", "20 mx1.example.org"], ("mx1.example.org",), True),
    ],
)
def test_exchangers(published_as: list[str], mx: tuple[str, ...], lacking: bool) -> None:  # noqa: FBT001 - a column
    told = published(replace(DOMAIN, mx=mx), GOOD | {"example.org MX": published_as})
    assert ("example.org MX" in changes(told)) is lacking


def test_the_address_of_an_exchanger_comes_before_it() -> None:
    told = published(DOMAIN, {"example.org SOA": BARE["example.org SOA"]})
    addresses = [one for one in told.steps if one.part is Part.ADDRESS]
    (mx,) = (one for one in told.steps if one.part is Part.MX)
    assert [one.change.add for one in addresses if one.change] == [("198.51.100.5",), ("2001:db8::5",)]
    assert (mx.after, mx.wait) == ((1, 2), 900)


def test_other_addresses_than_declared_are_only_told() -> None:
    told = published(DOMAIN, GOOD | {"mx1.example.org A": ["203.0.113.5"]})
    assert told.lacking == 1  # SPF by mx does not admit the declared address any more
    assert "mx1.example.org is declared at 198.51.100.5 too, which DNS does not say." in told.advice


SENDING = replace(DOMAIN, senders=("192.0.2.0/25", "192.0.2.128/25", "mx1.example.org"), includes=("_spf.example.net",))


@pytest.mark.parametrize(
    ("domain", "text"),
    [
        (DOMAIN, "v=spf1 mx -all"),
        (DOMAIN, "V=SPF1 IP4:198.51.100.5/32 ip6:2001:DB8:0::5 -ALL"),
        (DOMAIN, "v=spf1 a:mx1.example.org -all exp=why.example.org"),
        (replace(DOMAIN, dmarc="reject"), "v=spf1 mx ~all"),
        (SENDING, "v=spf1 ip4:192.0.2.0/24 mx include:_SPF.example.net -all"),
        (replace(DOMAIN, sends=False), "v=spf1 -all"),
    ],
)
def test_spf_that_says_the_same_stays(domain: Domain, text: str) -> None:
    told = published(domain, GOOD | {"example.org TXT": [text], "_dmarc.example.org TXT": ["v=DMARC1; p=reject"]})
    assert "example.org TXT" not in changes(told)


@pytest.mark.parametrize(
    ("domain", "texts", "value"),
    [
        (DOMAIN, ["v=spf1 mx ~all"], "v=spf1 ip4:198.51.100.5 ip6:2001:db8::5 -all"),
        (DOMAIN, ["v=spf1 mx ip4:192.0.2.1 -all"], "v=spf1 ip4:198.51.100.5 ip6:2001:db8::5 -all"),
        (DOMAIN, ["v=spf1 mx"], "v=spf1 ip4:198.51.100.5 ip6:2001:db8::5 -all"),
        (DOMAIN, ["v=spf1 ptr -all"], "v=spf1 ip4:198.51.100.5 ip6:2001:db8::5 -all"),
        (DOMAIN, ["v=spf1 redirect=a.example"], "v=spf1 ip4:198.51.100.5 ip6:2001:db8::5 -all"),
        (DOMAIN, ["v=spf1 mx -all", "v=spf1 -all"], "v=spf1 ip4:198.51.100.5 ip6:2001:db8::5 -all"),
        (DOMAIN, ["v=spf1 +all exp=why.example"], "v=spf1 ip4:198.51.100.5 ip6:2001:db8::5 -all exp=why.example"),
        (
            SENDING,
            [],
            "v=spf1 ip4:192.0.2.0/25 ip4:192.0.2.128/25 ip4:198.51.100.5 ip6:2001:db8::5 include:_spf.example.net -all",
        ),
        (replace(DOMAIN, mx=("mx.other.example",)), [], "v=spf1 mx -all"),
        (replace(DOMAIN, sends=False), ["v=spf1 mx -all"], "v=spf1 -all"),
    ],
)
def test_spf_that_does_not(domain: Domain, texts: list[str], value: str) -> None:
    told = published(domain, GOOD | {"example.org TXT": ["site=1", *texts, "v=spf10 no"]})
    removed, added = changes(told)["example.org TXT"]
    assert added == (value,)
    assert set(removed) == set(texts)


def test_a_parked_domain_says_so() -> None:
    parked = Domain("example.org", sends=False, dkim=(Selector("s1", until=date(2026, 1, 1)),))
    records = {
        "example.org SOA": BARE["example.org SOA"],
        "example.org A": ["192.0.2.80"],
        "s1._domainkey.example.org TXT": [RSA],
    }
    assert changes(published(parked, records, hosts=())) == {
        "example.org MX": ((), ("0 .",)),
        "example.org TXT": ((), ("v=spf1 -all",)),
        "s1._domainkey.example.org TXT": ((RSA,), ("v=DKIM1; p=",)),
        "_dmarc.example.org TXT": ((), ("v=DMARC1; p=reject; np=reject",)),
    }
    bare = without(records, "example.org A")
    assert "example.org MX" not in changes(published(parked, bare, hosts=()))
    told = published(parked, records | {"example.org MX": ["10 mx.example.net"]}, hosts=())
    assert "example.org MX" not in changes(told)
    assert "DNS has exchangers for this parked domain (mx.example.net): declare them, or remove them." in told.advice


def test_keys_that_sign() -> None:
    domain = replace(DOMAIN, dkim=(Selector("s1", "s1.pem"), Selector("s2"), Selector("s3", until=date(2026, 11, 23))))
    told = published(domain, GOOD, given=Given(NOW, keys={"s1": RSA}))
    publish_, sign = told.steps
    assert changes(told) == {"s1._domainkey.example.org TXT": ((), (RSA,))}  # s3 was never there
    assert (sign.action, sign.after, sign.wait) == ("Sign with selector s1.", (publish_.number,), 900)
    assert any(one.startswith("Selector s2 has no record") for one in told.advice)


@pytest.mark.parametrize(
    ("day", "lacking"), [(date(2026, 11, 23), True), (date(2026, 11, 24), False), (date(2026, 11, 25), False)]
)
def test_a_key_is_withdrawn_after_its_last_day(day: date, lacking: bool) -> None:  # noqa: FBT001 - a column
    domain = replace(DOMAIN, dkim=(Selector("s1", until=day),))
    told = published(domain, GOOD | {"s1._domainkey.example.org TXT": [RSA]})
    assert bool(told.lacking) is lacking
    withdrawn = published(domain, GOOD | {"s1._domainkey.example.org TXT": ["v=DKIM1;k=rsa; p="]})
    assert withdrawn.lacking == 0


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("v=DMARC1; p=reject; rua=mailto:d@example.org", ""),
        ("v=DMARC1;p=reject;sp=none;np=reject;rua=mailto:D@example.org!10m", ""),
        ("v=DMARC1; p=reject; adkim=s; fo=1", "v=DMARC1; p=reject; np=reject; rua=mailto:d@example.org; adkim=s; fo=1"),
        ("v=DMARC1; p=reject; sp=none; rua=mailto:d@example.org", None),
        ("v=DMARC1; p=none; pct=50; t=y", "v=DMARC1; p=reject; np=reject; rua=mailto:d@example.org"),
        ("v=dmarc1; p=reject", "v=DMARC1; p=reject; np=reject; rua=mailto:d@example.org"),
    ],
)
def test_dmarc(text: str, value: str | None) -> None:
    domain = replace(DOMAIN, dmarc="reject", dmarc_reports=("d@example.org",))
    found = changes(published(domain, GOOD | {"_dmarc.example.org TXT": ["unrelated", text]}))
    if value == "":
        assert not found
    else:
        kept_sp = "v=DMARC1; p=reject; np=reject; rua=mailto:d@example.org; sp=none"
        assert found == {"_dmarc.example.org TXT": ((text,), (value or kept_sp,))}


def test_dmarc_waits_for_what_it_judges_by() -> None:
    domain = replace(DOMAIN, dmarc="reject", dmarc_reports=("a+b;c@example.org",), dkim=(Selector("s1", "k"),))
    told = published(domain, without(GOOD, "example.org TXT"), given=Given(NOW, keys={"s1": RSA}))
    (step,) = (one for one in told.steps if one.part is Part.DMARC)
    before = {one.number for one in told.steps if one.part in {Part.SPF, Part.DKIM} and one.change}
    assert (set(step.after), step.wait) == (before, 900)
    assert step.change
    assert step.change.add[0].endswith("rua=mailto:a+b%3Bc@example.org")
    assert any(one.startswith("DMARC goes from nothing to reject at once") for one in told.advice)
    gentle = published(replace(domain, dmarc="none"), without(GOOD, "example.org TXT"))
    (step,) = (one for one in gentle.steps if one.part is Part.DMARC)
    assert (step.after, step.change and step.change.add[0].count("np=")) == ((), 0)


def test_consent_to_reports_about_others() -> None:
    other = Domain("other.example", dmarc="none", dmarc_reports=("d@example.org", "d@reports.example.org"))
    sister = Domain("sub.example.org", dmarc="none", dmarc_reports=("d@example.org",))
    told = published(DOMAIN, GOOD, others=(other, sister))
    assert set(changes(told)) == {
        "other.example._report._dmarc.example.org TXT",
        "other.example._report._dmarc.reports.example.org TXT",
    }
    away = replace(DOMAIN, dmarc="none", dmarc_reports=("d@reports.example.net",))
    told = published(away, GOOD | {"_dmarc.example.org TXT": ["v=DMARC1; p=none; rua=mailto:d@reports.example.net"]})
    name = "example.org._report._dmarc.reports.example.net"
    assert told.lacking == 0
    assert f'Reports to reports.example.net need its consent: its owner publishes {name} TXT "v=DMARC1".' in told.advice


STS = replace(DOMAIN, mta_sts="enforce", tls_reports=("tls@example.org", "https://r.example/T"))
POLICY = render(Policy("enforce", ("mx1.example.org",), 604800))
RPT = {"_smtp._tls.example.org TXT": ["v=TLSRPTv1;rua=https://r.example/T,mailto:tls@example.org"]}
WEB = {"mta-sts.example.org A": ["192.0.2.80"]}
ID = "_mta-sts.example.org TXT"


def sts(records: Records, fetched: Fetched | None, domain: Domain = STS) -> tuple[list[str], list[str]]:
    """Actions, and the values added at _mta-sts."""
    told = published(domain, {**GOOD, **RPT, **WEB, **records}, given=Given(NOW, policy=fetched))
    assert set(changes(told)) <= {ID}
    added = [value for step in told.steps if step.change for value in step.change.add]
    return [step.action for step in told.steps if step.action], added


def test_policy_first_then_its_identifier() -> None:
    gone = Fetched(ok=False, reason=Reason.REFUSED, why="404")
    actions, added = sts({}, gone)
    assert actions == ["Serve the policy at https://mta-sts.example.org/.well-known/mta-sts.txt, as text/plain."]
    (value,) = added
    assert re.fullmatch(r"v=STSv1; id=20261124T1053[0-9a-f]{8};", value)
    assert sts({ID: [value]}, Fetched(ok=True, text=POLICY)) != ([], [])  # its max_age is another one
    told = published(STS, {**GOOD, **RPT, **WEB}, given=Given(NOW, policy=gone))
    assert told.document
    assert (told.document.mode, told.lacking) == ("enforce", 2)
    assert sts({ID: [value]}, Fetched(ok=True, text=told.document.text)) == ([], [])
    assert any(one.startswith("MTA-STS begins with enforce") for one in told.advice)


@pytest.mark.parametrize(
    ("identifier", "policy", "actions", "renewed"),
    [
        ("v=STSv1; id=1;", POLICY, 0, False),
        ("v=STSv1; id=1; more=x;", POLICY.replace("\r\n", "\n"), 0, False),
        ("v=STSv1; id=1", POLICY.replace("enforce", "testing"), 1, True),
        ("v=STSv1; id=1", POLICY.replace("mx1", "mx2"), 1, True),
        ("v=STSv1; id=1", POLICY.replace("mx1", "*"), 0, False),
        ("v=STSv1; id=1", POLICY.replace("max_age", "mx: mx9.example.org\r\nmax_age"), 1, True),
        ("v=STSv1; id=20200101T00000badc0de", POLICY, 0, True),
        ("v=STSv1; id=not-one", POLICY, 0, True),
    ],
)
def test_identifier_follows_the_policy(identifier: str, policy: str, actions: int, renewed: bool) -> None:  # noqa: FBT001 - a column
    done, added = sts({ID: [identifier]}, Fetched(ok=True, text=policy))
    assert (len(done), bool(added)) == (actions, renewed)


def test_fields_of_others_in_the_record_are_kept() -> None:
    _, (value,) = sts({ID: ["v=STSv1; id=1; more=x;"]}, Fetched(ok=True, text=POLICY.replace("enforce", "none")))
    assert value.endswith("; more=x;")


def test_a_policy_nobody_could_fetch_is_not_lacking() -> None:
    lost = Fetched(ok=False, reason=Reason.TIMEOUT, why="no answer within 10 s")
    told = published(STS, {**GOOD, **RPT, **WEB, ID: ["v=STSv1; id=1"]}, given=Given(NOW, policy=lost))
    assert (told.lacking, [one.why for one in told.unasked]) == (0, ["no answer within 10 s"])


def test_a_policy_whose_host_cannot_be_resolved_is_not_lacking() -> None:
    lost = Fetched(ok=False, reason=Reason.REFUSED, why="the resolver cannot resolve it: SERVFAIL")
    records = {**GOOD, **RPT, ID: ["v=STSv1; id=1"]}
    told = published(STS, records, given=Given(NOW, policy=lost), trouble={"mta-sts.example.org": SERVFAIL})
    assert told.lacking == 0
    assert {one.what for one in told.unasked} >= {"https://mta-sts.example.org/.well-known/mta-sts.txt"}


def test_the_end_of_a_policy() -> None:
    end = replace(STS, mta_sts="none")
    assert sts({}, None, end) == ([], [])
    actions, added = sts({ID: ["v=STSv1; id=1"]}, Fetched(ok=True, text=POLICY), end)
    assert (len(actions), len(added)) == (1, 1)


def test_reports_of_failed_encryption() -> None:
    domain = replace(DOMAIN, tls_reports=("tls@example.org",))
    key = "_smtp._tls.example.org TXT"
    assert changes(published(domain, GOOD))[key] == ((), ("v=TLSRPTv1; rua=mailto:tls@example.org",))
    other = "v=TLSRPTv1; rua=mailto:else@example.org"
    assert changes(published(domain, GOOD | {key: [other, "x"]}))[key][0] == (other,)
    assert published(domain, GOOD | {key: ["v=TLSRPTv1; rua=mailto:TLS@example.org;"]}).lacking == 0


def test_issuers() -> None:
    domain = replace(DOMAIN, caa=("ca.example.net", "two.example"))
    there = [
        "0 issue ca.example.net; accounturi=https://a/1",
        "0 issuewild ;",
        "0 issue old.example",
        "0 iodef mailto:a@b",
    ]
    found = changes(published(domain, GOOD | {"example.org CAA": there}))
    assert found == {"example.org CAA": (("0 issue old.example",), ("0 issue two.example",))}


PORTS = {f"_{port}._tcp.mx1.example.org TLSA": [f"3 1 1 {LEAF.spki_sha256}"] for port in (25, 993)}
SERVED = serving(MX1, LEAF, 25, 993)
NEXT = "ab" * 32
OLD = "cd" * 32


def test_tlsa_of_the_keys_that_are_served() -> None:
    told = published(dane(), GOOD, *SERVED)
    assert changes(told) == {key: ((), (value,)) for key, (value,) in PORTS.items()}
    assert published(dane(), GOOD | PORTS, *SERVED).lacking == 0
    two = (
        *serving(MX1, LEAF, 25, 993, addresses=MX1.addresses[:1]),
        *serving(MX1, OTHER, 25, 993, addresses=MX1.addresses[1:]),
    )
    both = changes(published(dane(), GOOD, *two))["_25._tcp.mx1.example.org TLSA"][1]
    assert {value.split()[-1] for value in both} == {LEAF.spki_sha256, OTHER.spki_sha256}


@pytest.mark.parametrize("form", ["3 1 1", "3 0 1", "3 0 2", "3 1 2", "3 0 0", "3 1 0"])
def test_another_form_of_the_same_key_is_as_good(form: str) -> None:
    from base64 import b64decode
    from hashlib import sha256, sha512

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.x509 import load_der_x509_certificate

    der = b64decode(LEAF.der)
    spki = load_der_x509_certificate(der).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    _, selector, matching = form.split()
    octets = spki if selector == "1" else der
    data = {"0": octets.hex(), "1": sha256(octets).hexdigest(), "2": sha512(octets).hexdigest()}[matching]
    records = {key: [f"{form} {data}"] for key in PORTS}
    assert published(dane(), GOOD | records, *SERVED).lacking == 0
    assert published(dane(), GOOD | records, *serving(MX1, OTHER, 25, 993)).lacking == 2


def test_a_next_key_is_published_two_ttls_before_it_is_served() -> None:
    told = published(dane(), GOOD | PORTS, *SERVED, given=Given(NOW, coming=(NEXT,)))
    *added, serve = told.steps
    assert [one.change.add for one in added if one.change] == [(f"3 1 1 {NEXT}",)] * 2
    assert serve.action == "Serve the next key on mx1.example.org:25, mx1.example.org:993."
    assert (serve.after, serve.wait) == ((1, 2), 7200)
    there = {key: [*values, f"3 1 1 {NEXT}"] for key, values in PORTS.items()}
    assert published(dane(), GOOD | there, *SERVED, given=Given(NOW, coming=(NEXT,))).steps == ()


def test_strangers_stay_until_it_is_known_that_none_is_to_come() -> None:
    left = {key: [*values, f"3 1 1 {OLD}", f"2 1 1 {OLD}"] for key, values in PORTS.items()}
    told = published(dane(), GOOD | left, *SERVED)
    assert told.lacking == 0
    assert any(OLD[:10] in one and "mx1.example.org:25, mx1.example.org:993" in one for one in told.advice)
    swept = published(dane(), GOOD | left, *SERVED, given=Given(NOW, closed=True))
    assert changes(swept) == dict.fromkeys(PORTS, ((f"3 1 1 {OLD}",), ()))
    assert {(one.after, one.wait) for one in swept.steps} == {((), 0)}


def test_the_old_record_goes_last() -> None:
    stale = {key: [f"3 1 1 {OLD}"] for key in PORTS}
    told = published(dane(), GOOD | stale, *SERVED, given=Given(NOW, closed=True))
    adding = [one for one in told.steps if one.change and one.change.add]
    removing = [one for one in told.steps if one.change and one.change.remove]
    assert [one.after for one in removing] == [(one.number,) for one in adding]
    assert {one.wait for one in removing} == {7200}
    assert all(one.change and one.change.add == () for one in removing)


def test_a_port_not_seen_everywhere_loses_no_record() -> None:
    half = serving(MX1, LEAF, 25, 993, addresses=("198.51.100.5",))
    records = {key: [*values, f"3 1 1 {OLD}"] for key, values in PORTS.items()}
    told = published(dane(), GOOD | records, *half, given=Given(NOW, closed=True))
    assert told.lacking == 0
    assert [one.what for one in told.unasked] == [f"the key served at mx1.example.org:{port}" for port in (25, 993)]
    unlooked = published(dane(), GOOD | records, given=Given(NOW, looked=False))
    assert (unlooked.lacking, unlooked.unasked) == (0, ())
    assert "Nobody looked at the TLS ports, so TLSA records were left alone." in unlooked.advice


def test_ports_that_share_a_record_through_an_alias() -> None:
    shared = {f"_{port}._tcp.mx1.example.org CNAME": ["_tlsa.mx1.example.org"] for port in (25, 993)}
    told = published(dane(), GOOD | shared | {"_tlsa.mx1.example.org TLSA": [f"3 1 1 {OLD}"]}, *SERVED)
    assert changes(told) == {"_tlsa.mx1.example.org TLSA": ((), (f"3 1 1 {LEAF.spki_sha256}",))}


def test_what_others_run_is_left_to_them() -> None:
    domain = replace(DOMAIN, dkim=(Selector("s1", "k"),))
    alias = {"s1._domainkey.example.org CNAME": ["s1.dkim.other.example"], "s1.dkim.other.example TXT": ["v=DKIM1; p="]}
    told = published(domain, GOOD | alias, given=Given(NOW, keys={"s1": RSA}))
    assert told.lacking == 0
    assert (
        "s1._domainkey.example.org is an alias of s1.dkim.other.example: whoever runs that has to change it."
        in told.advice
    )
    external = published(replace(dane(), mx=("mx1.example.org", "mx.other.example")), GOOD | PORTS, *SERVED)
    assert "mx.other.example is run by others: its TLSA records are theirs to publish." in external.advice


def test_pins_in_a_zone_without_signatures() -> None:
    told = published(dane(), GOOD | PORTS, *SERVED, security=Security.INSECURE)
    assert told.advice == ("example.org is not signed with DNSSEC: no client uses its TLSA records.",)
    assert published(dane(), GOOD | PORTS, *SERVED, security=Security.UNKNOWN).advice == ()


@pytest.mark.parametrize("trouble", [TIMEOUT, BOGUS])
def test_what_could_not_be_asked_is_not_lacking(trouble: tuple[Reason, str]) -> None:
    domain = replace(
        dane(), dmarc="reject", dkim=(Selector("s1", "k"),), caa=("ca.example",), tls_reports=("a@b.example",)
    )
    asked = questions(domain, Architecture(hosts=(MX1,), domains=(domain,)))
    lost = dict.fromkeys((name for name, _ in asked), trouble)
    told = published(domain, BARE, *SERVED, given=Given(NOW, keys={"s1": RSA}), trouble=lost)
    assert (told.lacking, told.steps) == (0, ())
    assert {one.present for one in told.records} == {None}
    assert trouble[1] in {one.why for one in told.unasked}


def test_a_run_without_answers_changes_nothing() -> None:
    from gatepost.model.observation import Seen

    told = publish(DOMAIN, Architecture(hosts=(MX1,), domains=(DOMAIN,)), Seen(), Given(NOW))
    assert told.lacking == 0
    assert "was not asked" in {one.why for one in told.unasked}


def test_a_large_ttl_is_lowered_first() -> None:
    told = published(DOMAIN, GOOD | {"example.org MX": ["10 old.example.org"]}, ttl=86400)
    lower, change, stop = (one for one in told.steps if one.part is Part.MX)
    assert (lower.lowers, lower.ttl, lower.change and lower.change.add) == (True, 300, ("10 old.example.org",))
    assert (change.after, change.wait) == ((lower.number,), 86400)
    assert (stop.action, stop.after) == ("Stop taking mail for the domain at old.example.org.", (change.number,))
    assert told.lacking == 2  # SPF by mx is the other


def test_services_for_some_networks_are_not_told_the_world() -> None:
    office = replace(MX1.services[1], sources=("office",))
    assert not [k for k in changes(published(DOMAIN, BARE, hosts=(replace(MX1, services=(office,)),))) if "SRV" in k]
    ending = replace(MX1.services[1], until=date(2027, 1, 1))
    assert not [k for k in changes(published(DOMAIN, BARE, hosts=(replace(MX1, services=(ending,)),))) if "SRV" in k]
    submission = Service("submission", 587, "smtp", Role.SUBMISSION, Mode.STARTTLS)
    host = Host("mail.example.org", ("198.51.100.6",), (submission, *MX1.services, office))
    found = changes(published(DOMAIN, BARE, hosts=(MX1, host)))
    assert found["_submission._tcp.example.org SRV"] == ((), ("10 1 587 mail.example.org",))
    assert set(found["_imaps._tcp.example.org SRV"][1]) == {"0 1 993 mx1.example.org", "0 1 993 mail.example.org"}
    kept = published(DOMAIN, GOOD | {"_imaps._tcp.example.org SRV": ["7 3 993 mx1.example.org"]})
    assert kept.lacking == 0


def test_reverse_names_are_advice() -> None:
    pointer = "5.100.51.198.in-addr.arpa PTR"
    told = published(DOMAIN, without(GOOD, pointer))
    assert told.lacking == 0
    assert told.advice == (
        "198.51.100.5 has no reverse name: whoever provides the address sets it, to mx1.example.org.",
    )
    told = published(DOMAIN, GOOD | {pointer: ["host5.provider.example"]})
    assert "is called host5.provider.example in reverse, not mx1.example.org" in told.advice[0]


def test_reverse_names_of_inner_addresses_are_nobodys_business() -> None:
    host = replace(MX1, addresses=("10.1.2.3", "127.0.0.1", "fd00::1", "2001:db8::5"))
    domain = replace(DOMAIN, senders=("mx1.example.org", "192.0.2.0/24"))
    asked = [name for name, kind in questions(domain, Architecture(hosts=(host,), domains=(domain,))) if kind == "PTR"]
    assert asked == ["5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"]


def test_a_zone_above_and_a_host_in_another_one() -> None:
    domain = Domain("mail.example.org", ("mx1.hosting.example",), dane=True)
    host = Host("mx1.hosting.example", ("198.51.100.5",), MX1.services[:1])
    records = {
        "example.org SOA": [BARE["example.org SOA"][0]],
        "hosting.example SOA": ["ns9.hosting.example. h. 1 2 3 4 5"],
    }
    told = published(domain, records, *serving(host, LEAF, 25), hosts=(host,))
    zones = {step.change.name: step.change.zone for step in told.steps if step.change}
    assert zones == {
        "mx1.hosting.example": "hosting.example",
        "mail.example.org": "example.org",
        "_25._tcp.mx1.hosting.example": "hosting.example",
    }
    assert dict(told.servers) == {"example.org": "ns1.example.org", "hosting.example": "ns9.hosting.example"}


texts = st.sampled_from(
    [
        "v=spf1 mx -all",
        "v=spf1 ip4:192.0.2.1 ~all",
        "v=spf1 +all",
        "v=spf1 nonsense:: -all",
        "site-verification=1",
        "v=DMARC1; p=none",
        "v=DMARC1; p=reject; np=none; rua=mailto:x@y.example",
        "v=DMARC1",
        "v=TLSRPTv1; rua=mailto:tls@example.org",
        "v=TLSRPTv1",
        "v=STSv1; id=1",
        "v=STSv1; id=!",
        "v=DKIM1; p=",
        RSA,
        "",
    ]
)
names = st.sampled_from(
    ["example.org", "_dmarc.example.org", "_mta-sts.example.org", "_smtp._tls.example.org", "s1._domainkey.example.org"]
)
values = {
    "MX": st.sampled_from(["10 mx1.example.org", "5 old.example.org", "0 .", "20 mx2.example.net"]),
    "CAA": st.sampled_from(["0 issue ca.example", "0 issue ;", "128 issue other.example; x=y", "0 iodef mailto:a@b"]),
    "TLSA": st.sampled_from(
        [f"3 1 1 {LEAF.spki_sha256}", f"3 1 1 {OLD}", f"2 0 1 {OLD}", f"3 9 9 {OLD}", f"3 1 1 {NEXT}"]
    ),
    "SRV": st.sampled_from(["0 0 0 .", "0 1 993 mx1.example.org", "9 9 1993 elsewhere.example"]),
}
zones_ = st.builds(
    lambda txt, mx, caa, tlsa, srv: {
        key: list(dict.fromkeys(v))
        for key, v in {
            **{f"{n} TXT": t for n, t in txt.items()},
            "example.org MX": mx,
            "example.org CAA": caa,
            "_25._tcp.mx1.example.org TLSA": tlsa,
            "_imaps._tcp.example.org SRV": srv,
        }.items()
        if v
    },
    st.dictionaries(names, st.lists(texts, min_size=1, max_size=3)),
    *(st.lists(values[kind], max_size=3) for kind in ("MX", "CAA", "TLSA", "SRV")),
)
policy = st.sampled_from(
    [None, Fetched(ok=True, text=POLICY), Fetched(ok=True, text="<html>"), Fetched(ok=False, reason=Reason.REFUSED)]
)
given_ = st.builds(
    lambda fetched, coming, closed: Given(NOW, keys={"s1": RSA}, policy=fetched, coming=coming, closed=closed),
    policy,
    st.sampled_from([(), (NEXT,)]),
    st.booleans(),
)
declared = st.builds(
    Domain,
    st.just("example.org"),
    mx=st.sampled_from([("mx1.example.org",), ("mx1.example.org", "mx2.example.net"), ()]),
    dmarc=st.sampled_from([None, "none", "reject"]),
    mta_sts=st.sampled_from([None, "none", "testing", "enforce"]),
    dane=st.booleans(),
    sends=st.booleans(),
    senders=st.sampled_from([(), ("192.0.2.1",), ("mx1.example.org", "2001:db8::/48")]),
    includes=st.sampled_from([(), ("a.example", "b.example")]),
    dkim=st.sampled_from([(), (Selector("s1", "k"),), (Selector("s1", until=date(2026, 1, 1)),)]),
    dmarc_reports=st.sampled_from([(), ("d@example.org",)]),
    tls_reports=st.sampled_from([(), ("tls@example.org",)]),
    caa=st.sampled_from([(), ("ca.example",)]),
)


@settings(deadline=None, max_examples=150)
@forall(declared, zones_, given_)
def test_once_applied_nothing_is_lacking(domain: Domain, records: Records, given: Given) -> None:
    architecture = Architecture(hosts=(MX1,), domains=(domain,))
    before = {**BARE, **records}
    seen = facts(domain, before, *SERVED)
    first = wanted(domain, architecture, seen, given)
    made = missing(first, seen, domain.name)
    after = facts(domain, applied(before, made), *SERVED)
    assert missing(first, after, domain.name) == ()
    fetched = publish(domain, architecture, seen, given).document
    served = replace(given, now=NOW + timedelta(hours=1))
    if fetched:
        served = replace(served, policy=Fetched(ok=True, text=fetched.text))
    told = publish(domain, architecture, after, served)
    assert (told.steps, told.unasked, told.lacking) == ((), (), 0)


@settings(deadline=None, max_examples=100)
@forall(declared, zones_, given_)
def test_nothing_unrelated_is_removed(domain: Domain, records: Records, given: Given) -> None:
    architecture = Architecture(hosts=(MX1,), domains=(domain,))
    told = publish(domain, architecture, facts(domain, {**BARE, **records}, *SERVED), given)
    for step in told.steps:
        if step.change and not step.lowers:
            assert "site-verification=1" not in step.change.remove or step.change.name.startswith("s1.")
            assert not any(value.startswith(("2 0 1", "0 iodef")) for value in step.change.remove)
            assert set(step.change.remove).isdisjoint(step.change.add)
        assert all(number < step.number for number in step.after)

"""Chains as served: trust, order, and what is missing."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.certs.chain import Roots, inspect, order_problem, root_sent, unneeded, verify
from gatepost.certs.facts import certificate
from gatepost.model.architecture import Endpoint
from gatepost.model.certificate import Certificate
from gatepost.model.observation import CertificateSeen, ChainSeen, Unobserved
from gatepost.model.words import Reason
from tests.authority import HOST, NOW, Issued, family, issue

F = family()
ROOTS = Roots((F.root.der,), "a test")
OTHER = issue("Other Root", ca=True, days=(-900, 3000))
AT = Endpoint(HOST, "192.0.2.25", 25)


def facts(*chain: Issued) -> tuple[Certificate, ...]:
    return tuple(certificate(one.der) for one in chain)


def test_good_chain() -> None:
    trust = verify((F.leaf.der, F.middle.der), ROOTS, NOW, name=HOST)
    assert trust.valid
    assert trust.why == ""
    assert trust.path == tuple(one.sha256 for one in facts(F.leaf, F.middle, F.root))
    assert trust.web_profile == ""


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        ((F.leaf,), "its issuer CN=Test Intermediate was not sent and is not in the trust store"),
        ((issue(HOST, F.middle, days=(-90, -1)), F.middle), "it expired on 2026-11-23"),
        ((issue(HOST, F.middle, days=(2, 9)), F.middle), "it is not valid before 2026-11-26"),
        ((issue(HOST, names=(HOST,)),), "self-signed, and not in the trust store"),
        ((issue(HOST, OTHER), OTHER), "its root CN=Other Root is not in the trust store"),
        (
            (issue(HOST, F.middle, purpose=ExtendedKeyUsageOID.CLIENT_AUTH), F.middle),
            f"CN={HOST} is not for servers, only for clientAuth",
        ),
    ],
)
def test_untrusted(chain: tuple[Issued, ...], words: str) -> None:
    trust = verify(tuple(one.der for one in chain), ROOTS, NOW)
    assert not trust.valid
    assert trust.why == words
    assert trust.path == ()
    assert not trust.missing_intermediate


def test_expired_intermediate_is_named() -> None:
    old = issue("Old Intermediate", F.root, ca=True, days=(-300, -3))
    trust = verify((issue(HOST, old).der, old.der), ROOTS, NOW)
    assert trust.why == "CN=Old Intermediate expired on 2026-11-21"


def test_issuer_that_is_no_authority() -> None:
    leaf = issue("other.example", F.leaf)
    trust = verify((leaf.der, F.leaf.der, F.middle.der), ROOTS, NOW)
    assert not trust.valid
    assert trust.why == f"CN={HOST}: invalid CA certificate"


def test_path_too_long() -> None:
    second = issue("Second", F.middle, ca=True)
    trust = verify((issue(HOST, second).der, second.der, F.middle.der), ROOTS, NOW)
    assert not trust.valid
    assert "path length" in trust.why


def test_time_is_the_time_given() -> None:
    """A second question about the same roots must not inherit the time of the first."""
    chain = (F.leaf.der, F.middle.der)
    answers = [verify(chain, ROOTS, NOW + timedelta(days=d)).valid for d in (-40, 0, 70, 0)]
    assert answers == [False, True, False, True]


def test_missing_intermediate_proved_by_another_port() -> None:
    trust = verify((F.leaf.der,), ROOTS, NOW, known=(F.middle.der,))
    assert not trust.valid
    assert trust.missing_intermediate


def test_missing_intermediate_presumed_from_its_address() -> None:
    leaf = issue(HOST, F.middle, issuer_url="http://ca.example/i.crt")
    assert verify((leaf.der,), ROOTS, NOW).missing_intermediate
    assert not verify((F.leaf.der,), ROOTS, NOW).missing_intermediate


def test_wrong_intermediate_sent() -> None:
    other = issue("Other Intermediate", F.root, ca=True)
    trust = verify((F.leaf.der, other.der), ROOTS, NOW)
    assert "CN=Test Intermediate was not sent" in trust.why


def test_web_profile_is_a_second_opinion() -> None:
    """OpenSSL takes a certificate without subjectAltName; the strict verifier does not."""
    nameless = issue(HOST, F.middle)
    trust = verify((nameless.der, F.middle.der), ROOTS, NOW, name=HOST)
    assert trust.valid
    assert "subjectAltName" in trust.web_profile


def test_needless_certificates_spoil_nothing_behind_the_path() -> None:
    """Copies of an authority that sign each other: OpenSSL takes the first that fits and does not turn back."""
    twin = issue("Twin", ca=True)
    twins = [issue("Twin", twin, ca=True, key=twin.key) for _ in range(20)]
    fakes = [issue("Test Intermediate", twin, ca=True, key=F.middle.key) for _ in range(5)]
    before = (F.leaf, *fakes, *twins, F.middle)
    assert not verify(tuple(one.der for one in before), ROOTS, NOW, name=HOST).valid
    behind = (F.leaf, F.middle, *fakes, *twins)
    trust = verify(tuple(one.der for one in behind), ROOTS, NOW, name=HOST)
    assert (trust.valid, trust.web_profile) == (True, "")


def test_without_any_root() -> None:
    assert not verify((F.leaf.der, F.middle.der), Roots(()), NOW).valid


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        ((F.leaf, F.middle), ""),
        ((F.leaf, F.middle, F.root), ""),
        ((F.leaf,), ""),
        ((F.leaf, F.root, F.middle), "out of order: CN=Test Intermediate issued the server's certificate"),
        ((F.leaf, F.middle, F.middle), "certificate 3 is sent twice (CN=Test Intermediate)"),
        ((F.leaf, F.middle, OTHER), "CN=Other Root is sent and issues none of the others"),
        ((F.leaf, OTHER), "CN=Other Root is sent and issues none of the others"),
    ],
)
def test_order(chain: tuple[Issued, ...], words: str) -> None:
    said = order_problem(facts(*chain))
    assert said.startswith(words) if words else not said


def test_unneeded() -> None:
    chain = facts(F.leaf, F.middle, OTHER, F.middle)
    assert unneeded(chain) == facts(OTHER, F.middle)
    assert not unneeded(facts(F.leaf, F.middle, F.root))


def test_root_sent() -> None:
    assert root_sent(facts(F.leaf, F.middle, F.root))
    assert not root_sent(facts(F.leaf, F.middle))
    assert not root_sent(facts(issue(HOST)))


def seen(*chain: bytes, sni: str | None = HOST) -> ChainSeen:
    return ChainSeen(AT, sni, tuple(base64.b64encode(one).decode() for one in chain), staple=True)


def test_inspect() -> None:
    found = inspect(seen(F.leaf.der, F.middle.der, sni=None), ROOTS, NOW)
    assert isinstance(found, CertificateSeen)
    assert found.at == AT
    assert found.sni is None
    assert found.staple
    assert found.chain == facts(F.leaf, F.middle)
    assert found.trust.valid


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        ((), "an empty chain"),
        ((F.leaf.der, b"\x30\x00"), "certificate 2 of 2: a certificate that cannot be read"),
        ((F.leaf.der,) * 31, "a chain of 31 certificates"),
    ],
)
def test_inspect_blames_the_peer(chain: tuple[bytes, ...], words: str) -> None:
    found = inspect(seen(*chain), ROOTS, NOW)
    assert isinstance(found, Unobserved)
    assert found.reason is Reason.GARBLED
    assert found.detail.startswith(words)


def test_inspect_of_no_base64() -> None:
    found = inspect(ChainSeen(AT, HOST, ("***",)), ROOTS, NOW)
    assert isinstance(found, Unobserved)


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from([F.leaf.der, F.middle.der, F.root.der]), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=3),
)
def test_any_chain(chain: list[bytes], changes: list[tuple[int, int]]) -> None:
    """Mutated certificates end in a verdict or in an Unobserved."""
    first = bytearray(chain[0])
    for at, value in changes:
        first[at % len(first)] = value
    found = inspect(seen(bytes(first), *chain[1:]), ROOTS, NOW)
    assert isinstance(found, CertificateSeen | Unobserved)
    if isinstance(found, CertificateSeen):
        assert found.trust.valid == bool(found.trust.path)
        assert found.trust.valid != bool(found.trust.why)
        order_problem(found.chain)

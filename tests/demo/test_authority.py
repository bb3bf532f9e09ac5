"""Certificates are in order, or wrong in exactly the way that was asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import Certificate, DNSName, SubjectAlternativeName, load_pem_x509_certificates

from gatepost.demo.authority import Authority, Flaw, KeyKind, make_key

NOW = datetime(2026, 5, 1, tzinfo=UTC)
NAME = "mail.demo.test"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority(NOW)


def flaws_of(chain: list[Certificate], authority: Authority) -> set[Flaw]:
    leaf, found = chain[0], set()
    names = leaf.extensions.get_extension_for_class(SubjectAlternativeName).value.get_values_for_type(DNSName)
    key = leaf.public_key()
    if names != [NAME]:
        found.add(Flaw.WRONG_NAME)
    if leaf.not_valid_after_utc < NOW:
        found.add(Flaw.EXPIRED)
    if leaf.not_valid_before_utc > NOW:
        found.add(Flaw.FUTURE)
    if NOW - leaf.not_valid_before_utc > timedelta(days=1) and leaf.not_valid_after_utc > NOW:
        found.add(Flaw.OLDER)
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < 2048:
        found.add(Flaw.RSA_1024)
    if leaf.signature_algorithm_oid.dotted_string == "1.2.840.113549.1.1.5":
        found.add(Flaw.SHA1)
    if leaf.issuer == leaf.subject:
        found.add(Flaw.SELF_SIGNED)
    elif len(chain) == 1:
        found.add(Flaw.NO_INTERMEDIATE)
    if leaf.issuer not in {leaf.subject, authority.intermediate.subject}:
        found.add(Flaw.UNKNOWN_CA)
    return found or {Flaw.NONE}


@pytest.mark.parametrize("flaw", [flaw for flaw in Flaw if flaw is not Flaw.UNKNOWN_CA])
def test_only_what_was_asked_for_is_wrong(authority: Authority, flaw: Flaw) -> None:
    papers = authority.issue((NAME,), flaw, make_key(KeyKind.RSA))
    assert flaws_of(load_pem_x509_certificates(papers.chain), authority) == {flaw}


def test_the_chain_leads_to_the_root(authority: Authority) -> None:
    leaf, issuing = load_pem_x509_certificates(authority.issue((NAME,)).chain)
    leaf.verify_directly_issued_by(issuing)
    issuing.verify_directly_issued_by(authority.root)


def test_sha1_is_a_true_signature(authority: Authority) -> None:
    """Swapped into the DER by hand: it has to verify all the same."""
    leaf, issuing = load_pem_x509_certificates(authority.issue((NAME,), Flaw.SHA1).chain)
    key = issuing.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(leaf.signature, leaf.tbs_certificate_bytes, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303

"""The TLS registries agree with themselves, with the profiles and with an independent list."""

from __future__ import annotations

import warnings
from hashlib import sha256

import pytest

from gatepost.catalogue import document, tls
from gatepost.catalogue.tls import Authentication, Exchange, Weakness


def test_names_agree_with_the_profiles() -> None:
    registry = document("tls_profiles")["registry"]
    for name, code in registry["suites"].items():
        assert tls.suite_name(int(code, 16)) == name
    for name, row in registry["groups"].items():
        assert tls.group_name(int(row["code"], 16)) == name
        group = tls.group(name)
        assert group is not None
        assert group.kind == row["kind"]
        assert group.tls12 == (row.get("only") != "TLSv1.3")
        assert group.tls13 == (row.get("only") != "TLSv1.2" and name != "secp224r1")
    for name, code in registry["signature_schemes"].items():
        assert tls.scheme_name(int(code, 16)) == name


def test_names_agree_with_another_implementation() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it imports asyncore
        from tlslite.constants import CipherSuite
    shared = {
        c: n for c, n in CipherSuite.ietfNames.items() if n.startswith("TLS_") and "SCSV" not in n and "draft" not in n
    }
    for code, name in shared.items():
        ours = tls.suite_coded(code)
        assert ours is not None, name
        assert ours.name.lower() == name.lower()
    assert len(shared) > 100


def test_the_list_is_whole() -> None:
    suites = tls.suites()
    assert len(suites) == len({s.name for s in suites}) > 350
    assert [s.code for s in suites] == sorted(s.code for s in suites)


@pytest.mark.parametrize(
    ("name", "exchange", "authentication", "weak", "aead", "since"),
    [
        ("TLS_RSA_EXPORT_WITH_RC4_40_MD5", "rsa", "rsa", {"export", "rc4"}, False, "SSLv3"),
        ("TLS_DH_anon_WITH_AES_256_GCM_SHA384", "dhe", "anon", {"anon"}, True, "TLSv1.2"),
        ("TLS_ECDH_anon_WITH_NULL_SHA", "ecdhe", "anon", {"anon", "null"}, False, "TLSv1.0"),
        ("TLS_ECDH_RSA_WITH_AES_128_CBC_SHA", "ecdh", "rsa", set(), False, "TLSv1.0"),
        ("TLS_DHE_RSA_WITH_DES_CBC_SHA", "dhe", "rsa", {"des"}, False, "SSLv3"),
        ("TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA", "dhe", "rsa", {"3des"}, False, "SSLv3"),
        ("TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", "ecdhe", "ecdsa", set(), True, "TLSv1.2"),
        ("TLS_DHE_PSK_WITH_NULL_SHA256", "dhe", "psk", {"null"}, False, "TLSv1.2"),
        ("TLS_PSK_DHE_WITH_AES_128_CCM_8", "dhe", "psk", set(), True, "TLSv1.2"),
        ("TLS_SRP_SHA_DSS_WITH_AES_128_CBC_SHA", "srp", "dss", set(), False, "SSLv3"),
        ("TLS_SRP_SHA_WITH_AES_128_CBC_SHA", "srp", "none", set(), False, "SSLv3"),
        ("TLS_KRB5_EXPORT_WITH_RC2_CBC_40_SHA", "krb5", "krb5", {"export", "rc2"}, False, "SSLv3"),
        ("TLS_AES_128_CCM_8_SHA256", "any", "any", set(), True, "TLSv1.3"),
        ("TLS_SHA256_SHA256", "any", "any", {"null"}, False, "TLSv1.3"),
        ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ecdhe", "rsa", set(), True, "TLSv1.2"),
    ],
)
def test_a_name_says_what_the_suite_is(
    name: str,
    exchange: str,
    authentication: str,
    weak: set[str],
    aead: bool,  # noqa: FBT001 - a column of the table
    since: str,
) -> None:
    suite = tls.suite(name)
    assert suite is not None
    assert suite.exchange is Exchange(exchange)
    assert suite.authentication is Authentication(authentication)
    assert suite.weaknesses == {Weakness(w) for w in weak}
    assert suite.aead is aead
    assert suite.since == since


def test_every_suite_of_a_weak_cipher_is_broken() -> None:
    for suite in tls.suites():
        marked = any(word in suite.name for word in ("NULL", "anon", "EXPORT", "RC4", "DES", "RC2"))
        assert suite.broken == (marked or suite.name in {"TLS_SHA256_SHA256", "TLS_SHA384_SHA384"}), suite.name


def test_a_prime_is_known_by_its_definition() -> None:
    # RFC 2409 section 6.1: 2^768 - 2^704 - 1 + 2^64 * (floor(2^638 pi) + 149686)
    group1 = bytes.fromhex(
        "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd"
        "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a63a3620ffffffffffffffff"
    )
    assert tls.dh_prime_name(group1) == "RFC 2409 group 1"
    assert tls.dh_prime_name(b"\0" + group1) == "RFC 2409 group 1"
    assert tls.dh_prime_name(group1[:-1]) == "unknown"
    assert "ffdhe8192" in document("tls_registry")["dh_primes"].values()


def test_unknown_numbers_keep_their_number() -> None:
    assert tls.suite_name(0x1234) == "0x1234"
    assert tls.group_name(0x0A0A) == "0x0a0a"
    assert tls.alert_name(40) == "handshake_failure"
    assert tls.alert_name(199) == "199"
    assert tls.extension_name(0xFF01) == "renegotiation_info"
    assert tls.version_name(0x0303) == "TLSv1.2"
    assert tls.ssl2_kind_name(0x010080) == "SSL_CK_RC4_128_WITH_MD5"


def test_keys_of_the_prime_table_are_digests() -> None:
    size = len(sha256().hexdigest())
    assert all(len(key) == size for key in document("tls_registry")["dh_primes"])

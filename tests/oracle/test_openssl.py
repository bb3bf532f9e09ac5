"""The inventory against servers whose whole truth a second TLS library tells: nothing missed, nothing claimed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.oracle import openssl
from tests.oracle.looking import Look, listing
from tests.oracle.openssl import EVERYTHING

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(bool(openssl.why_not()), reason=openssl.why_not() or "runs"),
]

MOST = 80  # connections a listing may take
# A stock Postfix on OpenSSL 3 with its medium grade: 56 suites in TLS 1.2.
STOCK_POSTFIX = "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH:@SECLEVEL=0"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    return openssl.make_keys(tmp_path_factory.mktemp("keys"))


@contextmanager
def looked_at(folder: Path, *options: str) -> Iterator[tuple[int, Look]]:
    with openssl.server(folder, *options) as port:
        yield port, listing(port)


SUITES = [
    pytest.param("rsa", ["-cipher", STOCK_POSTFIX], id="stock-postfix"),
    pytest.param("rsa", ["-cipher", EVERYTHING, "-no_dhe"], id="without-finite-field"),
    pytest.param("rsa", ["-cipher", "AECDH:ADH:@SECLEVEL=0"], id="anonymous-only"),
    pytest.param("rsa", ["-cipher", "CAMELLIA:ARIA:@SECLEVEL=0"], id="unusual"),
    pytest.param("rsa", ["-cipher", EVERYTHING, "-no_tls1_1", "-no_dhe"], id="a-gap-at-1.1"),
    pytest.param("both", ["-cipher", "ECDHE:@SECLEVEL=0", "-serverpref"], id="two-certificates"),
    pytest.param("both", ["-cipher", EVERYTHING, "-no_tls1_2"], id="no-1.2"),
    pytest.param("rsa", ["-cipher", "AES128-SHA:@SECLEVEL=0"], id="one-suite"),
    pytest.param("ed25519", ["-cipher", EVERYTHING], id="ed25519"),
]


@pytest.mark.parametrize(("key", "options"), SUITES)
def test_suites_of_every_version(
    key: str, options: list[str], keys: dict[str, list[str]], tmp_path: Path
) -> None:  # fmt: skip
    with looked_at(tmp_path, *keys[key], *options) as (port, look):
        for version in ("TLSv1.0", "TLSv1.1", "TLSv1.2"):
            accepted, tried = openssl.suites(port, version)
            assert look.suites(version) & tried == accepted, version
            assert look.listed("suites", version).complete
    assert look.connections <= MOST


SERVER, CLIENT = "server", "client"


@pytest.mark.parametrize("preference", [SERVER, CLIENT])
@pytest.mark.parametrize(
    "ciphers",
    [
        "AES128-SHA256:ECDHE-RSA-AES256-GCM-SHA384",
        "AES256-SHA256:AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA",
        "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA:AES256-SHA:DHE-RSA-AES128-SHA",
    ],
)
def test_whose_order_counts(preference: str, ciphers: str, keys: dict[str, list[str]], tmp_path: Path) -> None:
    options = [*keys["rsa"], "-cipher", ciphers, *(["-serverpref"] if preference == SERVER else [])]
    with looked_at(tmp_path, *options) as (_, look):
        pass
    listed = look.listed("suites", "TLSv1.2")
    assert listed.order == preference
    assert look.feature("server-order") is (preference == SERVER)
    if preference == SERVER:
        names = [dict(openssl.every_suite())[code] for code in _in_order(look)]
        assert names == ciphers.split(":")


def _in_order(look: Look) -> list[int]:
    from gatepost.catalogue.tls import suite

    return [s.code for name in look.listed("suites", "TLSv1.2").names if (s := suite(name)) is not None]


GROUPS = [
    pytest.param(["-cipher", "ECDHE:@SECLEVEL=0"], id="usual"),
    pytest.param(["-groups", "P-521"], id="only-p521"),
    pytest.param(["-groups", "P-384:X25519:X448:ffdhe2048", "-serverpref"], id="server-order"),
    pytest.param(["-groups", "P-224:secp256k1:brainpoolP256r1", "-cipher", "ECDHE:@SECLEVEL=0"], id="weak-and-odd"),
    pytest.param(["-cipher", "AECDH:@SECLEVEL=0", "-groups", "X25519:P-256:P-384:P-521"], id="anonymous"),
]


@pytest.mark.parametrize("options", GROUPS)
def test_groups(options: list[str], keys: dict[str, list[str]], tmp_path: Path) -> None:
    with looked_at(tmp_path, *keys["rsa"], *options) as (port, look):
        for version in ("TLSv1.2", "TLSv1.3"):
            listed = look.listed("groups", version)
            assert set(listed.names) == openssl.groups(port, version), version
            assert listed.complete


SCHEMES = [
    pytest.param("rsa", [], id="usual"),
    pytest.param("rsa", ["-sigalgs", "rsa_pss_rsae_sha384"], id="one"),
    pytest.param("both", ["-sigalgs", "ECDSA+SHA512:RSA+SHA256:rsa_pss_rsae_sha256"], id="pair"),
    pytest.param("both", ["-sigalgs", "ECDSA+SHA384:RSA+SHA512:RSA+SHA1", "-serverpref"], id="pair-server-order"),
]


@pytest.mark.parametrize(("key", "options"), SCHEMES)
def test_signature_schemes(key: str, options: list[str], keys: dict[str, list[str]], tmp_path: Path) -> None:
    with looked_at(tmp_path, *keys[key], *options) as (port, look):
        listed = look.listed("signatures", "TLSv1.2")
        assert {openssl.plain_scheme(name) for name in listed.names} == openssl.schemes(port)
        assert listed.complete


SCHEMES13 = [
    *SCHEMES,
    pytest.param("ecdsa", [], id="ecdsa"),
    pytest.param("ed25519", [], id="ed25519"),
    pytest.param("both", ["-no_tls1_2"], id="only-1.3"),
    pytest.param("rsa", ["-groups", "P-384:P-256"], id="without-x25519"),
    pytest.param("rsa", ["-groups", "X448"], id="only-x448"),
]


@pytest.mark.parametrize(("key", "options"), SCHEMES13)
def test_signature_schemes_of_tls13(key: str, options: list[str], keys: dict[str, list[str]], tmp_path: Path) -> None:
    with looked_at(tmp_path, *keys[key], *options) as (port, look):
        listed = look.listed("signatures", "TLSv1.3")
        assert {openssl.plain_scheme(name) for name in listed.names} == openssl.schemes(port, "TLSv1.3")
        assert listed.complete or not listed.names
    assert look.connections <= MOST


def test_both_certificates_of_a_pair(keys: dict[str, list[str]], tmp_path: Path) -> None:
    with looked_at(tmp_path, *keys["both"]) as (_, look):
        chains = {hello.chain for hello in look.hellos() if hello.chain}
    assert len(chains) == 2


FEATURES = [
    pytest.param([], "resumption-ticket", True, id="tickets"),
    pytest.param(["-no_ticket"], "resumption-ticket", False, id="no-tickets"),
    pytest.param(["-no_ticket"], "resumption-id", True, id="ids-without-tickets"),
    pytest.param(["-no_ticket", "-no_cache"], "resumption-id", False, id="no-cache"),
    pytest.param([], "fallback-scsv", True, id="fallback"),
    pytest.param(["-alpn", "smtp"], "alpn-strict", True, id="alpn"),
    pytest.param([], "grease-tolerant", True, id="grease"),
    pytest.param([], "version-tolerant", True, id="versions"),
    pytest.param([], "resumption-id", True, id="ids-beside-tickets"),
]


@pytest.mark.parametrize(("options", "feature", "present"), FEATURES)
def test_features(
    options: list[str], feature: str, present: bool, keys: dict[str, list[str]], tmp_path: Path  # noqa: FBT001
) -> None:  # fmt: skip
    with looked_at(tmp_path, *keys["rsa"], *options) as (_, look):
        pass
    assert look.feature(feature) is present


def test_the_same_twice(keys: dict[str, list[str]], tmp_path: Path) -> None:
    with openssl.server(tmp_path, *keys["both"], "-cipher", "ECDHE:@SECLEVEL=0") as port:
        first, second = listing(port), listing(port)
    for kind in ("suites", "groups", "signatures"):
        for version in ("TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"):
            assert set(first.listed(kind, version).names) == set(second.listed(kind, version).names)

"""The default depth against known faults: it must see them, and never say the opposite of the inventory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.oracle import openssl
from tests.oracle.looking import Look, conformance, listing
from tests.oracle.openssl import EVERYTHING

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(bool(openssl.why_not()), reason=openssl.why_not() or "runs"),
]

MOST = 15  # hellos of the default depth
MODERN = "ECDHE+AESGCM:@SECLEVEL=0"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    return openssl.make_keys(tmp_path_factory.mktemp("keys"))


def faulty(reason: str) -> pytest.MarkDecorator:
    return pytest.mark.xfail(raises=AssertionError, reason=reason)


FAULTS = [
    pytest.param("GP-TLS-002", "old-tls-refused", ["-cipher", "AES128-SHA:@SECLEVEL=0"], id="tls-1.0"),
    pytest.param("GP-TLS-002", "old-tls-refused", ["-cipher", EVERYTHING, "-no_tls1_1"], id="tls-1.0-not-1.1"),
    pytest.param("GP-TLS-004", "tls13-offered", ["-tls1_2"], id="no-1.3"),
    pytest.param("GP-TLS-005", "forward-secret", ["-cipher", f"AES128-GCM-SHA256:{MODERN}"], id="rsa-transport"),
    pytest.param("GP-TLS-005", "forward-secret", ["-cipher", f"{MODERN}:DHE+AESGCM"], id="finite-field"),
    pytest.param("GP-TLS-005", "authenticated-encryption", ["-cipher", f"{MODERN}:ECDHE-RSA-AES256-SHA"], id="cbc"),
    pytest.param(
        "GP-TLS-005",
        "suites-of-the-profile",
        ["-cipher", f"{MODERN}:ECDHE-ARIA128-GCM-SHA256"],
        id="unknown-to-the-profile",
        marks=faulty("modern suites on which the standard is silent are not offered, and pass"),
    ),
    pytest.param("GP-TLS-006", "no-broken-suite", ["-cipher", f"{MODERN}:NULL-SHA256"], id="null"),
    pytest.param("GP-TLS-006", "no-broken-suite", ["-cipher", f"{MODERN}:ADH-AES128-SHA256"], id="anonymous"),
    pytest.param("GP-TLS-006", "no-broken-suite", ["-cipher", f"{MODERN}:AECDH-AES256-SHA"], id="anonymous-curve"),
    pytest.param("GP-TLS-006", "no-broken-suite", ["-cipher", f"{EVERYTHING}", "-serverpref"], id="last-of-many"),
    pytest.param(
        "GP-TLS-007",
        "groups-of-the-profile",
        ["-groups", "X25519:secp192r1", "-cipher", "ECDHE:@SECLEVEL=0"],
        id="weak-curve",
    ),
    pytest.param(
        "GP-TLS-007", "groups-of-the-profile", ["-groups", "secp192r1", "-cipher", "ECDHE:@SECLEVEL=0"], id="only-weak"
    ),
    pytest.param(
        "GP-TLS-009", "handshake-signatures-strong", ["-sigalgs", "RSA+SHA256:RSA+SHA1", "-cipher", MODERN], id="sha1"
    ),
    pytest.param(
        "GP-TLS-009",
        "handshake-signatures-strong",
        ["-cipher", "DHE:AES128-SHA256:@SECLEVEL=0"],
        id="sha1-over-finite-field",
    ),
]


@pytest.mark.parametrize(("control", "check", "options"), FAULTS)
def test_a_fault_is_seen(
    control: str, check: str, options: list[str], keys: dict[str, list[str]], tmp_path: Path
) -> None:  # fmt: skip
    with openssl.server(tmp_path, *keys["rsa"], *options) as port:
        look = conformance(port)
    assert look.verdicts()[control, check] == "fail"
    assert look.connections <= MOST


BOTH_DEPTHS = [
    pytest.param(["-cipher", MODERN], id="modern"),
    pytest.param(["-cipher", "ALL:!aNULL:@SECLEVEL=0", "-tls1_1"], id="tls-1.1-only"),
    pytest.param(["-sigalgs", "RSA+SHA256:rsa_pss_rsae_sha512"], id="strong-signatures"),
    pytest.param(["-tls1_3"], id="tls-1.3-only"),
    pytest.param(["-cipher", "AES128-SHA:AES256-SHA:@SECLEVEL=0"], id="rsa-transport-only"),
    pytest.param(
        ["-cipher", "ADH-AES128-SHA256:ADH-AES256-SHA256:AECDH-AES256-SHA:@SECLEVEL=0"],
        id="anonymous",
        marks=faulty("the default depth passes finite fields after one witness; another suite has 1024 bits"),
    ),
]


@pytest.mark.parametrize("options", BOTH_DEPTHS)
def test_depths_do_not_contradict_each_other(
    options: list[str], keys: dict[str, list[str]], tmp_path: Path
) -> None:  # fmt: skip
    with openssl.server(tmp_path, *keys["rsa"], *options) as port:
        shallow, deep = conformance(port), listing(port)
    assert _contradictions(shallow, deep) == {}


def _contradictions(shallow: Look, deep: Look) -> dict[tuple[str, str], tuple[str, str]]:
    one, other = shallow.verdicts(), deep.verdicts()
    pairs = {key: (one[key], other[key]) for key in one.keys() & other.keys()}
    return {key: pair for key, pair in pairs.items() if set(pair) == {"pass", "fail"}}


@faulty("a listing cut short by its connections loses what the default depth asks first")
def test_the_inventory_knows_at_least_as_much(keys: dict[str, list[str]], tmp_path: Path) -> None:
    """What the default depth fails, a listing must not leave unknown, even where it runs out of connections."""
    with openssl.server(tmp_path, *keys["both"], "-cipher", EVERYTHING, "-serverpref") as port:
        shallow, deep = conformance(port).verdicts(), listing(port).verdicts()
    lost = {key: deep[key] for key, outcome in shallow.items() if outcome == "fail" and deep.get(key) != "fail"}
    assert lost == {}

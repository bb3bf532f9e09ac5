"""Chains, TLSA records and what becomes of them: one table, for our matcher and for OpenSSL's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from gatepost.certs import tlsa_choice
from gatepost.certs.chain import Roots, verify
from gatepost.certs.facts import certificate
from gatepost.model.certificate import Certificate, Trust
from gatepost.model.dns import Tlsa
from tests.authority import HOST, NOW, Issued, family, issue

F = family()
OTHER_ROOT = issue("Other Root", ca=True, days=(-900, 3000))
OLD_MIDDLE = issue("Old Intermediate", F.root, ca=True, days=(-300, -3))
SECOND = issue("Second Intermediate", F.middle, ca=True)
SAME_KEY = issue("Test Intermediate", OTHER_ROOT, ca=True, days=(-300, 1500), key=F.middle.key)
RSA_ROOT = issue("RSA Root", ca=True, days=(-900, 3000), key=rsa.generate_private_key(65537, 2048))
ED_ROOT = issue("Ed Root", ca=True, days=(-900, 3000), key=ed25519.Ed25519PrivateKey.generate())
EXPIRED = issue(HOST, F.middle, names=(HOST,), days=(-90, -1))
SELF_SIGNED = issue(HOST, names=(HOST,))
NAMES = (HOST,)

CHAINS: dict[str, tuple[Issued, ...]] = {
    "usual": (F.leaf, F.middle),
    "with-root": (F.leaf, F.middle, F.root),
    "leaf-only": (F.leaf,),
    "out-of-order": (F.leaf, F.root, F.middle),
    "with-stranger": (F.leaf, F.middle, OTHER_ROOT),
    "expired": (EXPIRED, F.middle),
    "not-yet": (issue(HOST, F.middle, names=(HOST,), days=(2, 60)), F.middle),
    "old-middle": (issue(HOST, OLD_MIDDLE, names=(HOST,)), OLD_MIDDLE, F.root),
    "other-name": (issue("imap.example.org", F.middle, names=("imap.example.org",)), F.middle),
    "wildcard": (issue("*.example.org", F.middle, names=("*.example.org",)), F.middle),
    "common-name": (issue(HOST, F.middle), F.middle),
    "common-name-beside": (issue(HOST, F.middle, names=("imap.example.org",)), F.middle),
    "self-signed": (SELF_SIGNED,),
    "self-signed-expired": (issue("nowhere.example", names=("nowhere.example",), days=(-90, -3)),),
    "for-clients": (issue(HOST, F.middle, names=(HOST,), purpose=ExtendedKeyUsageOID.CLIENT_AUTH), F.middle),
    "too-long": (issue(HOST, SECOND, names=(HOST,)), SECOND, F.middle, F.root),
    "same-key": (F.leaf, SAME_KEY, F.middle),
    "rsa": (issue(HOST, RSA_ROOT, names=(HOST,)), RSA_ROOT),
    "ed25519": (issue(HOST, ED_ROOT, names=(HOST,)), ED_ROOT),
    "other-root": (issue(HOST, OTHER_ROOT, names=(HOST,)), OTHER_ROOT),
}


@dataclass(frozen=True, slots=True)
class Row:
    """`wanted` has the standing of each record; `pkix` for ports other than 25, where a public trust helps."""

    id: str
    chain: str
    records: tuple[Tlsa, ...]
    wanted: str
    pkix: bool = False


@cache
def facts(one: Issued) -> Certificate:
    return certificate(one.der)


def chain(name: str) -> tuple[Certificate, ...]:
    return tuple(facts(one) for one in CHAINS[name])


def trust(name: str) -> Trust:
    return verify(tuple(one.der for one in CHAINS[name]), Roots((F.root.der,)), NOW, name=HOST)


def of(one: Issued, form: str) -> Tlsa:
    usage, selector, matching = (int(n) for n in form.split())
    return tlsa_choice.of(facts(one), usage, selector, matching)


def leaf(name: str, form: str) -> Tlsa:
    return of(CHAINS[name][0], form)


WRONG = Tlsa(3, 1, 1, "00" * 32)
WRONG_512 = Tlsa(3, 1, 2, "00" * 64)
NO_CERTIFICATE = Tlsa(2, 0, 0, "30030201")
NO_KEY = Tlsa(2, 1, 0, "3003020100")

ROWS = (
    *(Row(f"ee-{form}", "usual", (leaf("usual", form),), "matched") for form in (
        "3 0 0", "3 0 1", "3 0 2", "3 1 0", "3 1 1", "3 1 2",
    )),
    *(Row(f"ta-{form}", "usual", (of(F.middle, form),), "matched") for form in (
        "2 0 0", "2 0 1", "2 0 2", "2 1 0", "2 1 1", "2 1 2",
    )),
    Row("ee-wrong", "usual", (WRONG,), "mismatched"),
    Row("ee-of-the-authority", "usual", (of(F.middle, "3 1 1"),), "mismatched"),
    Row("ee-expired", "expired", (leaf("expired", "3 1 1"),), "matched"),
    Row("ee-not-yet", "not-yet", (leaf("not-yet", "3 0 1"),), "matched"),
    Row("ee-other-name", "other-name", (leaf("other-name", "3 1 1"),), "matched"),
    Row("ee-self-signed", "self-signed", (leaf("self-signed", "3 1 1"),), "matched"),
    Row("ee-self-signed-expired", "self-signed-expired", (leaf("self-signed-expired", "3 1 1"),), "matched"),
    Row("ee-leaf-only", "leaf-only", (leaf("leaf-only", "3 1 1"),), "matched"),
    Row("ee-for-clients", "for-clients", (leaf("for-clients", "3 1 1"),), "matched"),
    Row("ee-ed25519-issued", "ed25519", (leaf("ed25519", "3 1 2"),), "matched"),
    Row("ee-next-beside", "usual", (leaf("usual", "3 1 1"), WRONG), "matched mismatched"),
    Row("ee-unknown-beside", "usual", (Tlsa(4, 1, 1, "00" * 32), leaf("usual", "3 1 1")), "unusable matched"),
    Row("ee-short-beside", "usual", (Tlsa(3, 1, 1, "00" * 20), leaf("usual", "3 1 1")), "unusable matched"),
    Row("agility-right", "usual", (leaf("usual", "3 1 1"), leaf("usual", "3 1 2")), "superseded matched"),
    Row("agility-stronger-wrong", "usual", (leaf("usual", "3 1 1"), WRONG_512), "superseded mismatched"),
    Row("agility-weaker-wrong", "usual", (WRONG, leaf("usual", "3 1 2")), "superseded matched"),
    Row("agility-full-apart", "usual", (leaf("usual", "3 1 0"), WRONG_512), "matched mismatched"),
    Row("agility-selectors-apart", "usual", (leaf("usual", "3 0 1"), WRONG_512), "matched mismatched"),
    Row("agility-usages-apart", "usual", (of(F.middle, "2 1 1"), WRONG_512), "matched mismatched"),
    Row("agility-broken-stronger", "usual", (leaf("usual", "3 1 1"), Tlsa(3, 1, 2, "00" * 32)), "matched unusable"),
    Row("ta-root-sent", "with-root", (of(F.root, "2 0 1"),), "matched"),
    Row("ta-root-not-sent", "usual", (of(F.root, "2 0 1"),), "mismatched"),
    Row("ta-root-not-sent-whole", "usual", (of(F.root, "2 0 0"),), "matched"),
    Row("ta-root-not-sent-key", "usual", (of(F.root, "2 1 0"),), "matched"),
    Row("ta-middle-not-sent-key", "leaf-only", (of(F.middle, "2 1 0"),), "matched"),
    Row("ta-stranger-whole", "usual", (of(OTHER_ROOT, "2 0 0"),), "rejected"),
    Row("ta-stranger-key", "usual", (of(OTHER_ROOT, "2 1 0"),), "mismatched"),
    Row("ta-stranger-sent", "with-stranger", (of(OTHER_ROOT, "2 0 1"),), "rejected"),
    Row("ta-out-of-order", "out-of-order", (of(F.root, "2 1 1"),), "matched"),
    Row("ta-leaf", "usual", (of(F.leaf, "2 1 1"),), "mismatched"),
    Row("ta-self-signed", "self-signed", (of(SELF_SIGNED, "2 0 1"),), "mismatched"),
    Row("ta-expired-leaf", "expired", (of(F.middle, "2 1 1"),), "rejected"),
    Row("ta-expired-leaf-key", "expired", (of(F.root, "2 1 0"),), "rejected"),
    Row("ta-not-yet", "not-yet", (of(F.middle, "2 1 1"),), "rejected"),
    Row("ta-expired-authority", "old-middle", (of(OLD_MIDDLE, "2 0 1"),), "rejected"),
    Row("ta-expired-below", "old-middle", (of(F.root, "2 0 1"),), "rejected"),
    Row("ta-other-name", "other-name", (of(F.middle, "2 0 1"),), "rejected"),
    Row("ta-wildcard", "wildcard", (of(F.middle, "2 0 1"),), "matched"),
    Row("ta-common-name", "common-name", (of(F.middle, "2 0 1"),), "matched"),
    Row("ta-common-name-beside", "common-name-beside", (of(F.middle, "2 0 1"),), "rejected"),
    Row("ta-for-clients", "for-clients", (of(F.middle, "2 0 1"),), "rejected"),
    Row("ta-path-too-long", "too-long", (of(F.root, "2 0 1"),), "rejected"),
    Row("ta-same-key", "same-key", (of(F.middle, "2 1 1"),), "matched"),
    Row("ta-rsa-key", "rsa", (of(RSA_ROOT, "2 1 0"),), "matched"),
    Row("ta-ed25519-key", "ed25519", (of(ED_ROOT, "2 1 0"),), "matched"),
    Row("ta-no-certificate", "usual", (NO_CERTIFICATE, WRONG), "unusable mismatched"),
    Row("ta-no-key", "usual", (NO_KEY, WRONG), "unusable mismatched"),
    Row("ta-expired-ee-fits", "expired", (of(F.middle, "2 1 1"), leaf("expired", "3 1 1")), "rejected matched"),
    Row("pkix-ee", "usual", (of(F.leaf, "1 1 1"),), "matched", pkix=True),
    Row("pkix-ee-wrong", "usual", (of(F.middle, "1 1 1"),), "mismatched", pkix=True),
    Row("pkix-ee-expired", "expired", (of(EXPIRED, "1 1 1"),), "rejected", pkix=True),
    Row("pkix-ee-untrusted", "other-root", (leaf("other-root", "1 0 1"),), "rejected", pkix=True),
    Row("pkix-ee-other-name", "other-name", (leaf("other-name", "1 1 1"),), "rejected", pkix=True),
    Row("pkix-ta", "usual", (of(F.middle, "0 0 1"),), "matched", pkix=True),
    Row("pkix-ta-wrong", "usual", (of(OTHER_ROOT, "0 0 1"),), "mismatched", pkix=True),
    Row("pkix-ta-root-sent", "with-root", (of(F.root, "0 1 1"),), "matched", pkix=True),
    Row("pkix-ta-root-not-sent", "usual", (of(F.root, "0 0 1"),), "matched", pkix=True),
    Row("pkix-ta-untrusted", "other-root", (of(OTHER_ROOT, "0 0 1"),), "rejected", pkix=True),
    Row("pkix-beside-dane", "expired", (of(EXPIRED, "1 1 1"), leaf("expired", "3 1 1")), "rejected matched", pkix=True),
)  # fmt: skip

from __future__ import annotations

import asyncio
from base64 import b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from gatepost.model.dns import Presence, Security
from gatepost.model.domain import DkimKeySeen
from gatepost.model.observation import Unobserved
from gatepost.model.words import Reason
from gatepost.records import dkim, dkim_public, tags
from gatepost.records.dkim import IMPROBABLE, key, read, render, wildcard
from tests.authority import issue
from tests.zone import BOGUS, SERVFAIL, Zone


def der(value: int) -> bytes:
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    octets = size.to_bytes((size.bit_length() + 7) // 8 or 1, "big")
    return bytes([tag]) + (bytes([size]) if size < 128 else bytes([0x80 | len(octets)]) + octets) + content


def numbers(modulus: int, exponent: int = 65537) -> bytes:
    """A SubjectPublicKeyInfo of any numbers, good or not."""
    algorithm = tlv(0x30, bytes.fromhex("06092a864886f70d010101") + b"\x05\x00")
    return tlv(0x30, algorithm + tlv(3, b"\0" + tlv(0x30, der(modulus) + der(exponent))))


def b64(octets: bytes) -> str:
    return b64encode(octets).decode()


def size(bits: int) -> int:
    """No key of a pair, but no multiple of a small prime either."""
    modulus = (1 << bits - 1) + 1
    while any(modulus % prime == 0 for prime in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47)):
        modulus += 2
    return modulus


RSA = rsa.generate_private_key(65537, 2048)
ED = ed25519.Ed25519PrivateKey.generate()
SPKI = RSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
PKCS1 = RSA.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
PRIVATE = RSA.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
TRADITIONAL = RSA.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
ED_RAW = ED.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
ED_SPKI = ED.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
EC_SPKI = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(
    Encoding.DER, PublicFormat.SubjectPublicKeyInfo
)  # fmt: skip
DSA = dsa.generate_private_key(1024)  # noqa: S505 - no verifier takes one of any size
DSA_SPKI = DSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
PEM = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
P = b64(SPKI)
GOOD = f"v=DKIM1; k=rsa; p={P}"

SOUND = {
    "usual": (GOOD, "rsa", 2048),
    "no k": (f"v=DKIM1; p={P}", "rsa", 2048),
    "no space": (f"v=DKIM1;k=rsa;p={P};", "rsa", 2048),
    "space everywhere": (f"  v = DKIM1 ; k = rsa ; p = {P[:50]} {P[50:90]}\t{P[90:]}  ;  ", "rsa", 2048),
    "folded": (f"v=DKIM1; p={P[:70]}\r\n\t{P[70:]}", "rsa", 2048),
    "p first": (f"v=DKIM1; p={P}; k=rsa", "rsa", 2048),
    "notes": (f"v=DKIM1; n=call=20us; p={P}", "rsa", 2048),
    "unknown tags": (f"v=DKIM1; zz=1; p={P}; X_y=anything at all", "rsa", 2048),
    "both hashes": (f"v=DKIM1; h=sha256; p={P}", "rsa", 2048),
    "unknown hash beside": (f"v=DKIM1; h=sha512 : sha256; p={P}", "rsa", 2048),
    "service email": (f"v=DKIM1; s=email; p={P}", "rsa", 2048),
    "service any": (f"v=DKIM1; s=*; p={P}", "rsa", 2048),
    "services": (f"v=DKIM1; s=tlsrpt:email; p={P}", "rsa", 2048),
    "strict": (f"v=DKIM1; t=s; p={P}", "rsa", 2048),
    "unknown flag": (f"v=DKIM1; t=q:s; p={P}", "rsa", 2048),
    "3072": (f"v=DKIM1; p={b64(numbers(size(3072)))}", "rsa", 3072),
    "4096": (f"v=DKIM1; p={b64(numbers(size(4096)))}", "rsa", 4096),
    "ed25519": (f"v=DKIM1; k=ed25519; p={b64(ED_RAW)}", "ed25519", 256),
}


@pytest.mark.parametrize("name", SOUND)
def test_sound(name: str) -> None:
    text, kind, bits = SOUND[name]
    found = read(text)
    assert (found.key_type, found.bits, found.problems, found.advice) == (kind, bits, (), ())
    assert len(found.fingerprint) == 64


ADVISED = {
    "no version": (f"p={P}", "no v=DKIM1"),
    "1024": (f"v=DKIM1; p={b64(numbers(size(1024)))}", "RSA of 1024 bits is weak"),
    "2047": (f"v=DKIM1; p={b64(numbers(size(2047)))}", "RSA of 2047 bits is weak"),
    "8192": (f"v=DKIM1; p={b64(numbers(size(8192)))}", "verifiers need not check more than 4096"),
    "exponent 3": (f"v=DKIM1; p={b64(numbers(size(2048), 3))}", "the exponent is 3"),
    "large exponent": (f"v=DKIM1; p={b64(numbers(size(2048), 2**33 + 1))}", "more than 32 bits"),
    "bare key": (f"v=DKIM1; p={b64(PKCS1)}", "bare RSAPublicKey"),
    "testing": (f"v=DKIM1; t=y:s; p={P}", "t=y: in testing"),
    "sha1 beside": (f"v=DKIM1; h=sha1:sha256; p={P}", "h= still allows sha1"),
    "granularity": (f"v=DKIM1; g=*; p={P}", "g= is obsolete"),
}


@pytest.mark.parametrize("name", ADVISED)
def test_advised(name: str) -> None:
    text, told = ADVISED[name]
    found = read(text)
    assert found.problems == ()
    assert [one for one in found.advice if told in one]


BROKEN = {
    "empty": ("", "no p="),
    "other text": ("v=spf1 -all", "verifiers discard a key record that is not v=DKIM1"),
    "no key": ("v=DKIM1; k=rsa", "no p="),
    "version in lower case": (f"v=dkim1; p={P}", "v=dkim1: verifiers discard"),
    "version 2": (f"v=DKIM2; p={P}", "v=DKIM2: verifiers discard"),
    "version last": (f"k=rsa; p={P}; v=DKIM1", "v= is not the first tag"),
    "two keys": (f"v=DKIM1; p={P}; p={P}", "p= is given more than once: verifiers discard the record"),
    "garbage": (f"v=DKIM1; p={P}; oh", "'oh' is no tag"),
    "not base64": ("v=DKIM1; p=not!base64", "p= is no base64"),
    "a character lost": (f"v=DKIM1; p={P[:-5]}{P[-4:]}", "not a multiple of four"),
    "cut at a string": (f"v=DKIM1; p={P[: 255 - 12 - 243 % 4]}", "the key is cut short"),
    "512": (f"v=DKIM1; p={b64(numbers(size(512)))}", "RSA of 512 bits: verifiers refuse less than 1024"),
    "1023": (f"v=DKIM1; p={b64(numbers(size(1023)))}", "RSA of 1023 bits"),
    "even exponent": (f"v=DKIM1; p={b64(numbers(size(2048), 65536))}", "e must be odd"),
    "exponent 1": (f"v=DKIM1; p={b64(numbers(size(2048), 1))}", "p= has no usable key"),
    "small factor": (f"v=DKIM1; p={b64(numbers(3 * size(2046)))}", "the modulus has a small factor"),
    "even modulus": (f"v=DKIM1; p={b64(numbers(2**2047 + 2))}", "the modulus has a small factor"),
    "random octets": (f"v=DKIM1; p={b64(b'x' * 300)}", "p= has no public key"),
    "pem": (f"v=DKIM1; p={PEM}", "BEGIN and END lines"),
    "certificate": (f"v=DKIM1; p={b64(issue('a').der)}", "a whole certificate"),
    "private key": (f"v=DKIM1; p={b64(PRIVATE)}", "p= has a PRIVATE key"),
    "private key of old": (f"v=DKIM1; p={b64(TRADITIONAL)}", "p= has a PRIVATE key"),
    "elliptic": (f"v=DKIM1; p={b64(EC_SPKI)}", "a key of type"),
    "dsa": (f"v=DKIM1; p={b64(DSA_SPKI)}", "a key of type DSA"),
    "upper case type": (f"v=DKIM1; k=RSA; p={P}", "k=RSA has to be written k=rsa"),
    "unknown type": (f"v=DKIM1; k=dsa; p={P}", "is no type of key that verifiers know"),
    "ed25519 as rsa": (f"v=DKIM1; p={b64(ED_SPKI)}", "p= has an Ed25519 key, but k= says rsa"),
    "rsa as ed25519": (f"v=DKIM1; k=ed25519; p={P}", "k= says ed25519, but p= has an RSA key"),
    "ed25519 wrapped": (f"v=DKIM1; k=ed25519; p={b64(ED_SPKI)}", f"wants its 32 octets: p={b64(ED_RAW)}"),
    "ed25519 short": (f"v=DKIM1; k=ed25519; p={b64(ED_RAW[:30])}", "p= has 30 octets; an Ed25519 key has 32"),
    "sha1 only": (f"v=DKIM1; h=sha1; p={P}", "h= allows only sha1"),
    "no hash": (f"v=DKIM1; h=; p={P}", "h= allows no hash in use"),
    "not for mail": (f"v=DKIM1; s=tlsrpt; p={P}", "s=tlsrpt: the key is not for mail"),
    "backslashes": (rf"v=DKIM1\; k=rsa\; p={P}", "backslashes stand before the semicolons"),
    "quotes": (f'"v=DKIM1; k=rsa; p={P}"', "quotation marks are part of the record"),
    "quotes inside": (f'v=DKIM1; k=rsa; p={P[:40]}" "{P[40:]}', "quotation marks are part of the record"),
    "huge": (f"v=DKIM1; p={'A' * 12000}", "more than any key"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken(name: str) -> None:
    text, told = BROKEN[name]
    assert [one for one in read(text).problems if told in one], read(text).problems


def test_a_key_that_cannot_be_read_has_no_fingerprint() -> None:
    assert [name for name in ("not base64", "private key", "certificate") if read(BROKEN[name][0]).fingerprint] == []


def test_revoked() -> None:
    found = read("v=DKIM1; p=")
    assert (found.revoked, found.bits, found.fingerprint, found.problems) == (True, 0, "", ())
    assert not read(GOOD).revoked
    assert not read("v=DKIM1").revoked


def test_flags() -> None:
    found = read(f"v=DKIM1; t= y : s; h=sha256; s=email; p={P}")
    assert (found.testing, found.strict, found.hashes, found.services) == (True, True, ("sha256",), ("email",))


def test_fingerprint_is_of_the_octets() -> None:
    spaced = read(f"v=DKIM1; p={P[:10]}  {P[10:]}")
    assert spaced.fingerprint == read(GOOD).fingerprint == sha256(SPKI).hexdigest()


def test_one_key_in_two_wrappings() -> None:
    assert dkim_public.same("rsa", P, f" {b64(PKCS1)[:9]} {b64(PKCS1)[9:]}")
    assert dkim_public.same("ed25519", b64(ED_RAW), b64(ED_SPKI))
    assert not dkim_public.same("rsa", P, b64(numbers(size(2048))))
    assert not dkim_public.same("rsa", "", "")
    assert not dkim_public.same("rsa", "!", "!")


@pytest.mark.parametrize("public", [RSA.public_key(), ED.public_key()])
def test_reads_what_it_renders(public: rsa.RSAPublicKey | ed25519.Ed25519PublicKey) -> None:
    kind, p = dkim_public.spelled(public)
    found = read(render(kind, p))
    assert (found.key_type, found.problems, found.advice) == (kind, (), ())


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=200))
def test_any_text_is_a_key_or_has_a_problem(text: str) -> None:
    found = read(text)
    assert found.problems or found.revoked or found.fingerprint


@given(st.binary(max_size=400), st.sampled_from(["rsa", "ed25519"]))
def test_any_octets_are_a_key_or_have_a_problem(octets: bytes, kind: str) -> None:
    found = dkim_public.read(kind, b64(octets) or "=")
    assert bool(found.bits) == bool(found.fingerprint)
    assert found.problems or found.bits


@given(st.integers(0, len(SPKI) - 1), st.integers(0, 255))
def test_a_damaged_key_is_a_key_or_has_a_problem(place: int, octet: int) -> None:
    damaged = SPKI[:place] + bytes([octet]) + SPKI[place + 1 :]
    found = dkim_public.read("rsa", b64(damaged))
    assert found.problems or found.bits


def ask(zone: Zone, selector: str = "s1", *, declared: bool = True) -> DkimKeySeen | Unobserved:
    return asyncio.run(key("example.org", selector, zone, declared=declared))


OWNER = "s1._domainkey.example.org"


def seen(zone: Zone) -> DkimKeySeen:
    found = ask(zone)
    assert isinstance(found, DkimKeySeen)
    return found


def test_one_selector() -> None:
    found = seen(Zone({f"{OWNER} TXT": [GOOD]}, security=Security.SECURE, ttl=77))
    assert (found.at.host, found.selector, found.declared) == ("example.org", "s1", True)
    assert (found.bits, found.ttl, found.security, found.text) == (2048, 77, Security.SECURE, GOOD)
    assert (found.problems, found.advice) == ((), ())


def test_no_record_is_no_problem_by_itself() -> None:
    absent = seen(Zone({}))
    empty = seen(Zone({f"{OWNER} A": ["192.0.2.1"]}))
    assert (absent.presence, empty.presence) == (Presence.ABSENT, Presence.EMPTY)
    assert absent.problems == empty.problems == ()


@pytest.mark.parametrize(("trouble", "reason"), [(SERVFAIL, Reason.REFUSED), (BOGUS, Reason.BOGUS)])
def test_no_answer_is_not_absence(trouble: tuple[Reason, str], reason: Reason) -> None:
    found = ask(Zone({}, {OWNER: trouble}))
    assert isinstance(found, Unobserved)
    assert (found.at.host, found.wanted, found.reason, found.detail) == ("example.org", "dkim:s1", reason, trouble[1])


def test_several_records() -> None:
    found = seen(Zone({f"{OWNER} TXT": ["some verification", GOOD]}))
    assert found.problems == ("2 TXT records at one selector: which one counts is undefined",)
    assert found.bits == 2048


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_records_the_one_with_a_key_is_told(order: int) -> None:
    found = seen(Zone({f"{OWNER} TXT": ["v=DKIM1; p=", GOOD, "v=DKIM1"][::order]}))
    assert (found.bits, found.revoked, found.text) == (2048, False, GOOD)


def test_alias() -> None:
    found = seen(Zone({f"{OWNER} CNAME": ["s1.provider.example"], "s1.provider.example TXT": [GOOD]}))
    assert found.advice == ("the key stands at s1.provider.example (CNAME): who runs that zone changes it",)


def test_impossible_selector() -> None:
    found = ask(Zone({}), "x" * 64)
    assert isinstance(found, DkimKeySeen)
    assert found.presence is Presence.ABSENT


def test_wildcard() -> None:
    assert asyncio.run(wildcard("example.org", Zone({f"{IMPROBABLE}._domainkey.example.org TXT": ["v=DKIM1; p="]})))
    assert not asyncio.run(wildcard("example.org", Zone({f"{OWNER} TXT": [GOOD]})))
    failing = Zone({}, {f"{IMPROBABLE}._domainkey.example.org": SERVFAIL})
    assert not asyncio.run(wildcard("example.org", failing))


def test_common_selectors_are_selectors() -> None:
    assert len(set(dkim.COMMON)) == len(dkim.COMMON) <= 24
    assert IMPROBABLE not in dkim.COMMON


def test_record_text_is_bounded() -> None:
    found = seen(Zone({f"{OWNER} TXT": ["v=DKIM1; n=" + "x" * 60000]}))
    assert len(found.text) <= tags.MAX_TEXT

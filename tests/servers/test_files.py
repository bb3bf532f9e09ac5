"""Certificates and keys that settings name, held together by their public half."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from gatepost.model.architecture import Endpoint
from gatepost.model.bundle import Bundle, FileTaken, Ran
from gatepost.model.host import FileSeen, Place
from gatepost.model.observation import Unobserved, of
from gatepost.servers import postfix
from gatepost.servers.witness import facts
from tests.servers.taken import NOW

AT = Endpoint("mx1.example.org")
KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = hashlib.sha256(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def certificate() -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mx1.example.org")])
    made = x509.CertificateBuilder(name, name, KEY.public_key(), 1, NOW, NOW + timedelta(days=1))
    return made.sign(KEY, SHA256())


CERTIFICATE = certificate()
PEM = CERTIFICATE.public_bytes(Encoding.PEM).decode()


def told(settings: str, *files: FileTaken) -> Bundle:
    commands = [
        Ran(postfix.command("/etc/postfix", options), 0, settings)
        for options in (postfix.ALL, postfix.EXPANDED, postfix.WRITTEN)
    ]
    main = FileTaken("/etc/postfix/main.cf", True, text=settings)
    return Bundle(AT.host, NOW, "this machine", tuple(commands), (main, *files))


def test_a_certificate_and_its_key() -> None:
    bundle = told(
        "smtpd_tls_cert_file = /c.pem\nsmtpd_tls_key_file = /k.pem\n",
        FileTaken("/c.pem", True, 0o644, "root", text=f"subject=x\n{PEM}{PEM}"),
        FileTaken("/k.pem", True, 0o640, "root", "ssl-cert", text="", note=PUBLIC),
    )
    cert, key = of(FileSeen, facts(bundle))
    assert (cert.purpose, cert.public, cert.fingerprint) == (
        "certificate",
        PUBLIC,
        CERTIFICATE.fingerprint(SHA256()).hex(),
    )
    assert (key.purpose, key.public, key.mode, key.group) == ("key", PUBLIC, 0o640, "ssl-cert")
    assert (key.used_by, key.place) == (("smtpd_tls_key_file",), Place("/etc/postfix/main.cf", 2))


def test_of_a_chain_in_two_files_one_is_the_key() -> None:
    key = FileTaken("/key.pem", True, 0o600, text="", note=PUBLIC)
    bundle = told("smtpd_tls_chain_files = /key.pem /chain.pem\n", key, FileTaken("/chain.pem", True, 0o644, text=PEM))
    seen = facts(bundle)
    assert [(f.path, f.purpose) for f in of(FileSeen, seen)] == [("/key.pem", "key"), ("/chain.pem", "chain")]
    assert not [one for one in of(Unobserved, seen) if one.wanted.startswith("contents")]


def test_a_chain_with_its_key_is_both() -> None:
    bundle = told("smtpd_tls_chain_files = /all.pem\n", FileTaken("/all.pem", True, 0o600, text=PEM, note=PUBLIC))
    assert [(f.purpose, f.public) for f in of(FileSeen, facts(bundle))] == [("chain", PUBLIC), ("key", PUBLIC)]


def test_one_file_for_many_settings_is_seen_once() -> None:
    settings = "smtpd_tls_cert_file = /c.pem\nsmtp_tls_cert_file = /c.pem\n"
    (seen,) = of(FileSeen, facts(told(settings, FileTaken("/c.pem", True, 0o644, text=PEM))))
    assert seen.used_by == ("smtpd_tls_cert_file", "smtp_tls_cert_file")


def test_a_file_that_is_gone_is_a_fact_and_one_that_was_hidden_is_not() -> None:
    settings = "smtpd_tls_cert_file = /gone.pem\nsmtpd_tls_key_file = /hidden.pem\n"
    gone = FileTaken("/gone.pem", exists=False)
    seen = facts(told(settings, gone, FileTaken("/hidden.pem", exists=False, why="Permission denied")))
    assert [(f.path, f.exists) for f in of(FileSeen, seen)] == [("/gone.pem", False)]
    assert [(u.wanted, u.detail) for u in of(Unobserved, seen) if "pem" in u.wanted] == [
        ("file /hidden.pem", "Permission denied")
    ]


def test_a_file_without_what_it_should_hold() -> None:
    settings = "smtpd_tls_cert_file = /c.pem\nsmtpd_tls_key_file = /k.pem\n"
    broken = FileTaken("/c.pem", True, 0o644, text=PEM.replace("M", "!"))
    absent = FileTaken("/k.pem", True, 0o600, text="", why="openssl is not on the host")
    seen = facts(told(settings, broken, absent))
    assert [(f.path, f.public) for f in of(FileSeen, seen)] == [("/c.pem", ""), ("/k.pem", "")]
    assert [(u.wanted, u.detail) for u in of(Unobserved, seen) if "pem" in u.wanted] == [
        ("contents of /c.pem", "no certificate could be read in it"),
        ("contents of /k.pem", "openssl is not on the host"),
    ]


def test_rules_for_choosing_a_file_name_none() -> None:
    settings = "smtpd_tls_cert_file = ${if x{/a}{/b}}\nsmtp_tls_cert_file = relative.pem\n"
    assert of(FileSeen, facts(told(settings))) == []

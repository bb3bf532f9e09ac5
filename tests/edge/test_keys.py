from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from gatepost.edge import keys
from gatepost.errors import UsageError
from gatepost.records import dkim

RSA = rsa.generate_private_key(65537, 2048)


@pytest.fixture(autouse=True)
def _anything_goes() -> object:  # a lax umask must not matter
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_key_is_kept_for_its_owner_alone(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "s1.key"
    found = keys.save(file, keys.make(kind))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (found.type, found.private, found.exposed) == (kind, True, False)
    assert found == keys.read(file)
    assert [one.name for one in tmp_path.iterdir()] == ["s1.key"]
    assert dkim.read(dkim.render(found.type, found.p)).problems == ()


def test_a_key_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "s1.key"
    first = keys.save(file, RSA)
    before = file.read_bytes()
    with pytest.raises(UsageError, match="exists; a key is only replaced with --force"):
        keys.save(file, keys.make("ed25519"))
    assert file.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["s1.key"]
    second = keys.save(file, keys.make("ed25519"), force=True)
    assert first.p != second.p == keys.read(file).p
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "elsewhere", tmp_path / "s1.key"
    link.symlink_to(target)
    with pytest.raises(UsageError, match="exists"):
        keys.save(link, RSA)
    keys.save(link, RSA, force=True)
    assert not link.is_symlink()
    assert not target.exists()


@pytest.mark.parametrize("bits", [512, 1024, 2047, 4097, 100000, -1])
def test_sizes_that_are_refused(bits: int) -> None:
    with pytest.raises(UsageError, match=f"--bits {bits}: an RSA key of 2048 to 4096 bits is wanted"):
        keys.make("rsa", bits)


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or directory"):
        keys.save(tmp_path / "missing" / "s1.key", RSA)
    with pytest.raises(UsageError, match="exists"):
        keys.save(tmp_path, RSA)
    with pytest.raises(UsageError, match="is a directory"):
        keys.save(tmp_path, RSA, force=True)


def pem(*, old: bool = False, passphrase: bytes = b"") -> bytes:
    form = PrivateFormat.TraditionalOpenSSL if old else PrivateFormat.PKCS8
    return RSA.private_bytes(Encoding.PEM, form, BestAvailableEncryption(passphrase) if passphrase else NoEncryption())


def test_reading_what_others_made(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(pem(old=True))
    found = keys.read(file)
    assert (found.type, found.bits, found.private, found.exposed) == ("rsa", 2048, True, True)
    file.write_bytes(RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    public = keys.read(file)
    assert (public.p, public.private, public.exposed) == (found.p, False, False)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no key in PEM form"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no key in PEM form"),
        (b"\xff" * 70000, "larger than any key file"),
        (pem(passphrase=b"secret"), "the key is encrypted"),
        (
            ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            "of a type DKIM does not know",
        ),
    ],
)
def test_files_without_a_usable_key(tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=told):
        keys.read(file)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        keys.read(tmp_path / "none")


def test_nothing_of_the_private_half_is_shown(tmp_path: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    found = keys.save(tmp_path / "k", key)
    secret = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    assert secret.hex() not in repr(found)
    assert (tmp_path / "k").read_text().splitlines()[1] not in repr(found)

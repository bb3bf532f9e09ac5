"""Which authorities are trusted, and what is said about the wrong file."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gatepost.edge.trust import roots
from gatepost.errors import UsageError
from tests.authority import family

F = family()


def written(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "ca.pem"
    path.write_bytes(data)
    return path


def test_file_is_added_to_the_system_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(F.middle.pem + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    path = written(tmp_path, F.root.pem)
    assert roots(path).certificates == (F.middle.der, F.root.der)
    assert roots(path).origin == f"{bundle} and {path}"
    assert roots().certificates == (F.middle.der,)


def test_file_alone(tmp_path: Path) -> None:
    path = written(tmp_path, b"comment\n" + F.root.pem + F.middle.pem + F.root.pem)
    assert roots(path, system=False).certificates == (F.root.der, F.middle.der)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (b"hello", "holds no PEM certificate"),
        (F.root.der, "not PEM but DER"),
        (F.root.pem[:-30], "holds no PEM certificate"),
        (
            F.root.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            "holds no certificate, only PRIVATE KEY",
        ),
        (
            F.root.pem + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "certificate 2: a certificate that cannot be read",
        ),
        (b"-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n", "not base64"),
    ],
)
def test_wrong_file(tmp_path: Path, data: bytes, words: str) -> None:
    path = written(tmp_path, data)
    with pytest.raises(UsageError, match=words) as caught:
        roots(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        roots(tmp_path / "none.pem")
    with pytest.raises(UsageError, match="is a directory"):
        roots(tmp_path)

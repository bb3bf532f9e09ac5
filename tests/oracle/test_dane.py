"""The TLSA matcher against OpenSSL's own: every row of the table, in real handshakes on loopback."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gatepost.model.dns import Tlsa
from tests.authority import HOST, NOW
from tests.certs.dane_cases import CHAINS, ROWS, F, Row
from tests.oracle import openssl

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(bool(openssl.why_not()), reason=openssl.why_not() or "runs"),
]


class Served:
    """One `s_server` for each chain, started when first asked for."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self.stack = folder, stack
        self.ports: dict[str, int] = {}
        (folder / "root").write_bytes(F.root.pem)

    def port(self, chain: str) -> int:
        if chain not in self.ports:
            folder = self.folder / chain
            folder.mkdir()
            self.ports[chain] = self.stack.enter_context(openssl.server(folder, *_options(folder, chain)))
        return self.ports[chain]


def _options(folder: Path, chain: str) -> list[str]:
    leaf, *rest = CHAINS[chain]
    (folder / "leaf").write_bytes(leaf.pem)
    (folder / "key").write_bytes(leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "rest").write_bytes(b"".join(one.pem for one in rest))
    more = ["-cert_chain", str(folder / "rest")] if rest else []
    return ["-cert", str(folder / "leaf"), "-key", str(folder / "key"), *more]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with ExitStack() as stack:
        yield Served(tmp_path_factory.mktemp("dane"), stack)


def verdict(port: int, records: tuple[Tlsa, ...], *roots: str) -> bool:
    """Partial chains are allowed, because only then OpenSSL looks at the dates of an anchor that is no root."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", HOST,
         "-dane_tlsa_domain", HOST, "-dane_ee_no_namechecks", "-partial_chain",
         "-attime", str(int(NOW.timestamp())),
         *roots, *(word for one in records for word in ("-dane_tlsa_rrdata", str(one)))],
        input=b"", capture_output=True, timeout=20, check=False,
    )  # fmt: skip
    said = done.stdout.decode("latin-1")
    assert "Verify return code" in said, done.stderr.decode("latin-1")[-300:]
    return "Verify return code: 0 (ok)" in said


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_openssl_agrees(row: Row, served: Served) -> None:
    roots = ["-CAfile", str(served.folder / "root")] if row.pkix else ["-no-CAfile", "-no-CApath"]
    assert verdict(served.port(row.chain), row.records, *roots) == ("matched" in row.wanted.split())

"""A set of sites that go up and down together: their certificates, servers and declaration."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import subprocess
from base64 import encodebytes
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gatepost.demo.authority import Authority, Flaw, Key, KeyKind, make_key
from lab import daemons, dovecot, postfix
from lab.places import program, why_not
from lab.site import Site, declaration


@dataclass(frozen=True, slots=True)
class Estate:
    """`home` holds everything of it. `stock` runs Dovecot's login processes as the package does.

    `web` are names of web hosts that get certificates too, with what is wrong with each. `declared` is more text
    for the declaration.
    """

    home: Path
    sites: tuple[Site, ...]
    stock: bool = False
    web: Mapping[str, Flaw] = field(default_factory=dict)
    declared: str = ""

    @property
    def declaration(self) -> Path:
        return self.home / "gatepost.toml"

    @property
    def ca(self) -> Path:
        return self.home / "ca.pem"

    @property
    def papers(self) -> Path:
        return self.home / "papers"

    def digests(self, site: Site) -> tuple[str, str]:
        """Sha256 of the public keys of a host's certificate and of its issuer's, as TLSA records want them."""
        chain = x509.load_pem_x509_certificates((self.papers / f"{site.name}-0.pem").read_bytes())
        keys = [c.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for c in chain[:2]]
        return hashlib.sha256(keys[0]).hexdigest(), hashlib.sha256(keys[1]).hexdigest()

    @property
    def running(self) -> bool:
        return postfix.running(self.home / "postfix") is not None

    def up(self) -> None:
        """Idempotent: a running estate is left as it is."""
        if reason := why_not():
            raise SystemExit(f"lab: {reason}")
        if self.running:
            return
        self.down()
        try:
            self._start()
        except BaseException:
            self.down()
            raise

    def _start(self) -> None:
        self.home.mkdir(parents=True)
        self.home.chmod(0o755)
        papers = self._issue()
        users = self._accounts()
        private = self.home / "postfix" / "queue" / "private"
        postfix.write(self.home / "postfix", self.sites, papers, stock=self.stock)
        for site in self.sites:
            home = self.home / f"dovecot-{site.address}"
            dovecot.write(home, site, papers, users, private / f"auth-{site.address}", stock=self.stock)
            dovecot.start(home)
        postfix.start(self.home / "postfix")

    def down(self) -> None:
        """Stops what runs and removes every file of it."""
        if not self.home.exists():
            return
        running = [postfix.running(self.home / "postfix"), *map(dovecot.running, self.home.glob("dovecot-*"))]
        daemons.stop(pid for pid in running if pid is not None)
        shutil.rmtree(self.home)

    def _issue(self) -> dict[tuple[str, int], Path]:
        """Certificates of every site; the files by site and port, port 0 for all others."""
        now = datetime.now(UTC)
        authority, stranger = Authority(now), Authority(now, title="Nobody knows")
        (self.home / "openssl.cnf").write_text(OPENSSL)
        self.ca.write_bytes(authority.pem)
        self.declaration.write_text(declaration(self.sites, now.date()) + self.declared)
        keys = {kind: make_key(kind) for kind in KeyKind}
        self.papers.mkdir()
        (self.papers / postfix.DH_FILE).write_text(small_group())

        def issued(name: str, flaw: Flaw, key: Key | None, file: str) -> Path:
            by = stranger if flaw is Flaw.UNKNOWN_CA else authority
            path = self.papers / f"{file}.pem"
            path.write_bytes(by.issue((name,), flaw, key).together)
            path.chmod(0o600)
            return path

        for name, flaw in self.web.items():
            issued(name, flaw, None, name)
        return {
            (site.name, port): issued(site.name, site.flaw(port), _key(keys, site, port), f"{site.name}-{port}")
            for site in self.sites
            for port in {0, *site.papers}
        }

    def _accounts(self) -> Path:
        """One mailbox, with a password made for this run."""
        password = secrets.token_urlsafe(12)
        note, users = self.home / "password", self.home / "users"
        note.touch(mode=0o600)
        note.write_text(password + "\n")
        hashed = subprocess.run(
            [program("doveadm"), "-c", "/dev/null", "pw", "-s", "SHA512-CRYPT", "-p", password],
            capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
        users.write_text(f"alice:{hashed}\n")
        shutil.chown(users, "root", "dovecot")
        users.chmod(0o640)
        return users


# Neither server has a setting of its own for this: OpenSSL would sign with SHA-224 when a client likes it.
OPENSSL = """\
openssl_conf = all
[all]
ssl_conf = programs
[programs]
system_default = tls
[tls]
SignatureAlgorithms = RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512
"""

# RFC 2409 section 6.2: the second Oakley group, 1024 bits.
OAKLEY_2 = bytes.fromhex(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF"
)


def small_group() -> str:
    """PKCS #3: a sequence of the prime and the generator 2."""
    der = b"\x30\x81\x87\x02\x81\x81\x00" + OAKLEY_2 + b"\x02\x01\x02"
    return f"-----BEGIN DH PARAMETERS-----\n{encodebytes(der).decode()}-----END DH PARAMETERS-----\n"


def _key(keys: dict[KeyKind, Key], site: Site, port: int) -> Key:
    """A key of its own for a port with papers of its own; the rest of the lab shares one to start quickly."""
    return make_key(site.key) if port else keys[site.key]

"""Certificate and key files that servers are configured with. Of a key only its public half is ever known here."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gatepost.model.architecture import Endpoint
from gatepost.model.bundle import Bundle, FileTaken
from gatepost.model.host import FileSeen, Place
from gatepost.model.observation import Unobserved
from gatepost.model.words import Reason
from gatepost.servers import dovecot, exim, postfix
from gatepost.servers.instances import Instance

MOST = 500
LONGEST_PATH = 1000
PURPOSES = {
    "certificate": (
        "smtp_tls_cert_file", "smtp_tls_dcert_file", "smtp_tls_eccert_file", "smtpd_tls_cert_file",
        "smtpd_tls_dcert_file", "smtpd_tls_eccert_file", "ssl_alt_cert", "ssl_cert", "ssl_client_cert",
        "ssl_client_cert_file", "ssl_server_alt_cert_file", "ssl_server_cert_file", "tls_certificate",
    ),
    "chain": ("smtp_tls_chain_files", "smtpd_tls_chain_files"),
    "key": (
        "smtp_tls_dkey_file", "smtp_tls_eckey_file", "smtp_tls_key_file", "smtpd_tls_dkey_file",
        "smtpd_tls_eckey_file", "smtpd_tls_key_file", "ssl_alt_key", "ssl_client_key", "ssl_client_key_file", "ssl_key",
        "ssl_server_alt_key_file", "ssl_server_key_file", "tls_privatekey",
    ),
}  # fmt: skip
PURPOSE = {name: purpose for purpose, names in PURPOSES.items() for name in names}

NO_KEY = "no key could be read in it"
NOT_REGULAR = "it is no regular file"
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_LEFT_OPEN = re.compile(r"[$%{]")  # decided per connection: no one file


@dataclass(frozen=True, slots=True)
class Named:
    """A file that a setting names."""

    path: str
    purpose: str
    setting: str
    place: Place | None


def named(bundle: Bundle, instances: Iterable[Instance]) -> Iterator[Named]:
    """Each path, purpose and setting once, as long as the setting names one file and not a rule for choosing one."""
    seen: set[tuple[str, str, str]] = set()
    for instance in instances:
        for name, value, place in _values(bundle, instance):
            for path in _paths(value) if name in PURPOSE else ():
                key = (path, PURPOSE[name], name)
                if key not in seen and len(seen) < MOST:
                    seen.add(key)
                    yield Named(*key, place)


def files(bundle: Bundle, instances: Iterable[Instance], at: Endpoint) -> Iterator[FileSeen | Unobserved]:
    """A file with a chain and its key is seen twice: once for what it shows, once for what it must hide."""
    uses: dict[tuple[str, str], list[Named]] = {}
    for one in named(bundle, instances):
        taken = bundle.file(one.path)
        for purpose in _purposes(one, taken):
            uses.setdefault((one.path, purpose), []).append(one)
    for (path, purpose), used in uses.items():
        yield from _file(bundle.file(path), path, purpose, used, at)


def _purposes(one: Named, taken: FileTaken | None) -> tuple[str, ...]:
    """Of the files of a chain, one may hold the key alone."""
    if one.purpose != "chain" or taken is None or not taken.note:
        return (one.purpose,)
    return ("chain", "key") if BEGIN in (taken.text or "") else ("key",)


def _values(bundle: Bundle, instance: Instance) -> Iterator[tuple[str, str, Place | None]]:
    if instance.software == "postfix":
        yield from postfix.values(bundle, instance.config)
    elif instance.software == "dovecot":
        yield from dovecot.values(bundle, instance.config)
    else:
        yield from exim.values(bundle, instance)


def _paths(value: str) -> list[str]:
    """Lists are separated by commas and blanks; Dovecot 2.3 writes `<` before a file."""
    if _LEFT_OPEN.search(value):
        return []
    words = (word.removeprefix("<") for word in value.replace(",", " ").split())
    return [word for word in words if word.startswith("/") and len(word) < LONGEST_PATH][:20]


def _file(
    taken: FileTaken | None, path: str, purpose: str, used: list[Named], at: Endpoint
) -> Iterator[FileSeen | Unobserved]:
    if taken is None or (taken.why and not taken.exists and not taken.mode):
        yield Unobserved(at, f"file {path}", Reason.REFUSED, (taken.why if taken else "it was not looked at")[:200])
        return
    public, fingerprint = ("", "") if purpose == "key" else _certificate(taken.text or "")
    if purpose == "key":
        public = taken.note
    if taken.exists and not public:
        detail = taken.why or (NO_KEY if purpose == "key" else "no certificate could be read in it")
        yield Unobserved(at, f"contents of {path}", Reason.REFUSED, detail[:200])
    yield FileSeen(
        at,
        path,
        purpose,
        taken.exists,
        taken.mode,
        taken.owner,
        taken.group,
        taken.modified,
        public,
        fingerprint,
        tuple(dict.fromkeys(one.setting for one in used)),
        used[0].place,
    )


def _certificate(text: str) -> tuple[str, str]:
    """SHA-256 of the public key and of the whole of the first certificate; empty for what is none."""
    body, end, _ = text.partition(BEGIN)[2].partition(END)
    if not end:
        return "", ""
    try:
        der = base64.b64decode("".join(body.split()), validate=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # serial numbers below one and the like: judged elsewhere
            key = x509.load_der_x509_certificate(der).public_key()
        public = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (binascii.Error, ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        return "", ""
    return hashlib.sha256(public).hexdigest(), hashlib.sha256(der).hexdigest()

"""TLS as the small servers speak it: pyOpenSSL, so that it is the same OpenSSL on every machine."""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates
from OpenSSL import SSL

from gatepost.demo.authority import Papers
from gatepost.demo.habits import Tls

NO_RENEGOTIATION = 1 << 30
ALLOW_CLIENT_RENEGOTIATION = 1 << 8
SERVER_PREFERENCE = 1 << 22


def context(papers: Papers, tls: Tls) -> SSL.Context:
    made = SSL.Context(SSL.TLS_SERVER_METHOD)
    legacy = tls.lowest < 0x0303
    made.set_cipher_list(f"{tls.ciphers}:@SECLEVEL=0".encode() if legacy else tls.ciphers.encode())
    made.set_min_proto_version(tls.lowest)
    made.set_max_proto_version(tls.highest)
    made.set_options(SERVER_PREFERENCE | (ALLOW_CLIENT_RENEGOTIATION if tls.renegotiation else NO_RENEGOTIATION))
    leaf, *others = load_pem_x509_certificates(papers.chain)
    made.use_certificate(leaf)
    for other in others:
        made.add_extra_chain_cert(other)
    made.use_privatekey(load_pem_private_key(papers.key, None))  # type: ignore[arg-type]  # only RSA and EC here
    return made

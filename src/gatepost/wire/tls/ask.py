"""One hello on a wire that stands right before it, and the answer."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256

from gatepost.catalogue import tls
from gatepost.catalogue.tls import Suite
from gatepost.errors import PeerGarbled, PeerReset, PeerSilent
from gatepost.model.architecture import Endpoint
from gatepost.model.observation import ChainSeen, Hello, Unobserved
from gatepost.wire.lines import Wire
from gatepost.wire.tls.client_hello import render_client_hello
from gatepost.wire.tls.early import Proof, provoke
from gatepost.wire.tls.flight import Flight
from gatepost.wire.tls.offers import Offer


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an offer. `missed` is set when the question could not be put, or got no answer at all."""

    offer: Offer
    flight: Flight
    refused: str = ""
    missed: Unobserved | None = None
    proofs: tuple[Proof, ...] = ()

    @property
    def accepted(self) -> bool:
        return self.missed is None and not self.refused

    @property
    def unclear(self) -> bool:
        """Hung up without an alert, or an internal error: refused, or picked and failed."""
        return self.silent or self.refused == "alert:internal_error"

    @property
    def silent(self) -> bool:
        """Hung up without a reason."""
        return self.refused in {"alert:close_notify", "closed", "reset"}

    @property
    def suite(self) -> Suite | None:
        return tls.suite(self.flight.suite)

    def seen(self, at: Endpoint, name: str = "") -> Hello:
        """The answer as an observation, under the offer's name or another that it proves as well."""
        flight = self.flight
        return Hello(
            at,
            name or self.offer.name,
            self.offer.sni,
            self.refused,
            flight.version,
            flight.suite,
            flight.group,
            flight.signature,
            flight.dh_bits,
            flight.dh_prime,
            flight.compression,
            flight.extensions,
            bool(flight.session_id) and flight.version != "TLSv1.3",
            tuple(sha256(der).hexdigest() for der in flight.chain),
            bool(flight.staple),
        )

    def chain(self, at: Endpoint) -> ChainSeen | None:
        if not self.flight.chain:
            return None
        chain = tuple(b64encode(der).decode("ascii") for der in self.flight.chain)
        return ChainSeen(at, self.offer.sni, chain, bool(self.flight.staple))


async def ask(wire: Wire, offer: Offer, *, mine: bool = False) -> Answer:
    """Send the hello and read the first flight; the handshake goes no further.

    With `mine`, Heartbleed and the early ChangeCipherSpec are tried on the same connection. Raises PeerSilent
    when nothing comes and PeerGarbled when what comes is not TLS or was not on offer.
    """
    flight = Flight()
    refused = await _flight(wire, offer, flight)
    if not refused:
        _check(offer, flight)
    open_end = flight.done and flight.version not in {"TLSv1.3", "SSLv2"}
    proofs = await provoke(wire, flight) if mine and not refused and open_end else ()
    return Answer(offer, flight, refused, proofs=proofs)


async def _flight(wire: Wire, offer: Offer, flight: Flight) -> str:
    """Fill the flight; returns in which words the offer was refused, nothing when it was not."""
    try:
        await wire.write(render_client_hello(offer.hello))
        while not flight.done:
            data = await wire.read()
            if not data:
                break
            flight.feed(data)
    except PeerReset:
        if not flight.answered:
            return "reset"
    except PeerSilent:
        flight.end()
        if not flight.answered:
            raise
    flight.end()
    if flight.alert:
        return f"alert:{flight.alert}"
    if flight.ssl2_error:
        return f"ssl2:{flight.ssl2_error}"
    return "" if flight.answered else "closed"


def _check(offer: Offer, flight: Flight) -> None:
    """A server may choose only from what it was offered (RFC 8446 section 4.1.3)."""
    if flight.version == "SSLv2":
        return
    suite = tls.suite(flight.suite)
    if suite is None or suite.code not in offer.suites:
        raise PeerGarbled(f"TLS: answered {flight.suite}, which was not on offer")
    if tls.VERSIONS.get(flight.version, 0xFFFF) > tls.VERSIONS[offer.version]:
        raise PeerGarbled(f"TLS: answered {flight.version} to an offer of at most {offer.version}")

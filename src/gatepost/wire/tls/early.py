"""Two questions that ride on an unfinished handshake: Heartbleed and the early ChangeCipherSpec.

Only for targets the operator names as theirs. The heartbeat asks for 32 octets that it did not send, so a
vulnerable server gives away 32 octets of its memory; they are counted and dropped, never kept or shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.catalogue import tls
from gatepost.errors import PeerError, PeerReset, PeerSilent
from gatepost.wire.lines import Wire
from gatepost.wire.tls.flight import Flight
from gatepost.wire.tls.record import Content, Record, Records, render_record

OVERREAD = 32
_REQUEST = b"\1" + OVERREAD.to_bytes(2, "big")  # RFC 6520 section 4: a payload length without a payload
_BAD_MAC = frozenset({"bad_record_mac", "decryption_failed"})


@dataclass(frozen=True, slots=True)
class Proof:
    """What a provocation showed; becomes a `Feature`."""

    name: str
    present: bool | None
    detail: str


async def provoke(wire: Wire, flight: Flight) -> tuple[Proof, ...]:
    """Both at once, so that a healthy server answers at once: it drops the heartbeat and rejects the other.

    CVE-2014-0160 (RFC 6520 section 4 demands the heartbeat be dropped) and CVE-2014-0224.
    """
    version = tls.VERSIONS[flight.version]
    change = render_record(Content.CHANGE_CIPHER_SPEC, version, b"\1")
    heartbeat = "heartbeat" in flight.extensions
    question = (render_record(Content.HEARTBEAT, version, _REQUEST) if heartbeat else b"") + change
    heard = _Heard(Records())
    try:
        await wire.write(question)
        await heard.listen(wire)
        if heard.silent:  # a patched server never lets the first one pass in silence
            await wire.write(change)
            await heard.listen(wire)
    except PeerError as error:
        heard.trouble = str(error)
    bleeding = Proof("heartbleed", heard.bled > 0, _bled(heard, offered=heartbeat))
    return (bleeding, heard.change_accepted())


@dataclass(slots=True)
class _Heard:
    records: Records
    bled: int = 0
    alert: str = ""
    silent: bool = False
    waited: bool = False
    trouble: str = ""

    async def listen(self, wire: Wire) -> None:
        self.waited = self.waited or self.silent
        self.silent = False
        try:
            while not self.alert and (data := await wire.read()):
                self.feed(data)
        except PeerSilent:
            self.silent = True
        except PeerReset:
            return

    def feed(self, data: bytes) -> None:
        self.records.feed(data)
        while (record := self.records.next()) is not None:
            self._take(record)

    def _take(self, record: Record) -> None:
        if record.content == Content.HEARTBEAT:
            self.bled += len(record.data)
        elif record.content == Content.ALERT and len(record.data) > 1:
            self.alert = tls.alert_name(record.data[1])

    def change_accepted(self) -> Proof:
        name = "ccs-injection"
        if self.waited and self.alert in _BAD_MAC:
            return Proof(name, present=True, detail=f"an early ChangeCipherSpec was obeyed: then {self.alert}")
        if self.waited or self.trouble:
            return Proof(name, present=None, detail=self.trouble or f"silent at first, then {self.alert or 'nothing'}")
        said = f"answered {self.alert}" if self.alert else "hung up"
        return Proof(name, present=False, detail=f"{said} to an early ChangeCipherSpec")


def _bled(heard: _Heard, *, offered: bool) -> str:
    if not offered:
        return "the heartbeat extension is not answered"
    return f"{heard.bled} octets came back for none sent" if heard.bled else "an over-long heartbeat was dropped"

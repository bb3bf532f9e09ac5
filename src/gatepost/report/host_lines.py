"""What the world is told about a mail host: pins, authorities and reverse names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from gatepost.certs import tlsa_choice
from gatepost.model.domain import CaaSeen, ReverseSeen, TlsaSeen
from gatepost.model.observation import CertificateSeen, of
from gatepost.report import protection
from gatepost.report.domain_view import Line, View, sealed


def _dane(view: View) -> Iterator[Line]:
    found = sorted(of(TlsaSeen, view.seen, view.at), key=lambda o: o.port)
    held = [o for o in found if o.records]
    if held:
        details = (f"{o.port}: {_pins(o)}{sealed(o.security)}{_served(o, view)}" for o in held)
        advice = dict.fromkeys(said for o in held for record in o.records if (said := tlsa_choice.advice(record)))
        yield view.line(f"TLSA for {', '.join(str(o.port) for o in held)}", *details, *advice)
    elif found:
        yield view.line("no TLSA record", quiet=True)
    else:
        yield from view.lost("tlsa")


def _pins(one: TlsaSeen) -> str:
    shown = ", ".join(f"{r.usage} {r.selector} {r.matching} {r.data[:12]}…" for r in one.records)
    return shown + (f" (at {one.owner})" if not one.owner.endswith(one.at.host) else "")


def _served(one: TlsaSeen, view: View) -> str:
    """What the records say of every certificate that the port was seen to serve."""
    words = {
        protection.tlsa(shown, view.audit)
        for shown in of(CertificateSeen, view.seen)
        if (shown.at.host, shown.at.port) == (one.at.host, one.port)
    }
    return f"  {', '.join(sorted(words))}" if words else "  no certificate seen"


def _caa(view: View) -> Iterator[Line]:
    found = of(CaaSeen, view.seen, view.at)
    for one in found[:1]:
        issue = ", ".join(r.value for r in one.records if r.tag == "issue")
        yield view.line(f"{issue or 'nobody'} (at {one.found_at})" if one.records else "any authority may issue")
    if not found:
        yield from view.lost("caa")


def _ptr(view: View) -> Iterator[Line]:
    found = of(ReverseSeen, view.seen, view.at)
    details = (
        f"{o.address}: {', '.join(o.confirmed or o.names) or 'no name'}"
        + ("" if o.confirmed else f", not confirmed{f' ({o.why})' if o.why else ''}")
        for o in found
    )
    if found:
        good = sum(bool(o.confirmed) for o in found)
        words = f"{good} of {len(found)} {'address' if len(found) == 1 else 'addresses'} confirmed"
        yield view.line(words, *details, quiet=good < len(found))
    else:
        yield from view.lost("ptr")


LINES: Mapping[str, Callable[[View], Iterator[Line]]] = {"DANE": _dane, "CAA": _caa, "PTR": _ptr}

"""People and addresses as keyed digests: what somebody did can still be counted, not who it was.

The same name becomes the same pseudonym (HMAC-SHA-256, cut to 80 bits, behind a `~`), so that questions join and
count as before. Without the key, which lies beside the lake with mode 0600, nobody can compute it; deleting the key
makes it final. What becomes of each column:

  user, sender, recipient, delivered_to,             a pseudonym, whole: the domain goes as well
  name, helo, message_id
  session, key                                       a pseudonym: Dovecot's own ids hold the client's address
  client       its network and a pseudonym, `192.0.2.0/24~…` or `2001:db8:1::/48~…`; unreadable: a pseudonym
  network      of IPv6 the /48, for a /64 is one household; of IPv4 the /24 as before
  client_port  empty: with it a provider tells its customer
  relay        kept of deliveries and TLS to servers; else it is a mailbox, and a pseudonym
  hint         kept where it is the domain that a message went to; else a pseudonym
  reason       empty, except the word of a mailbox action and the stage of a lost connection
  all others   kept: host, service, times, TLS, queue ids, counters, codes, peer (a domain)
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from gatepost.model.event import Kind

MARK = "~"
DIGITS = 20
NAMES = frozenset({"user", "sender", "recipient", "name", "helo", "message_id", "session", "key", "delivered_to"})
SERVERS = (Kind.DELIVERY.value, Kind.TLS_OUT.value)  # `relay` is a server
WORDS = (Kind.MAIL_ACTION.value, Kind.ABORTED.value)  # `reason` is one of a few words
_PSEUDONYM = re.compile(rf"(?:[0-9a-f.:]+/\d+)?{MARK}[0-9a-f]{{{DIGITS}}}")


def pseudonymised(table: pa.Table, key: bytes) -> pa.Table:
    """The same rows without names. Doing it twice changes nothing."""
    for index, field in enumerate(table.schema):
        if (column := _without(table, field.name, key)) is not None:
            table = table.set_column(index, field, column)
    return table


def pseudonym(text: str, key: bytes) -> str:
    """Nothing stays nothing, and what is one already stays as it is."""
    if not text or _PSEUDONYM.fullmatch(text):
        return text
    return MARK + hmac.digest(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()[:DIGITS]


def address(text: str, key: bytes) -> str:
    """A client, its network in clear."""
    if not text or _PSEUDONYM.fullmatch(text):
        return text
    try:
        return f"{_around(text)}{pseudonym(text, key)}"
    except ValueError:
        return pseudonym(text, key)


def network(text: str) -> str:
    try:
        found = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return ""
    return str(found.supernet(new_prefix=48)) if found.version == 6 and found.prefixlen > 48 else text


def _around(text: str) -> str:
    found = ipaddress.ip_address(text)
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else 48), strict=False))


def _without(table: pa.Table, name: str, key: bytes) -> pa.Array | pa.ChunkedArray | None:
    """None: the column stays."""
    column = table[name]
    if name in NAMES:
        return _each(column, lambda text: pseudonym(text, key))
    if name == "client":
        return _each(column, lambda text: address(text, key))
    if name == "network":
        return _each(column, network)
    if name == "client_port":
        return pa.nulls(len(column), column.type)
    if name == "relay":
        return pc.if_else(_of(table, SERVERS), column, _each(column, lambda text: pseudonym(text, key)))
    if name == "hint":
        outward = pc.fill_null(pc.equal(table["direction"].cast(pa.string()), "out"), fill_value=False)
        return pc.if_else(outward, column, _each(column, lambda text: pseudonym(text, key)))
    if name == "reason":
        return pc.if_else(_of(table, WORDS), column, pa.scalar("", pa.string()))
    return None


def _of(table: pa.Table, kinds: tuple[str, ...]) -> pa.ChunkedArray:
    return pc.fill_null(pc.is_in(table["kind"].cast(pa.string()), pa.array(kinds)), fill_value=False)


def _each(column: pa.ChunkedArray, change: Callable[[str], str]) -> pa.Array:
    """Each different value once; of a list each of its members."""
    whole = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    if pa.types.is_list(whole.type):
        inner = _each(pa.chunked_array([whole.flatten()], whole.type.value_type), change)
        lengths = pc.fill_null(pc.list_value_length(whole), 0)
        starts = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths).cast(pa.int32())])
        return pa.ListArray.from_arrays(starts, inner, mask=whole.is_null()).cast(whole.type)
    coded = whole.cast(pa.string()).dictionary_encode()
    changed = pa.array([change(text) for text in coded.dictionary.to_pylist()], pa.string())
    return pc.take(changed, coded.indices).cast(whole.type)

"""Sets and maps with keys of one or several fields: which entries a packet can hit, found without reading them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from gatepost.firewall.proving.packets import Absent, Field, Knowledge, Open, Packet, Reading, Same, Split, Unknown
from gatepost.firewall.proving.regions import EVERYWHERE, Region
from gatepost.firewall.proving.values import ANYTHING, Raw, Unreadable, addresses, parts, ports, shown

Value = TypeVar("Value")
NARROW = 16  # ports: a wider range is looked through each time instead of being listed port by port


class Keyed(Generic[Value]):
    """Entries by key. Those with a port in the key are listed by port: sets of ten thousand such pairs are usual.

    `values` is everything that can come out.
    """

    def __init__(
        self, fields: Sequence[Field], entries: Sequence[tuple[Raw, Value]], contains: Callable[[Same, Raw], bool]
    ) -> None:
        self._fields = fields
        self._contains = contains
        self._port = next((n for n, field in enumerate(fields) if field.kind == "port"), None)
        self._by_port: dict[int, list[tuple[Sequence[Raw], Value]]] = {}
        self._wide: list[tuple[Sequence[Raw], Value]] = []
        self._default: list[Value] = []
        self.reads = frozenset[str]().union(*(field.reads for field in fields))
        self.values = [value for _, value in entries]
        for key, value in entries:
            self._file(key, value)

    def _file(self, key: Raw, value: Value) -> None:
        if key == ANYTHING:
            self._default.append(value)
            return
        split = parts(key)
        if len(split) != len(self._fields):
            raise Unreadable(f"key {shown(key)}")
        if self._port is None:
            self._wide.append((split, value))
            return
        low, high = ports(split[self._port])
        if high - low >= NARROW:
            self._wide.append((split, value))
        else:
            for port in range(low, high + 1):
                self._by_port.setdefault(port, []).append((split, value))

    def ports_told_apart(self) -> list[Region]:
        """Ports with the same entries beside them go together: they are treated alike."""
        if self._port is None:
            return []
        alike: dict[int, list[tuple[int, int]]] = {}
        for port, listed in self._by_port.items():
            kind = hash(tuple((*_without(split, self._port), repr(value)) for split, value in listed))
            alike.setdefault(kind, []).append((port, port))
        wide = [Region.of([ports(split[self._port])]) for split, _ in self._wide]
        return [*(Region.of(pairs) for pairs in alike.values()), *wide]

    def found(self, packet: Packet, knowledge: Knowledge) -> tuple[list[tuple[Region, Value]] | None, str]:
        """Where which entry is hit, and what of the key cannot be known; None where the packet has no such key."""
        readings = [field.read(packet, knowledge) for field in self._fields]
        if any(isinstance(one, Absent) for one in readings):
            return None, ""
        why = ", ".join(one.what for one in readings if isinstance(one, Unknown))
        hit: list[tuple[Region, Value]] = []
        for split, value in self._near(readings):
            region = self._where(split, readings, packet)
            if region is not None and region:
                hit.append((region, value))
        return [*hit, *self._rest(hit, packet, why)], why

    def _near(self, readings: Sequence[Reading]) -> Sequence[tuple[Sequence[Raw], Value]]:
        if self._port is None:
            return self._wide
        reading = readings[self._port]
        if isinstance(reading, Same) and isinstance(reading.value, int):
            return [*self._by_port.get(reading.value, ()), *self._wide]
        return [*(entry for listed in self._by_port.values() for entry in listed), *self._wide]

    def _where(self, split: Sequence[Raw], readings: Sequence[Reading], packet: Packet) -> Region | None:
        region: Region | None = None
        for part, reading, field in zip(split, readings, self._fields, strict=True):
            match reading:
                case Open():
                    pair = addresses(part, field.family)
                    if pair is None:
                        return None
                    one = Region((pair[0],), (pair[1],))
                    region = one if region is None else region & one
                case Split(sorts):
                    one = Region.of(p for word, where in sorts if word == part for p in where.pairs())
                    region = one if region is None else region & one
                case Same():
                    if not self._contains(reading, part):
                        return None
        return EVERYWHERE[packet.family] if region is None else region

    def _rest(self, hit: Sequence[tuple[Region, Value]], packet: Packet, why: str) -> Sequence[tuple[Region, Value]]:
        """The catch-all takes what no entry took."""
        if not self._default:
            return []
        taken = Region.of(pair for region, _ in hit for pair in region.pairs()) if not why else Region()
        left = EVERYWHERE[packet.family] - taken
        return [(left, value) for value in self._default] if left else []


def _without(split: Sequence[Raw], at: int) -> tuple[str, ...]:
    return tuple(repr(part) for n, part in enumerate(split) if n != at)

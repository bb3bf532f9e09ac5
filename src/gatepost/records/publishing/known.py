"""What DNS was found to say: answers by name and kind, and in which zone a name lives."""

from __future__ import annotations

from collections.abc import Iterable

from gatepost.model.dns import Answer, Presence, Security
from gatepost.model.observation import Observation, Seen, of

MOST_NEGATIVE = 86400  # seconds; resolvers keep no absence longer (RFC 2308 section 5)


class Known:
    """The answers of a run. What nobody asked is as little known as what could not be asked."""

    def __init__(self, facts: Seen | Iterable[Observation], domain: str) -> None:
        self.domain = domain
        self._answers = {(one.name, one.kind): one for one in of(Answer, facts)}

    def answer(self, name: str, kind: str) -> Answer | None:
        """None where nothing is known: never to be read as absent."""
        found = self._answers.get((name, kind))
        return None if found is None or found.failed else found

    def values(self, name: str, kind: str) -> tuple[str, ...]:
        found = self.answer(name, kind)
        return found.values if found else ()

    def trouble(self, name: str, kind: str) -> str:
        """Why nothing is known; empty where something is."""
        found = self._answers.get((name, kind))
        if found is None:
            return "was not asked"
        return (found.why or "could not be asked") if found.failed else ""

    def owner(self, name: str, kind: str) -> str:
        """Where the records of a name stand: at the end of its aliases."""
        found = self.answer(name, kind)
        return found.aliases[-1] if found and found.aliases else name

    def lacks(self, name: str, kind: str) -> bool:
        """Known to be without any record of this kind."""
        found = self.answer(name, kind)
        return found is not None and found.presence is not Presence.PRESENT

    def zone(self, name: str) -> str:
        """The nearest name above with an SOA of its own; the domain itself where that is not known."""
        for one in ancestors(name):
            found = self.answer(one, "SOA")
            if found and found.presence is Presence.PRESENT and not found.aliases:
                return one
        if name == self.domain or name.endswith(f".{self.domain}"):
            return self.domain
        bare = [label for label in name.split(".") if not label.startswith("_")]
        return ".".join(bare[1:] if len(bare) > 2 else bare)

    def server(self, zone: str) -> str:
        """The primary server, as the zone names it."""
        return next((value.split()[0].rstrip(".").lower() for value in self.values(zone, "SOA") if value), "")

    def negative_ttl(self, zone: str) -> int:
        """How long resolvers remember that a name is not there, in seconds (RFC 2308 section 5).

        That is the smaller of two numbers in the SOA; the other one counts down in a cache and is of no use here.
        """
        words = next(iter(self.values(zone, "SOA")), "").split()
        return min(int(words[-1]), MOST_NEGATIVE) if len(words) == 7 and words[-1].isdecimal() else 0

    def secure(self, name: str, kind: str) -> bool | None:
        """Whether the answer was signed and checked; None where that is not known."""
        found = self.answer(name, kind)
        match found.security if found else Security.UNKNOWN:
            case Security.SECURE:
                return True
            case Security.INSECURE:
                return False
            case _:
                return None


def ancestors(name: str) -> tuple[str, ...]:
    """The name itself and those above it, down to two labels; a single label only for itself."""
    labels = name.split(".")
    return tuple(".".join(labels[n:]) for n in range(max(len(labels) - 1, 1)))

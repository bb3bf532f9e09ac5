"""Why an alert was raised, in one sentence with numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gatepost.detect.rule import Rule
from gatepost.model.alert import Hit
from gatepost.model.event import MICROSECONDS

FEW = 3  # names that a sentence lists


def because(
    hits: Sequence[Hit], lead: Hit, rules: Mapping[str, Rule], *, succeeded: Sequence[str], home: Mapping[str, str]
) -> str:
    same = [hit for hit in hits if hit.rule == lead.rule]
    parts = [_told(same, rules[lead.rule])]
    if others := [rules[name].title for name in dict.fromkeys(h.rule for h in hits) if name != lead.rule]:
        shown = [title if title[:2].isupper() else f"{title[:1].lower()}{title[1:]}" for title in others[:FEW]]
        more = f" and {len(others) - FEW} more" if len(others) > FEW else ""
        parts.append(f"also: {', '.join(shown)}{more}")
    if succeeded:
        parts.append(f"since then {named(succeeded, 'accounts')} logged in from there")
    if home:
        client, user = next(iter(home.items()))
        more = f" and {len(home) - 1} more" if len(home) > 1 else ""
        parts.append(f"no block of {client}{more}: {user or 'somebody'} logged in from there before")
    return "; ".join(parts)


def _told(hits: Sequence[Hit], rule: Rule) -> str:
    clients, users, services, hosts = (_all(hits, name) for name in ("clients", "users", "services", "hosts"))
    groups = sorted({" ".join(value for _, value in hit.group) for hit in hits})
    words = {
        "clients": named(clients, "addresses"),
        "users": named(users, "accounts") if users else "unnamed accounts",
        "services": named(services, "services"),
        "hosts": named(hosts, "hosts"),
        "group": named(groups, "groups"),
        "networks": named(clients, "addresses"),
        "count": f"{sum(hit.count for hit in hits):,}",
        "span": span(max(h.last for h in hits) - min(h.first for h in hits)),
    }
    return (rule.says or rule.title + ": {count}").format(**words)


def _all(hits: Sequence[Hit], field: str) -> list[str]:
    return sorted({value for hit in hits for value in getattr(hit, field)})


def named(values: Sequence[str], what: str) -> str:
    """One or two by name, more by number with one for an example."""
    if not values:
        return f"no {what}"
    return " and ".join(values) if len(values) <= 2 else f"{len(values):,} {what} ({values[0]}, …)"


def span(microseconds: int) -> str:
    minutes, seconds = divmod(microseconds // MICROSECONDS, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{max(seconds, 1)} s"

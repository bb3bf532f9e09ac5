"""Lists of Postfix and Dovecot changed by the word: what is there stays, and in its order."""

from __future__ import annotations

import re

from gatepost.servers.wordlists import words

_HAS_ARGUMENT = re.compile(
    r"(?:check_\w+_(?:access|service)|reject_rbl\w*|reject_rhsbl_\w+|permit_dnswl\w*|permit_rhswl_\w+|sleep)"
)

_QUOTED = re.compile(r'"[^"]*"')

REFUSALS = frozenset({"defer", "defer_unauth_destination", "reject", "reject_unauth_destination"})
ADMITS_ALL = frozenset({"permit", "permit_naked_ip_address"})


def closed(value: str) -> bool:
    """Every brace that is opened is closed again: only then is it known where a word ends."""
    depth = 0
    for sign in _QUOTED.sub("", value):
        depth += (sign == "{") - (sign == "}")
        if depth < 0:
            return False
    return depth == 0


def steps(value: str) -> list[list[str]]:
    """A restriction list (postconf(5), smtpd_relay_restrictions): each restriction with its argument."""
    found: list[list[str]] = []
    taking = False
    for word in words(value):
        if taking:
            found[-1].append(word)
        else:
            found.append([word])
        taking = not taking and bool(_HAS_ARGUMENT.fullmatch(word))
    return found


def refusing(value: str, refusal: str) -> str:
    """The same list with a refusal before anything that admits everybody; no check of the administrator is dropped.

    Checks that look into a table stay ahead of it: they are what the administrator meant by an exception.
    """
    listed = steps(value)
    admits = next((n for n, one in enumerate(listed) if one[0] in ADMITS_ALL), len(listed))
    refuses = next((n for n, one in enumerate(listed) if one[0] in REFUSALS), len(listed))
    if refuses < admits or refuses < len(listed) == admits:
        return value
    return joined([*listed[:admits], [refusal], *listed[admits:]])


def behind(value: str, more: tuple[str, ...], first: tuple[str, ...]) -> str:
    """With restrictions at the end; in an empty list behind those that spare one's own clients."""
    listed = steps(value)
    new = [[word] for word in more if [word] not in listed]
    if not new:
        return value
    if not listed:
        return joined([*([word] for word in first), *new])
    last = len(listed) - 1 if listed[-1][0] in ADMITS_ALL | {"reject"} else len(listed)
    return joined([*listed[:last], *new, *listed[last:]])


def ahead(value: str, more: tuple[str, ...]) -> str:
    """With restrictions in front, where nothing that admits somebody comes before them."""
    first = [[word] for word in more]
    listed = steps(value)
    return value if listed[: len(first)] == first else joined([*first, *(one for one in listed if one not in first)])


def joined(listed: list[list[str]]) -> str:
    return ", ".join(" ".join(one) for one in listed)


def added(value: str, more: tuple[str, ...], separator: str) -> str:
    """With the words that are lacking, whatever their case."""
    there = words(value)
    known = {word.casefold() for word in there}
    lacking = [word for word in more if word.casefold() not in known]
    return separator.join([*there, *lacking]) if lacking else value


def removed(value: str, less: tuple[str, ...], separator: str) -> str:
    there = words(value)
    unwanted = {word.casefold() for word in less}
    left = [word for word in there if word.casefold() not in unwanted]
    return value if left == there else separator.join(left)

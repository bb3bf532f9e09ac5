"""What policyd is asked to do about an alert: accounts that strangers cannot use, networks that wait."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from gatepost.edge.policing import store
from gatepost.logs.addresses import network
from gatepost.model.alert import Alert
from gatepost.model.event import MICROSECONDS
from gatepost.policing.attempt import account
from gatepost.policing.judging import Lock

NAMED = 5  # accounts in a sentence


class Mild(Protocol):
    @property
    def delay(self) -> tuple[str, ...]: ...
    @property
    def lock(self) -> tuple[str, ...]: ...


def asking_policyd(state: Path, seconds: int, *, carry: bool) -> Callable[[Mild, Sequence[Alert], int], Iterable[str]]:
    """Written where policyd looks within a second. It says so also where no policyd runs: an operator reads it."""

    def ask(said: Mild, found: Sequence[Alert], now: int) -> Iterator[str]:
        until = now / MICROSECONDS + seconds
        locks = [Lock(account(user), until, _why(user, found), "watch") for user in said.lock if account(user)]
        networks = sorted({network(client) for client in said.delay} - {""})
        if carry and locks:
            store.lock(state, *locks)
        if carry and networks:
            store.slow(state, networks, until)
        would = "" if carry else "would be "
        if locks:
            names = ", ".join(one.user for one in locks[:NAMED]) + (" …" if len(locks) > NAMED else "")
            yield f"{len(locks)} accounts {would}locked for strangers for {seconds} s by policyd: {names}"
        if networks:
            yield f"{len(networks)} networks {would}answered late for {seconds} s by policyd"

    return ask


def _why(user: str, found: Sequence[Alert]) -> str:
    return next((one.because for one in found if user in one.users), "an alert")

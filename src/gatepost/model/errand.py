"""One thing to look at."""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.model.architecture import Endpoint, Service


@dataclass(frozen=True, slots=True)
class Errand:
    """One endpoint to look at. `service` is what is declared or presumed there.

    A `sweep` errand only knocks and asks who is there; what it finds is then surveyed like any other.
    """

    at: Endpoint
    service: Service
    sweep: bool = False

"""What a person has to do: the reason, and the commands to do it with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from posixpath import dirname

from gatepost.enforcement import wording
from gatepost.enforcement.edits import Left
from gatepost.enforcement.observed import Inside
from gatepost.enforcement.shares import Share
from gatepost.enforcement.values import POSTFIX
from gatepost.model.plan import Kind, Step


def shares(inside: Inside, left: Iterable[Left]) -> Iterator[Share]:
    for one in left:
        yield Share(_step(inside, one))


def _step(inside: Inside, left: Left) -> Step:
    want = left.want
    fact = f"{wording.there(want.setting, left.seen)}. " if left.seen or not want.row or not want.row.listener else ""
    return Step(
        key=f"{want.software}:{left.server.instance}:decide:{want.id}",
        host=inside.host.name,
        kind=Kind.POSTFIX if want.software == POSTFIX else Kind.DOVECOT,
        title=want.title,
        controls=want.controls[:1],
        why=f"{fact}{want.why} {left.why}{_insisting(left)}",
        risk=want.risk,
        diff=_commands(inside, left),
        by_hand=True,
    )


def _insisting(left: Left) -> str:
    """How to have it done all the same."""
    return f" Decided? Pass --insist {left.want.id}" if left.want.decidable and left.why == left.want.by_hand else ""


def _commands(inside: Inside, left: Left) -> str:
    instance = left.server.instance
    directory = instance if left.want.software == POSTFIX else dirname(instance)
    words = {
        "instance": instance,
        "include": f"{directory}/local.conf",
        "chain": "FILE",
        "key": "FILE",
        "addresses": ", ".join((*inside.host.addresses, "127.0.0.1", "::1")),
    }
    return "".join(f"{command.format(**words)}\n" for command in left.want.commands)

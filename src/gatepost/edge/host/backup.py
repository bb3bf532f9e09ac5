"""What one host must do and what it must keep to take it back: the files, our own table, the script that undoes.

The script lies beside the saved files and needs neither gatepost nor a connection.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from gatepost.edge.host.hand import Hand, octets, said, script
from gatepost.edge.host.runner import Runner
from gatepost.errors import CannotLook, StepFailed
from gatepost.firewall.rendering.words import TABLE as NAMED
from gatepost.model.plan import Act, Kind, Step

FAMILY, TABLE = NAMED["family"], NAMED["name"]
LIST_TABLE = ("nft", "-j", "list", "table", FAMILY, TABLE)
LOAD = ("nft", "-j", "-f", "-")
CHECK_ONLY = ("nft", "-c", "-j", "-f", "-")

_KERNELS = frozenset({"expires", "handle"})  # what the kernel numbers and counts down

Nft = dict[str, object]


@dataclass(frozen=True, slots=True)
class Share:
    """One host's part of a plan. Steps, files and reloads count from 1, in the order of the plan."""

    host: str
    steps: tuple[Step, ...]

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(path for step in self.steps for path in paths(step)))

    @property
    def settles(self) -> tuple[tuple[Act, ...], ...]:
        """Each way to make a daemon take it once: a reload, or a stop and a start, which belong together."""
        return tuple(dict.fromkeys(step.settles for step in self.steps if step.settles))

    @property
    def filters(self) -> bool:
        return any(step.kind is Kind.FIREWALL for step in self.steps)

    def checks(self, number: int) -> tuple[Act, ...]:
        """What the daemon is asked after this step; where the next one asks the same, that is soon enough."""
        following = self.steps[number].checks if number < len(self.steps) else ()
        return tuple(act for act in self.steps[number - 1].checks if act not in following)

    def due(self, number: int) -> tuple[int, tuple[Act, ...]] | None:
        """What settles after this step, with its number; nothing while a later step needs the same."""
        acts = self.steps[number - 1].settles
        if not acts or any(step.settles == acts for step in self.steps[number:]):
            return None
        return self.settles.index(acts) + 1, acts


def paths(step: Step) -> tuple[str, ...]:
    return (*step.touches, *(one.path for one in step.writes))


def save(hand: Hand, share: Share) -> None:
    """Files and scripts, on the host itself; nothing else is changed. Raises StepFailed, as on a full disk."""
    hand.do("save", *share.files)
    table = restoring(hand.runner, share.host) if share.filters else ""
    if table:
        _store(hand, "given/table", table)
    for name, act in _undoing(share, table):
        if act.stdin:
            _store(hand, name, act.stdin)
    _store(hand, "undo.sh", undo_script(hand, share, table))
    _store(hand, "guardian.sh", script("guardian"))


def _store(hand: Hand, name: str, text: str) -> None:
    hand.do("store", name, str(octets(text)), stdin=text)


def undo_script(hand: Hand, share: Share, table: str) -> str:
    head = [
        "#!/bin/sh",
        f"# Takes back what gatepost applied to {share.host} as {hand.id}. Run it as root, as often as it takes.",
        f"DIR={shlex.quote(hand.directory)}",
        script("undo"),
    ]
    return "\n".join([*head, 'start "$@"', *_body(share, table), "finish", ""])


def _body(share: Share, table: str) -> Iterator[str]:
    for number, path in enumerate(share.files, 1):
        begun = " ".join(str(n) for n, step in enumerate(share.steps, 1) if path in paths(step))
        yield f"# {shlex.quote(path)}"
        yield f"if any begun {begun}; then put_back {number}; else tidy {number}; fi"
    for name, act in _undoing(share, table):
        begun = name.partition("/")[2].partition(".")[0]
        yield f"! any begun {begun} || act {_input(name, act)} {shlex.join(act.argv)}"
    for number, acts in enumerate(share.settles, 1):
        yield f"if any settling {number}; then"
        yield from (f"    settle {shlex.join(act.argv)} || {_instead(act)}" for act in acts)
        yield "fi"


def _instead(act: Act) -> str:
    """Stopping what does not run is no trouble."""
    return "true" if act.argv[-1] == "stop" else f"act /dev/null {shlex.join(revived(act.argv))}"


def revived(reload: tuple[str, ...]) -> tuple[str, ...]:
    """What starts a daemon that no longer lives to be reloaded: bad settings can end Postfix while it reads them.

    A reload that is none of the known ones is tried once more.
    """
    match reload:
        case ("postfix", *words, "reload"):
            return ("postfix", *words, "start")
        case ("doveadm", *words, "reload"):
            return ("dovecot", *words)
        case ("systemctl", "reload", *units):
            return ("systemctl", "restart", *units)
        case ("service", name, "reload"):
            return ("service", name, "restart")
    return reload


def _input(name: str, act: Act) -> str:
    return f'"$DIR/{name}"' if act.stdin else "/dev/null"


def _undoing(share: Share, table: str) -> Iterator[tuple[str, Act]]:
    """The last step's first, each with the name of the file its input is kept in.

    A firewall step that names no undo gets our own table back as it was.
    """
    for number, step in reversed(list(enumerate(share.steps, 1))):
        acts = step.undo or ((Act(LOAD, table),) if table and step.kind is Kind.FIREWALL else ())
        yield from ((f"given/{number}.{n}", act) for n, act in enumerate(acts, 1))


def listed(runner: Runner, host: str) -> list[Nft] | None:
    """Our own table as the kernel has it; None where there is none. Raises StepFailed when it cannot be read."""
    ran = runner.run(LIST_TABLE)
    if ran.why:
        raise CannotLook(f"{host}: {ran.why}")
    if ran.code and "No such file" in ran.stderr:
        return None
    try:
        if ran.ok:
            return [one for one in json.loads(ran.stdout)["nftables"] if "metainfo" not in one]
    except (ValueError, KeyError, TypeError):
        raise StepFailed(f"{host}: nft answers with something else than its tables") from None
    raise StepFailed(f"{host}: our table cannot be read: {said(ran)}")


def restoring(runner: Runner, host: str) -> str:
    """The transaction that makes our table what it is now, from whatever it will be then. No other table is named.

    nft is asked whether it would take it: raises StepFailed when not, while nothing was changed yet.
    """
    text = transaction(listed(runner, host))
    ran = runner.run(CHECK_ONLY, stdin=text)
    if not ran.ok:
        raise StepFailed(f"{host}: our table as it is could not be put back later: {ran.why or said(ran)}")
    return text


def transaction(objects: list[Nft] | None) -> str:
    """Making the table first lets it be deleted also where it is not there."""
    ours = {"table": {"family": FAMILY, "name": TABLE}}
    made = [{"add": _portable(one)} for one in objects or ()]
    return json.dumps({"nftables": [{"add": ours}, {"delete": ours}, *made]})


def alike(one: list[Nft] | None, other: list[Nft] | None) -> bool:
    """Whether two listings of a table say the same, whatever was counted meanwhile."""
    return _uncounted(one) == _uncounted(other)


def _uncounted(value: object) -> object:
    if isinstance(value, dict):
        return {key: _uncounted(inner) for key, inner in value.items() if key not in _KERNELS | {"packets", "bytes"}}
    return [_uncounted(inner) for inner in value] if isinstance(value, list) else value


def _portable(one: Nft) -> Nft:
    """Without what the kernel counts or numbers by itself."""
    return {kind: _bare(value) for kind, value in one.items()}


def _bare(value: object) -> object:
    if isinstance(value, dict):
        return {key: _bare(inner) for key, inner in value.items() if key not in _KERNELS}
    return [_bare(inner) for inner in value] if isinstance(value, list) else value

"""A plan for a person at a terminal, or as JSON that `gatepost apply --plan` reads back."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator
from hashlib import sha256
from posixpath import basename

from rich.cells import cell_len
from rich.text import Text

from gatepost.errors import UsageError
from gatepost.model.plan import Act, Kind, Plan, Step
from gatepost.report.escape import printable
from gatepost.report.layout import WIDEST_PROSE, hanging, joined, paint, text, wrapped
from gatepost.report.page import ADVICE, headline, listed, spaced
from gatepost.report.plain import NotPlain, Plain, from_plain, loaded, mapping, sequence, to_plain, word
from gatepost.report.tally import plural
from gatepost.report.truth import Standing

SCHEMA = "gatepost/plan/1"
LARGEST = 64 * 1024 * 1024  # characters
MOST_STEPS = 2000

_INDENT = 5
_LABEL = 6  # risk, undo, ends
_MOST_LINES = 60  # of one diff
_LONGEST = 400  # characters of a line of a diff
_QUIET = frozenset({"nft", "sed", "sh"})  # commands whose effect the diff tells better
_STYLES = {"+": "green", "-": "red", "@": "cyan"}
_MACHINES = {Kind.DNS: "DNS", Kind.DOVECOT: "Dovecot", Kind.FIREWALL: "firewall", Kind.POSTFIX: "Postfix",
             Kind.SERVICE: "services"}  # fmt: skip


def render(
    plan: Plan, *, width: int = 100, colour: bool = False, verbose: bool = False, only_shown: bool = True
) -> str:
    """`verbose`: also which findings each step is certain to end. `only_shown`: say that nothing was changed."""
    numbered = list(enumerate((*plan.doing, *(step for step in plan.steps if step.by_hand)), 1))
    parts = (
        _head(plan, width),
        *(part for host in plan.hosts for part in _host(host, numbered, width, verbose=verbose)),
        listed(ADVICE, plan.notes, width, "GOOD TO KNOW"),
        _close(plan, width) if only_shown else [],
    )
    return paint(spaced(parts), colour=colour)


def summary(plan: Plan) -> str:
    """`12 steps on mx1.example.org, 3 by hand`."""
    doing, by_hand = plan.doing, [step for step in plan.steps if step.by_hand]
    if not plan.steps:
        return "no step to take" if plan.notes else "nothing to do: what is there is what is declared"
    where = ", ".join(dict.fromkeys(step.host for step in doing))
    if not doing:
        return f"{plural(len(by_hand), 'step')} by hand on {', '.join(plan.hosts)}"
    steps = f"{plural(len(doing), 'step')} on {where}"
    return f"{steps}, {len(by_hand)} by hand" if by_hand else steps


def _head(plan: Plan, width: int) -> list[Text]:
    if not plan.steps:
        standing = Standing.QUIET if plan.notes else Standing.GOOD
        return headline(standing, text(printable(summary(plan)), "bold"), width)
    when = f"{plan.made_at:%Y-%m-%d %H:%M} UTC"
    facts = joined(text("plan ", "bold"), text(printable(plan.id), "bold"), text(f"   made {when}", "dim"))
    against = text(f"   from {printable(plan.declaration)}" if plan.declaration else "", "dim")
    return headline(Standing.ATTENTION, joined(facts, against), width)


def _host(host: str, numbered: list[tuple[int, Step]], width: int, *, verbose: bool) -> Iterator[list[Text]]:
    mine = [(number, step) for number, step in numbered if step.host == host]
    for by_hand, title in ((False, ""), (True, "by hand")):
        some = [(number, step) for number, step in mine if step.by_hand is by_hand]
        if some:
            heading = joined(text(printable(host), "bold"), text(f"   {title}" if title else "", "yellow"))
            yield [heading, text(""), *_spread(some, width, verbose=verbose)]


def _spread(steps: Iterable[tuple[int, Step]], width: int, *, verbose: bool) -> Iterator[Text]:
    for n, (number, step) in enumerate(steps):
        if n:
            yield text("")
        yield from _step(number, step, width, verbose=verbose)


def _step(number: int, step: Step, width: int, *, verbose: bool) -> Iterator[Text]:
    what = text(printable(step.title), "bold")
    about = text(f"   {_MACHINES[step.kind]} · {' '.join(step.controls)}", "dim")
    yield from hanging(text(f"{number:>3}", "bold"), joined(what, about), indent=_INDENT, width=width)
    yield from _told(step.why, width)
    yield from _diff(step, width)
    yield from _labelled("risk", step.risk, width, "yellow")
    yield from _labelled("undo", _undo(step), width, "dim")
    if verbose or step.by_hand:
        yield from _labelled("ends", "; ".join(step.promises), width, "dim")


def _told(words: str, width: int) -> Iterator[Text]:
    """One reason as it is, several as a list."""
    lines = words.splitlines()
    for line in lines:
        mark = text(f"{' ' * _INDENT}·" if len(lines) > 1 else "", "dim")
        yield from hanging(mark, text(printable(line)), indent=_INDENT + 2 * (len(lines) > 1), width=width)


def _diff(step: Step, width: int) -> Iterator[Text]:
    lines = _short(step.diff.splitlines())
    for line in lines[:_MOST_LINES]:
        shown = text(printable(line, _LONGEST), _style(line, step))
        yield from (
            hanging(text(""), shown, indent=_INDENT, width=width) if _fits(shown, width) else _folded(shown, width)
        )
    if len(lines) > _MOST_LINES:
        yield joined(" " * _INDENT, text(f"… {len(lines) - _MOST_LINES} more lines", "dim"))
    for act in step.acts:
        if act.argv[0] not in _QUIET:
            yield from hanging(text(" " * _INDENT + "$", "dim"), text(printable(spelled(act))), indent=_INDENT + 2,
                               width=width)  # fmt: skip


def _fits(line: Text, width: int) -> bool:
    return cell_len(line.plain) <= min(width, WIDEST_PROSE) - _INDENT


def _folded(line: Text, width: int) -> Iterator[Text]:
    """A long line goes on two columns further in, so that its sign still stands out."""
    room = min(width, WIDEST_PROSE) - _INDENT - 2
    for n, part in enumerate(wrapped(line, room)):
        yield joined(" " * (_INDENT + 2 * bool(n)), part)


def _short(lines: list[str]) -> list[str]:
    """A file is named once, not as old and new; what is left out between two pieces is a line of dots."""
    told: list[str] = []
    for n, line in enumerate(lines):
        before = lines[n - 1] if n else ""
        if line.startswith("@@ "):
            told += [] if before.startswith("+++ ") else ["…"]
        elif line != "--- /dev/null" and not (line.startswith("+++ ") and before == f"--- {line[4:]}"):
            told.append(line)
    return told


def _style(line: str, step: Step) -> str:
    if step.by_hand:
        return "cyan"
    return "dim" if line.startswith(("---", "+++")) else _STYLES.get(line[:1], "")


def spelled(act: Act) -> str:
    """As one would type it."""
    return shlex.join(act.argv)


def _labelled(label: str, words: str, width: int, style: str) -> Iterator[Text]:
    lines = words.splitlines()
    for n, line in enumerate(lines):
        mark = "· " if len(lines) > 1 else ""
        head = joined(
            text(f"{' ' * _INDENT}{label if not n else ''}".ljust(_INDENT + _LABEL), style), text(mark, "dim")
        )
        yield from hanging(head, text(printable(line)), indent=_INDENT + _LABEL + len(mark), width=width)


def _undo(step: Step) -> str:
    """In words; whoever does it is `gatepost rollback`."""
    if step.by_hand:
        return ""
    files = dict.fromkeys(map(basename, (*step.touches, *(one.path for one in step.writes))))
    parts = [f"{' and '.join(files)} as before"] if files else []
    parts += [spelled(act) for act in step.undo]
    if step.kind is Kind.FIREWALL and not step.undo:
        parts.append("our own table as before")
    return ", then ".join([*parts, *dict.fromkeys(_settled(act) for act in step.settles)])


def _settled(act: Act) -> str:
    """`postfix reload`: with which configuration, the commands above tell."""
    return f"{act.argv[0]} {act.argv[-1]}"


def _close(plan: Plan, width: int) -> list[Text]:
    if not plan.steps:
        return []
    do = " Do it with: gatepost apply" if plan.doing else ""
    return hanging(
        text(""), text(f"{printable(summary(plan))}; nothing was changed.{do}", "bold"), indent=0, width=width
    )


def to_json(plan: Plan) -> str:
    """The same plan gives the same bytes; `digest` tells whether somebody changed it since."""
    plain = _plain(plan)
    return json.dumps({"schema": SCHEMA, **plain, "digest": _digest(plain)}, indent=1) + "\n"


def read_json(text: str, name: str = "") -> Plan:
    """Strict: what is carried out is what was shown. Raises UsageError, one line, for anything else."""
    try:
        return _read(text)
    except NotPlain as error:
        told = re.sub(r"^(steps\[\d+\])\.of\b", r"\1.kind", str(error))
        raise UsageError(f"{name}: {told}" if name else told) from None


def _plain(plan: Plan) -> dict[str, Plain]:
    plain = mapping(to_plain(plan), "")
    plain["steps"] = [_renamed(mapping(step, "steps"), "of", "kind") for step in sequence(plain["steps"], "steps")]
    return plain


def _renamed(step: dict[str, Plain], old: str, new: str) -> dict[str, Plain]:
    return {new if key == old else key: value for key, value in step.items()}


def _digest(plain: dict[str, Plain]) -> str:
    return sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _read(text: str) -> Plan:
    told = mapping(loaded(text, "plan", LARGEST), "")
    if (schema := told.get("schema")) != SCHEMA:
        raise NotPlain(
            "schema", f"expected {SCHEMA!r}, got {word(schema)}; save a plan with: gatepost plan -o plan.json"
        )
    plain = {key: value for key, value in told.items() if key not in {"digest", "schema"}}
    steps = list(sequence(plain.get("steps"), "steps"))
    if len(steps) > MOST_STEPS:
        raise NotPlain("steps", f"at most {MOST_STEPS} are read")
    kinds: list[Plain] = [_renamed(mapping(step, f"steps[{n}]"), "kind", "of") for n, step in enumerate(steps)]
    plan = from_plain(Plan, {**plain, "steps": kinds})
    if unknown := _first_other(_plain(plan), plain, ""):
        raise NotPlain(unknown, "not a part of a plan")
    if told.get("digest") != _digest(plain):
        raise NotPlain("digest", "the plan was changed after it was made; make a new one with: gatepost plan")
    return plan


def _first_other(ours: Plain, theirs: Plain, path: str) -> str:
    """Where the document says something that a plan does not."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in theirs.items():
            where = f"{path}.{key}" if path else key
            if key not in ours:
                return where
            if found := _first_other(ours[key], value, where):
                return found
        return ""
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        each = (_first_other(a, b, f"{path}[{n}]") for n, (a, b) in enumerate(zip(ours, theirs, strict=True)))
        return next(filter(None, each), "")
    return "" if ours == theirs else path

"""Everything that steps of a plan run and write, to the letter: for plans that come from a file.

What a step says of itself, its difference included, are words of whoever wrote the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from gatepost.model.plan import Act, Plan, Step
from gatepost.report.escape import printable
from gatepost.report.layout import hanging, joined, paint, text
from gatepost.report.plan import spelled
from gatepost.report.tally import plural

_INDENT = 5


def others(plan: Plan, known: Plan) -> tuple[Step, ...]:
    """Steps that gatepost would not make so by itself now."""
    return tuple(step for step in plan.doing if step not in known.steps)


def deeds(steps: Sequence[Step], *, width: int = 100, colour: bool = False) -> str:
    """Nothing is shortened: what is left out could be what matters."""
    count = "1 step is" if len(steps) == 1 else f"{plural(len(steps), 'step')} are"
    head = text(f"{count} not what gatepost would plan now. To the letter, they run and write this:", "bold yellow")
    lines = [*hanging(text(""), head, indent=0, width=width)]
    for step in steps:
        title = joined(text(printable(step.host), "bold"), text(f"   {printable(step.title)}"))
        lines += [text(""), *hanging(text(""), title, indent=0, width=width), *_step(step, width)]
    return paint([*lines, text("")], colour=colour)


def _step(step: Step, width: int) -> Iterator[Text]:
    yield from _acts("ask whether it is done", step.already, width)
    for path in step.touches:
        yield from _line("change", path, width)
    for one in step.writes:
        yield from _line(f"write {one.mode:04o}", one.path, width)
        yield from _quoted(one.text, width)
    yield from _acts("run", step.acts, width)
    yield from _acts("check", step.checks, width)
    yield from _acts("then", step.settles, width)
    yield from _acts("undo", step.undo, width)


def _acts(label: str, acts: Sequence[Act], width: int) -> Iterator[Text]:
    for act in acts:
        yield from _line(label, spelled(act), width)
        yield from _quoted(act.stdin, width)


def _line(label: str, words: str, width: int) -> Iterator[Text]:
    first, *more = words.split("\n")
    mark = f"{' ' * _INDENT}{label}  "
    yield from hanging(text(mark, "dim"), text(printable(first)), indent=len(mark), width=width)
    for line in more:
        yield from hanging(text(""), text(printable(line)), indent=len(mark), width=width)


def _quoted(words: str, width: int) -> Iterator[Text]:
    mark = f"{' ' * _INDENT}| "
    for line in words.removesuffix("\n").split("\n") if words else ():
        yield from hanging(text(mark, "dim"), text(printable(line)), indent=len(mark), width=width)

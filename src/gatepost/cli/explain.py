"""`gatepost explain`: a control in words."""

from __future__ import annotations

import difflib
import sys
from typing import Annotated

import typer

from gatepost.cli import options as o


def explain(
    control: Annotated[str, typer.Argument(metavar="ID", help="A control id, for example GP-TLS-002.")],
    output: o.Output = None,
) -> None:
    """Explain a control: why it matters, how gatepost looks, which settings mend it, which standards ask for it."""
    from gatepost.catalogue.controls import controls
    from gatepost.checks import explained
    from gatepost.cli import telling
    from gatepost.errors import UsageError
    from gatepost.report.explain import render

    wanted = control.strip().upper()
    known = {c.id: c for c in controls()}
    if wanted not in known:
        near = difflib.get_close_matches(wanted, known, n=3)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise UsageError(f"no control is named {control!r}{hint}")
    text = render(explained(wanted), width=telling.width(), colour=telling.colour() and output is None)
    if output:
        telling.write(output, text)
    else:
        sys.stdout.write(text)

"""`gatepost schema`: the JSON Schema of gatepost.toml, for editors and CI."""

from __future__ import annotations

import json
import sys

from gatepost.cli import options as o


def schema(output: o.Output = None) -> None:
    """Print the JSON Schema of gatepost.toml.

    Editors complete and check the file with it (for example Even Better TOML: `#:schema gatepost.schema.json`).
    """
    from gatepost.cli import telling
    from gatepost.declare import schema as declaration_schema

    text = json.dumps(declaration_schema(), indent=2) + "\n"
    if output:
        telling.write(output, text)
    else:
        sys.stdout.write(text)

"""All dialects, in the order in which they are asked for a tag."""

from __future__ import annotations

from gatepost.logs.dialects.dovecot import DOVECOT
from gatepost.logs.dialects.postfix import POSTFIX
from gatepost.logs.dialects.table import Dialect

DIALECTS: tuple[Dialect, ...] = (POSTFIX, DOVECOT)

"""SPF (RFC 7208): one parse tree for lint, for the tree of look-ups and for evaluation."""

from gatepost.records.spf.evaluate import check
from gatepost.records.spf.grammar import Fault, Kind, Mechanism, Modifier, Qualifier, Record, parse, selected
from gatepost.records.spf.tree import inspect, permitted

__all__ = (
    "Fault",
    "Kind",
    "Mechanism",
    "Modifier",
    "Qualifier",
    "Record",
    "check",
    "inspect",
    "parse",
    "permitted",
    "selected",
)

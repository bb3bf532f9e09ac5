"""An SPF record as a tree (RFC 7208 section 12): what lint and evaluation both work from."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface

from gatepost.records.spf import macros
from gatepost.records.spf.macros import Literal, MacroString, Wrong
from gatepost.records.spf.names import top_level

VERSION = "v=spf1"

_VERSION = re.compile(r"v=spf1(?= |\Z)", re.IGNORECASE)
_TERM = re.compile(r"(?P<qualifier>[+\-?~]?)(?P<name>[A-Za-z][A-Za-z0-9._-]*)(?P<mark>[=:/]?)(?P<rest>.*)", re.DOTALL)
_PREFIXES = re.compile(r"(?P<target>.*?)(?:/(?P<four>[0-9]+))?(?://(?P<six>[0-9]+))?", re.DOTALL)
_LENGTH = re.compile(r"0|[1-9][0-9]{0,2}")
_PART = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_PART}(?:\.{_PART}){{3}}")


class Kind(StrEnum):
    A = "a"
    ALL = "all"
    EXISTS = "exists"
    INCLUDE = "include"
    IP4 = "ip4"
    IP6 = "ip6"
    MX = "mx"
    PTR = "ptr"


class Qualifier(StrEnum):
    FAIL = "-"
    NEUTRAL = "?"
    PASS = "+"  # noqa: S105 - a sign, not a credential
    SOFTFAIL = "~"


@dataclass(frozen=True, slots=True)
class Mechanism:
    """`text` is the term as written, `at` where it begins in the record; neither makes two terms differ."""

    kind: Kind
    qualifier: Qualifier = Qualifier.PASS
    target: MacroString | None = None  # None: the domain whose record it is
    block: IPv4Interface | IPv6Interface | None = None  # of ip4 and ip6, host bits kept
    prefix4: int = 32  # of a and mx
    prefix6: int = 128
    text: str = field(default="", compare=False)
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        sign = "" if self.qualifier is Qualifier.PASS else self.qualifier.value
        if self.block is not None:
            return f"{sign}{self.kind}:{self.block.ip}{_length(self.block.network.prefixlen, self.block.max_prefixlen)}"
        target = "" if self.target is None else f":{self.target}"
        return f"{sign}{self.kind}{target}{_length(self.prefix4, 32)}{_length(self.prefix6, 128, '//')}"


@dataclass(frozen=True, slots=True)
class Modifier:
    """`name` in lower case. All but redirect and exp are unknown, and legal (section 6)."""

    name: str
    value: MacroString
    text: str = field(default="", compare=False)
    at: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


@dataclass(frozen=True, slots=True)
class Fault:
    """A term that breaks the syntax, and with it the record. `at` counts characters from 0."""

    text: str
    at: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Record:
    terms: tuple[Mechanism | Modifier, ...] = ()
    faults: tuple[Fault, ...] = ()

    def __str__(self) -> str:
        return " ".join((VERSION, *(str(term) for term in self.terms)))

    @property
    def mechanisms(self) -> tuple[Mechanism, ...]:
        return tuple(term for term in self.terms if isinstance(term, Mechanism))

    @property
    def redirect(self) -> Modifier | None:
        return self._modifier("redirect")

    @property
    def explanation(self) -> Modifier | None:
        return self._modifier("exp")

    def _modifier(self, name: str) -> Modifier | None:
        return next((term for term in self.terms if isinstance(term, Modifier) and term.name == name), None)


def selected(texts: Iterable[str]) -> tuple[str, ...]:
    """The TXT records that are SPF: the version, then a space or nothing (section 4.5)."""
    return tuple(text for text in texts if _VERSION.match(text))


def parse(text: str) -> Record:
    """Every term of the record, and every fault; a record with faults is a permerror as a whole (section 4.6)."""
    if not (version := _VERSION.match(text)):
        return Record(faults=(Fault(text[: len(VERSION)], 0, f"the record does not begin with {VERSION}"),))
    read = _once(_term(word, at) for at, word in _words(text, version.end()))
    return Record(
        tuple(one for one in read if not isinstance(one, Fault)),
        tuple(one for one in read if isinstance(one, Fault)),
    )


def _words(text: str, start: int) -> Iterable[tuple[int, str]]:
    """Spaces separate terms, and nothing else does."""
    return ((found.start(), found[0]) for found in re.compile("[^ ]+").finditer(text, start))


def _once(read: Iterable[Mechanism | Modifier | Fault]) -> list[Mechanism | Modifier | Fault]:
    """A second redirect or exp is a fault (section 6)."""
    kept: list[Mechanism | Modifier | Fault] = []
    seen: set[str] = set()
    for term in read:
        name = term.name if isinstance(term, Modifier) and term.name in {"exp", "redirect"} else ""
        repeated = bool(name) and name in seen
        kept.append(Fault(term.text, term.at, f"{name} may stand only once in a record") if repeated else term)
        seen.add(name)
    return kept


def _term(word: str, at: int) -> Mechanism | Modifier | Fault:
    read = _odd_character(word) or _split(word)
    return Fault(word, at, read.sentence) if isinstance(read, Wrong) else replace(read, text=word, at=at)


def _odd_character(word: str) -> Wrong | None:
    odd = next((one for one in word if not "!" <= one <= "~"), None)
    if odd is None:
        return None
    if odd > "~":
        return Wrong(f"it contains the octet {ord(odd):02x}: a record is ASCII")
    return Wrong(f"it contains the control character {ord(odd):02x}: only spaces separate terms")


def _split(word: str) -> Mechanism | Modifier | Wrong:
    found = _TERM.fullmatch(word)
    if not found:
        return Wrong("a term begins with a letter, behind at most one of + - ~ ?")
    name = found["name"].lower()
    if found["mark"] == "=":
        return _modifier(name, found["qualifier"], found["rest"])
    if name not in Kind.__members__.values():
        return Wrong(_unknown(name))
    qualifier = Qualifier(found["qualifier"] or "+")
    return _mechanism(Kind(name), qualifier, found["mark"], found["rest"])


def _unknown(name: str) -> str:
    if name in {"redirect", "exp"}:
        return f"{name} is a modifier: write {name}= and a domain"
    near = difflib.get_close_matches(name, [kind.value for kind in Kind], n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"there is no mechanism named {name[:40]!r}{hint}"


def _modifier(name: str, qualifier: str, rest: str) -> Modifier | Wrong:
    if qualifier:
        return Wrong(f"a modifier takes no {qualifier} in front of it")
    value = _domain(rest) if name in {"redirect", "exp"} else macros.read(rest)
    return value if isinstance(value, Wrong) else Modifier(name, value)


def _mechanism(kind: Kind, qualifier: Qualifier, mark: str, rest: str) -> Mechanism | Wrong:
    match kind:
        case Kind.ALL:
            return Wrong("nothing may follow all") if mark else Mechanism(kind, qualifier)
        case Kind.IP4 | Kind.IP6:
            return _addresses(kind, qualifier, rest) if mark == ":" else Wrong(f"{kind} needs an address: {kind}:…")
        case Kind.A | Kind.MX:
            return _hosts(kind, qualifier, mark, rest)
        case Kind.PTR | Kind.EXISTS | Kind.INCLUDE:
            return _named(kind, qualifier, mark, rest)


def _named(kind: Kind, qualifier: Qualifier, mark: str, rest: str) -> Mechanism | Wrong:
    if mark == "/":
        return Wrong(f"{kind} takes no prefix length")
    if not mark:
        return Mechanism(kind, qualifier) if kind is Kind.PTR else Wrong(f"{kind} needs a domain: {kind}:…")
    target = _domain(rest)
    if isinstance(target, Wrong):
        return Wrong(f"{kind} takes no prefix length") if re.search(r"/[0-9]+\Z", rest) else target
    return Mechanism(kind, qualifier, target)


def _hosts(kind: Kind, qualifier: Qualifier, mark: str, rest: str) -> Mechanism | Wrong:
    """The domain may hold a slash itself, so the prefix lengths are taken from the end."""
    found = _PREFIXES.fullmatch(f"/{rest}" if mark == "/" else rest)
    assert found is not None  # noqa: S101 - everything is optional in it
    if mark != ":" and found["target"]:
        return Wrong("prefix lengths are written /24, //64 or /24//64")
    four, six = _prefix(found["four"], 32), _prefix(found["six"], 128)
    if isinstance(four, Wrong):
        return four
    if isinstance(six, Wrong):
        return six
    if mark != ":":
        return Mechanism(kind, qualifier, prefix4=four, prefix6=six)
    target = _domain(found["target"])
    return target if isinstance(target, Wrong) else Mechanism(kind, qualifier, target, prefix4=four, prefix6=six)


def _prefix(digits: str | None, most: int) -> int | Wrong:
    if digits is None:
        return most
    if not _LENGTH.fullmatch(digits) or int(digits) > most:
        return Wrong(f"/{digits[:12]} is no prefix length: 0 to {most}, without leading zeros")
    return int(digits)


def _addresses(kind: Kind, qualifier: Qualifier, rest: str) -> Mechanism | Wrong:
    written, slash, length = rest.partition("/")
    most = 32 if kind is Kind.IP4 else 128
    prefix = _prefix(length if slash else None, most)
    if not written:
        return Wrong("the address is missing")
    address = ip_address(written) if _is_address(written) else None
    if address is None:
        return Wrong(f"{written[:60]!r} is no IPv{kind[2]} address")
    if f"ip{address.version}" != kind:
        return Wrong(f"{written} is an IPv{address.version} address: write ip{address.version}:{written}")
    if isinstance(prefix, Wrong):
        return prefix
    return Mechanism(kind, qualifier, block=ip_interface(f"{written}/{prefix}"))


def _is_address(text: str) -> bool:
    """As section 12 spells it: no zone index, no leading zeros in IPv4."""
    if ":" not in text:
        return bool(_IPV4.fullmatch(text))
    try:
        return "%" not in text and bool(ip_address(text))
    except ValueError:
        return False


def _domain(text: str) -> MacroString | Wrong:
    """A domain-spec: a macro string that ends in a macro or in a dot and a top-level label (section 7.1)."""
    if not text:
        return Wrong("the domain is missing")
    if _IPV4.fullmatch(text):
        return Wrong(f"{text} is an address, not a name: write ip4:{text}")
    string = macros.read(text)
    if isinstance(string, Wrong) or not isinstance(last := string.pieces[-1], Literal):
        return string
    _, dot, label = last.text.removesuffix(".").rpartition(".")
    if not dot:
        whole = len(string.pieces) == 1
        return Wrong(f"{label[:60]!r} is a single label, not a domain" if whole else "a dot is missing before the end")
    return string if top_level(label) else Wrong(f"{label[:60]!r} can be no top-level domain")


def _length(prefix: int, whole: int, mark: str = "/") -> str:
    return "" if prefix == whole else f"{mark}{prefix}"

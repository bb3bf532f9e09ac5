"""The parts of the HTML page that show ports and certificates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from gatepost.report import certs, domains, truth
from gatepost.report.domain_view import Line
from gatepost.report.encryption import Word
from gatepost.report.markup import Element, Node, e
from gatepost.report.tally import plural
from gatepost.report.truth import NOT_ASKED, Standing

MARKS: Mapping[Standing, str] = {
    Standing.ATTENTION: "◆",
    Standing.BAD: "✖",
    Standing.GOOD: "✔",
    Standing.QUIET: "·",
    Standing.UNKNOWN: "?",
}
_LEGEND = (
    (Standing.GOOD, "as it should be"),
    (Standing.ATTENTION, "worth a look"),
    (Standing.BAD, "wrong"),
    (Standing.UNKNOWN, "could not be seen"),
    (Standing.QUIET, "nothing there, nothing expected"),
)
_WORST = (Standing.QUIET, Standing.GOOD, Standing.UNKNOWN, Standing.ATTENTION, Standing.BAD)
_MOST_COLUMNS = 12  # of the wall, as many as the page is wide; the tables below have every port


def wall(rows: Sequence[truth.Row]) -> Element:
    """Hosts by ports, one tile each; several addresses share a tile, the worst of them shows."""
    tiles: dict[tuple[str, int], list[truth.Row]] = defaultdict(list)
    for row in rows:
        tiles[row.host, row.port].append(row)
    ports, left = _columns(rows)
    hosts = list(dict.fromkeys(row.host for row in rows))
    head = e("tr", e("th", ""), (e("th", str(port), scope="col") for port in ports))
    body = (
        e("tr", e("th", e("a", host, href=f"#host-{n}"), scope="row"),
          (e("td", _tile(tiles.get((host, port), []))) for port in ports))
        for n, host in enumerate(hosts)
    )  # fmt: skip
    legend = [e("li", e("b", MARKS[s], class_=s.value), words) for s, words in _LEGEND]
    legend += [e("li", f"{plural(left, 'more port')} below")] if left else []
    legend += [e("li", e("b", "+"), "lets in more than is declared")] if any(map(_wider, rows)) else []
    return e(
        "div",
        e("div", e("table", e("thead", head), e("tbody", body), class_="wall"), class_="scroll"),
        e("ul", legend, class_="legend"),
    )


def _wider(row: truth.Row) -> bool:
    return "+" in row.firewalled


def _columns(rows: Iterable[truth.Row]) -> tuple[list[int], int]:
    """Ports where something listens, or should; and how many there was no room for, the least grave of them."""
    worst: dict[int, int] = defaultdict(int)
    for row in rows:
        if not truth.absent(row):
            worst[row.port] = max(worst[row.port], _WORST.index(row.standing))
    graver = sorted(worst, key=lambda port: (-worst[port], port))
    return sorted(graver[:_MOST_COLUMNS]), len(graver[_MOST_COLUMNS:])


def _tile(rows: Sequence[truth.Row]) -> Element:
    if not rows:
        return e("span", e("b", "·"), class_="tile blank dim")
    row = max(rows, key=lambda r: _WORST.index(r.standing))
    words = _told(row)
    title = f"{row.host}:{row.port} {row.service}: {row.verdict.value}. {row.cause}".strip()
    return e("span", e("b", MARKS[row.standing]), words, class_=f"tile {row.standing.value}", title=title)


def _told(row: truth.Row) -> str:
    """The reason for the colour: findings where the word itself is in order."""
    if row.findings and row.standing in {Standing.BAD, Standing.ATTENTION} and not row.wrong:
        return plural(row.findings, "finding")
    return row.encrypted or row.verdict.value if row.standing is Standing.GOOD else row.verdict.value


def port_tables(rows: Sequence[truth.Row]) -> Iterable[Node]:
    for n, host in enumerate(dict.fromkeys(row.host for row in rows)):
        same = [row for row in rows if row.host == host]
        addresses = " · ".join(dict.fromkeys(row.address for row in same if row.verdict is not Word.LOOPBACK))
        yield e("h3", host, e("small", addresses), id=f"host-{n}")
        yield _port_table([row for row in same if not truth.absent(row)])
        yield from _absent_line([row for row in same if truth.absent(row)])


_FACTS = ("declared", "listening", "firewalled", "reachable", "encrypted", "advertised", "used")


def _port_table(rows: Sequence[truth.Row]) -> Element:
    facts = [name for name in _FACTS if any(getattr(row, name) != NOT_ASKED for row in rows)]
    lines = truth.merged(rows)
    split = any(where for where, _ in lines)
    heads = ["port", "service", *(["on"] if split else []), *facts, "verdict"]
    head = e("tr", (e("th", name, class_="num" if name == "port" else False, scope="col") for name in heads))
    body = [line for where, row in lines for line in _port_lines(where, row, facts, split=split)]
    return e("div", e("table", e("thead", head), e("tbody", body), class_="stack"), class_="card scroll")


def _port_lines(where: str, row: truth.Row, facts: Sequence[str], *, split: bool) -> Iterable[Element]:
    yield e(
        "tr",
        e("td", str(row.port), class_="num mono", data_label="port"),
        e("td", row.service, data_label="service"),
        [
            e(
                "td",
                f"IP{where}" if where in {"v4", "v6"} else where or "all",
                class_="" if where else "dim",
                data_label="on",
            )
        ]
        if split
        else [],
        (_fact(name, getattr(row, name)) for name in facts),
        e("td", pill(row.standing, row.verdict.value), class_="wide", data_label="verdict"),
    )
    if row.cause:
        more = f" (and {plural(row.findings - 1, 'more finding')})" if row.findings > 1 else ""
        cause = e("td", row.cause, e("span", more, class_="dim"), colspan=str(len(facts) + 2 + split))
        yield e("tr", e("td", "", class_="empty"), cause, class_="cause")


def _fact(name: str, value: str) -> Element:
    quiet = value in {"", NOT_ASKED} or (value == "no" and name in {"advertised", "declared"})
    return e("td", value or NOT_ASKED, class_="dim" if quiet else False, data_label=name)


def pill(standing: Standing, words: str) -> Element:
    return e("span", f"{MARKS[standing]} {words}", class_=f"pill {standing.value}")


_COLLAPSED = (
    (Word.CLOSED, "Closed as well"), (Word.FILTERED, "No answer from"), (Word.LOOPBACK, "On loopback only"),
)  # fmt: skip


def _absent_line(rows: Sequence[truth.Row]) -> Iterable[Node]:
    told = []
    for word, words in _COLLAPSED:
        ports = sorted({row.port for row in rows if row.verdict is word})
        more = f" and {len(ports) - 40} more" if ports[40:] else ""
        told += [f"{words}: {', '.join(str(port) for port in ports[:40])}{more}."] if ports else []
    if told:
        yield e("p", " ".join(told), class_="dim")


def certificate_table(rows: Sequence[certs.Row]) -> Element:
    """Each certificate once, with every place that serves it."""
    groups: dict[str, list[certs.Row]] = defaultdict(list)
    for row in rows:
        groups[row.group].append(row)
    heads = ("", "names", "issuer", "key", "until", "chain", "served at")
    head = e("tr", (e("th", name, scope="col") for name in heads))
    body = (_certificate(letter, same) for letter, same in groups.items())
    return e("div", e("table", e("thead", head), e("tbody", body), class_="stack"), class_="card scroll")


def _certificate(letter: str, same: Sequence[certs.Row]) -> Element:
    row = same[0]
    left = e("span", certs.days(row.days_left), class_="dim")
    trusted = row.chain == "trusted"
    return e(
        "tr",
        e("td", pill(row.standing, letter), data_label="certificate"),
        e("td", ", ".join(row.names) or row.subject, class_="wide", data_label="names"),
        e("td", row.issuer, data_label="issuer"),
        e("td", row.key, data_label="key"),
        e("td", e("span", f"{row.not_after:%Y-%m-%d}", e("br"), left), data_label="until"),
        e("td", row.chain if trusted else pill(row.standing, row.chain), class_="wide", data_label="chain"),
        e("td", _served(same), class_="wide", data_label="served at"),
    )


def _served(same: Sequence[certs.Row]) -> str:
    ports: dict[str, set[int]] = defaultdict(set)
    for row in same:
        ports[row.host].add(row.port)
    return "; ".join(f"{host}: {', '.join(str(p) for p in sorted(found))}" for host, found in ports.items())


def place_table(rows: Sequence[certs.Row]) -> Element:
    heads = ("host", "port", "address", "name asked for", "certificate", "days left", "chain", "tlsa", "mta-sts")
    head = e("tr", (e("th", name, scope="col") for name in heads))
    body = (
        e("tr", (e("td", value, data_label=label) for label, value in zip(heads, _place(row), strict=True)))
        for row in rows
    )
    return e("div", e("table", e("thead", head), e("tbody", body), class_="stack"), class_="card scroll")


def _place(row: certs.Row) -> tuple[Node, ...]:
    chain: Node = row.chain if row.chain == "trusted" else pill(row.standing, row.chain)
    sni: Node = row.sni or e("span", "(none)", class_="dim")
    return (
        row.host, str(row.port), row.address, sni, e("b", row.group), str(row.days_left), chain, row.tlsa, row.mta_sts,
    )  # fmt: skip


def domain_cards(cards: Iterable[domains.Card]) -> Element:
    """A card a domain or host; a line per standard, what stands behind it folded away."""
    return e("div", (_card(card) for card in cards), class_="cards")


def _card(card: domains.Card) -> Element:
    kind = "mail domain" if card.kind == "domain" else "mail host"
    head = e("h3", pill(card.standing, card.name), e("small", kind))
    return e("div", head, (_standard(line) for line in card.lines), class_="card domain")


def _standard(line: Line) -> Element:
    mark = e("b", MARKS[line.standing], class_=line.standing.value)
    words = (mark, e("span", line.label, class_="label"), e("span", line.words))
    if not line.details:
        return e("p", *words, class_="standard")
    opened = line.standing in {Standing.ATTENTION, Standing.BAD}
    body = e("pre", "\n".join(line.details))
    return e("details", e("summary", *words), body, class_="standard", open=opened)

"""What somebody did, as SQL for DuckDB: the twin of `logs/signalling.py`, which tells the same live.

Each statement fills the table `signal`, where `c` is the connection and `key` the name of one that no line here has.
The texts read `chained`, `connection`, `marked` and `failure` of one slice of the connections, and `aside`, `login` and
`accepted` of all of them.
"""

from __future__ import annotations

from gatepost.lake import words
from gatepost.lake.sessions import Span
from gatepost.model import counting
from gatepost.model.event import Act, Kind

COLUMNS = (
    't, host, service, port, act, client, "user", method, cover, tls, peer, cause, amount, c, key, source, "offset"'
)
EMPTY = f"""CREATE TEMP TABLE signal AS SELECT {COLUMNS} FROM (SELECT 0::BIGINT AS t, ''::word AS host,
    ''::word AS service, 0::INTEGER AS port, '' AS act, '' AS client, '' AS "user", '' AS method, '' AS cover,
    '' AS tls, '' AS peer, '' AS cause, 0::BIGINT AS amount, 0::UBIGINT AS c, '' AS key, 0::INTEGER AS source,
    0::BIGINT AS "offset") WHERE false"""  # noqa: S608 - ours
_SHORT = "coalesce(nullif(reason, ''), code)"
_LEGACY = words.listed(counting.LEGACY)


def of_connections(span: Span) -> tuple[str, ...]:
    """Statements over one slice: one row of `signal` for each act."""
    legacy = f"n = login_n AND tls IN {_LEGACY} AND (tls_n IS NULL OR tls_n > n)"
    clear = "n = end_n AND good > 0 AND at_end = 'none' AND coalesce(told_cover, '') <> 'none'"
    return (
        _insert(span, _plain()),
        _insert(span, _handshakes()),
        _insert(span, _marked(_login(), "n = login_n")),
        _insert(span, _marked(_clear_login(), "n = login_n AND covered = 'none'")),
        _insert(span, _marked(_legacy_login(), legacy)),
        _insert(span, _marked(_probe(), "n = idle_n AND (did_n IS NULL OR did_n > n)")),
        _insert(span, _marked(_unseen(), "n = end_n AND tried - good - failures > 0")),
        _insert(span, _marked(_counted_login(), "n = end_n AND good > 0 AND login_n IS NULL")),
        _insert(span, _marked(_counted_clear(), clear)),
        _insert(span, _failed()),
    )


def _insert(span: Span, rows: str) -> str:
    return f"INSERT INTO signal SELECT {COLUMNS} FROM ({rows}) WHERE {span.within('t')}"  # noqa: S608 - ours


def _row(act: str, **given: str) -> str:
    """A signal out of a line `c`: its own columns, but for those that are given."""
    own = {
        "t": "c.t", "host": "c.host", "service": "c.service", "port": "c.port", "act": act, "client": "c.client",
        '"user"': 'c."user"', "method": "c.method", "cover": "c.cover", "tls": "c.tls", "peer": "''", "cause": "''",
        "amount": "1", "c": "c.c", "key": "''", "source": "c.source", '"offset"': 'c."offset"',
    }  # fmt: skip
    own |= {('"user"' if name == "user" else name): text for name, text in given.items()}
    own["cause"] = f"left({own['cause']}, {counting.CAUSE})"
    return ", ".join(f"{text} AS {name}" for name, text in own.items())


def _plain() -> str:
    """Acts that one line tells."""
    refusal = (
        f"CASE WHEN {words.has('reason', counting.RELAY)} THEN '{Act.RELAY_TRIED}'"
        f" WHEN contains(code, '{counting.NOBODY_CODE}') OR {words.has('reason', counting.NOBODY)}"
        f" THEN '{Act.UNKNOWN_RECIPIENT}' ELSE '{Act.REJECTED}' END"
    )
    same = {
        Kind.CLEARTEXT_REFUSED: Act.CLEAR_REFUSED, Kind.EARLY: Act.EARLY, Kind.HANGUP: Act.PROBE,
        Kind.NOT_SMTP: Act.NOT_SMTP, Kind.NO_ATTEMPT: Act.PROBE, Kind.PIPELINING: Act.PIPELINING,
        Kind.PROTOCOL_ERROR: Act.PROTOCOL_ERROR, Kind.RATE_LIMITED: Act.RATE_LIMITED,
    }  # fmt: skip
    cases = " ".join(f"WHEN '{kind}' THEN '{act}'" for kind, act in same.items())
    act = f"CASE kind {cases} WHEN 'tls' THEN '{Act.LEGACY_TLS}' WHEN 'aborted' THEN '{Act.PROTOCOL_ERROR}'"
    act += f" ELSE {refusal} END"
    row = _row(
        act,
        cover="CASE kind WHEN 'tls' THEN 'tls' ELSE c.cover END",
        peer=f"CASE kind WHEN 'rejected' THEN {words.peer('recipient')} ELSE '' END",
        cause=f"CASE kind WHEN 'tls' THEN '' ELSE {_SHORT} END",
    )
    return f"""SELECT {row} FROM chained c WHERE kind IN {words.listed((*same, Kind.REJECTED))}
        OR (kind = 'tls' AND tls IN {_LEGACY}) OR (kind = 'aborted' AND result = 'violation')"""  # noqa: S608 - ours


def _handshakes() -> str:
    """Postfix writes the cause in the next line of the process, without the client."""
    told = "(b.kind = 'library' OR (b.kind = 'certificate-rejected' AND b.client = ''))"
    process = f"h.daemon IN {words.listed(counting.BY_PROCESS)} AND h.track = 'process'"
    why = f"CASE WHEN h.kind = 'handshake-failed' AND {process} AND {told} THEN b.reason ELSE h.reason END"
    certificate = words.found("why", counting.CERTIFICATE)
    act = (
        f"CASE WHEN {certificate} <> '' OR kind = 'certificate-rejected' THEN '{Act.CERTIFICATE_REJECTED}'"
        f" ELSE '{Act.HANDSHAKE_FAILED}' END"
    )
    cause = f"coalesce(nullif({certificate}, ''), nullif({words.found('why', counting.HANDSHAKE)}, ''), why)"
    return f"""SELECT {_row(act, cause=cause)} FROM (SELECT h.*, {why} AS why FROM chained h
        LEFT JOIN (SELECT r, kind, client, reason FROM chained WHERE kind IN ('library', 'certificate-rejected')) b
        ON b.r = h.behind
        WHERE h.kind = 'handshake-failed' OR (h.kind = 'certificate-rejected' AND h.client <> '')) c"""  # noqa: S608 - ours


_WRAPPED = f"c.service IN {words.listed(words.WRAPPED)}"
COVER = f"""(CASE WHEN c.cover <> '' THEN c.cover WHEN o.tls_n < c.n OR {_WRAPPED} THEN 'tls'
    WHEN {words.local("c.client")} THEN 'local' ELSE '' END)"""
TLS = f"""(CASE WHEN c.cover <> '' THEN c.tls WHEN o.tls_n < c.n OR {_WRAPPED}
    THEN CASE WHEN o.tls_n < c.n THEN o.tls_line ELSE '' END ELSE '' END)"""
_AT_END = f"""(CASE WHEN c.cover <> '' THEN c.cover WHEN o.tls_n IS NOT NULL OR {_WRAPPED} OR o.upgraded THEN 'tls'
    WHEN {words.local("c.client")} THEN 'local' WHEN c.commands <> '' THEN 'none' ELSE '' END)"""


_DECISIVE = ", ".join(
    f"c.{one}"
    for one in ("t", "host", "service", "port", "kind", "client", '"user"', "method", "cover", "tls", "commands",
                "reason", "source", '"offset"', "c", "n")
)  # fmt: skip


def marked() -> str:
    """Lines that decide something about the whole of their connection, with what is known of it."""
    known = "c, login_n, idle_n, end_n, did_n, tls_n, tls_line, tried, good, failures, upgraded"
    return f"""
WITH marked AS (SELECT {_DECISIVE}, o.* EXCLUDE (c), {COVER} AS covered, {TLS} AS tls_known, {_AT_END} AS at_end
    FROM chained c JOIN (SELECT {known} FROM connection WHERE login_n IS NOT NULL OR idle_n IS NOT NULL OR tried > 0) o
    ON c.c = o.c
    WHERE c.n = o.login_n OR c.n = o.idle_n OR (c.n = o.end_n AND o.tried > 0))
SELECT m.*, l.covered AS told_cover, l."user" AS told_user FROM marked m
    LEFT JOIN (SELECT c, covered, "user" FROM marked WHERE n = login_n) l
    ON m.c = l.c AND m.n <> m.login_n"""  # noqa: S608 - ours


def said() -> str:
    """Who logged in, for each connection of one slice."""
    return """SELECT c, "user" AS account, method AS account_method FROM marked WHERE n = login_n"""


def _marked(row: str, condition: str) -> str:
    return f"SELECT {row} FROM marked c WHERE {condition}"  # noqa: S608 - ours


def _login() -> str:
    return _row(f"'{Act.LOGIN}'", cover="c.covered", tls="c.tls_known")


def _clear_login() -> str:
    return _row(f"'{Act.CLEAR_LOGIN}'", cover="c.covered")


def _legacy_login() -> str:
    return _row(f"'{Act.LEGACY_TLS}'", cover="c.covered")


def _probe() -> str:
    return _row(f"'{Act.PROBE}'", cause="CASE c.kind WHEN 'disconnect' THEN c.commands ELSE c.reason END")


def _unseen() -> str:
    return _row(f"'{Act.LOGIN_FAILED}'", cause=f"'{counting.NOT_CHECKED}'", amount="c.tried - c.good - c.failures")


def _counted_login() -> str:
    tls = "coalesce(nullif(c.tls_line, ''), c.tls)"
    return _row(f"'{Act.LOGIN}'", cover="c.at_end", tls=tls, cause=f"'{counting.NO_MESSAGE}'")


def _counted_clear() -> str:
    return _row(f"'{Act.CLEAR_LOGIN}'", cover="c.at_end", user="coalesce(c.told_user, '')")


def _failed() -> str:
    cause = f"""coalesce(nullif(c.detail, ''), nullif({words.found("c.reason", counting.REASONS)}, ''),
        nullif(c.code, ''), c.reason)"""
    said = f"coalesce(nullif({words.found('d.reason', counting.REASONS)}, ''), d.reason)"
    return f"""SELECT {_row(f"'{Act.LOGIN_FAILED}'", cause=cause, amount="c.amount")} FROM (
        SELECT f.*, detail FROM failure f LEFT JOIN (
            SELECT f.r, arg_max({said}, (d.t, d.source, d."offset")) AS detail FROM failure f JOIN aside d
            ON f.session <> '' AND d.kind = 'auth-detail' AND d.k = f.k AND (d.t < f.t OR (d.t = f.t
            AND d.source = f.source AND d."offset" < f."offset")) GROUP BY f.r) d ON d.r = f.r WHERE amount > 0) c"""  # noqa: S608 - ours


def alone(span: Span) -> str:
    """Lines that need no other: what a firewall dropped, a script that was stored, a filter's verdict, bytes read."""
    own = "CASE WHEN c.session <> '' THEN concat(c.host, '/', c.session) ELSE '' END"
    act = f"""CASE kind WHEN 'dropped' THEN '{Act.DROPPED}' WHEN 'milter' THEN '{Act.REJECTED}'
        WHEN 'logout' THEN '{Act.READ}' ELSE '{Act.RULE_CHANGED}' END"""
    row = _row(
        act,
        client="CASE WHEN kind = 'logout' AND c.client = '' THEN coalesce(l.client, '') ELSE c.client END",
        peer=f"CASE kind WHEN 'milter' THEN {words.peer('c.recipient')} ELSE '' END",
        cause=f"CASE kind WHEN 'logout' THEN '' WHEN 'milter' THEN {_short('c')} ELSE c.reason END",
        amount="CASE kind WHEN 'logout' THEN c.size ELSE 1 END",
        c="NULL",
        key=f"CASE WHEN kind IN ('dropped', 'milter') THEN '' ELSE {own} END",
    )
    lone = f"""SELECT * FROM aside WHERE kind IN ('dropped', 'milter') OR (kind = 'logout' AND size > 0)
        OR (kind = 'mail-action' AND reason = '{counting.RULES}')"""  # noqa: S608 - ours
    rows = f"""SELECT {row} FROM ({lone}) c LEFT JOIN login l ON c.kind = 'logout' AND c.session <> ''
        AND l.k = c.k AND l.t >= {words.since("c.t")}
        AND (l.t < c.t OR (l.t = c.t AND l.source = c.source AND l."offset" < c."offset"))"""  # noqa: S608 - ours
    return _insert(span, rows)


def _short(table: str) -> str:
    return f"coalesce(nullif({table}.reason, ''), {table}.code)"


def logins() -> str:
    """The first line of each connection with an id, of one slice: who a later logout belongs to."""
    return """SELECT k, min(t) AS t, arg_min(source, t) AS source, min("offset") AS "offset",
        coalesce(arg_min(client, "offset") FILTER (client <> ''), '') AS client FROM line
        WHERE track = 'id' GROUP BY k"""

"""Connections out of lines, as SQL for DuckDB.

`places` numbers the lines of each process, peer or id and tells which connection each is part of; `sessions` makes
one row of each connection. Both read a slice of the connections (`part` of `parts`), so that a busy day needs no more
memory than a quiet one. What counts as one connection is said in `model/counting.py`.

Rows are kept narrow, since moving strings about is most of what this costs: names that repeat are codes (the type
`word`), and a connection is a number, `c`, until its name is wanted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from gatepost import catalogue
from gatepost.lake import words
from gatepost.model import counting
from gatepost.model.event import Cover, Kind, Result

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days to derive, and the events that takes: their own, and `FOLLOWED` on either side."""

    first: date
    last: date

    @property
    def start(self) -> int:
        return (self.first - EPOCH).days * counting.DAY

    @property
    def end(self) -> int:
        return ((self.last - EPOCH).days + 1) * counting.DAY

    @property
    def events(self) -> str:
        """The condition on `events`. The column `day` leaves out whole files."""
        low, high = self.start - counting.FOLLOWED, self.end + counting.FOLLOWED
        return f'day BETWEEN {_date(low)} AND {_date(high)} AND "at" >= {_moment(low)} AND "at" < {_moment(high)}'

    def within(self, column: str) -> str:
        return f"({column} >= {self.start} AND {column} < {self.end})"


def _date(at: int) -> str:
    return f"DATE '{datetime.fromtimestamp(at / 1_000_000, UTC):%Y-%m-%d}'"


def _moment(at: int) -> str:
    return f"TIMESTAMPTZ '{datetime.fromtimestamp(at / 1_000_000, UTC):%Y-%m-%d %H:%M:%S}+00'"


CODED = ("host", "daemon", "service", "kind", "result", "method", "cover", "tls", "cipher", "exchange", "code")


def coded(names: str) -> str:
    """Columns of `events`, those with few different values as the type `word`."""
    found = (one.strip() for one in names.split(","))
    return ", ".join(f"{one}::word AS {one}" if one in CODED else one for one in found)


def word(span: Span) -> str:
    """The type `word`, in the order of its texts: the greatest code is the greatest text."""
    told = " UNION ".join(f"SELECT DISTINCT {one} AS w FROM events WHERE {span.events}" for one in CODED)  # noqa: S608 - ours
    ours = ", ".join(f"({words.quoted(one)})" for one in ("", *Cover, *Kind, *Result))
    return f"CREATE TYPE word AS ENUM (SELECT w FROM ({told} UNION VALUES {ours}) WHERE w IS NOT NULL ORDER BY w)"  # noqa: S608 - ours


_COLUMNS = """host, daemon, service, pid, kind, result, client, client_port, name, helo, port, "user", method, cover,
    tls, cipher, exchange, queue, recipient, commands, attempts, code, reason, session, source, "offset" """
_TRACK = f"""CASE WHEN session <> '' THEN 'id' WHEN daemon IN {words.listed(counting.BY_PROCESS)} THEN 'process'
    WHEN daemon IN {words.listed(counting.BY_PEER)} THEN 'peer' ELSE 'other' END"""
_KEY = """CASE track WHEN 'id' THEN hash(host, session) WHEN 'process' THEN hash(host, service, daemon, pid)
    WHEN 'peer' THEN hash(host, client, client_port)
    ELSE hash(host, daemon, service, client, client_port, "user") END"""


def key(line: str) -> str:
    """The name of the connection that a row of `chained` is part of."""
    c = line
    return f"""(CASE {c}.track WHEN 'id' THEN concat({c}.host, '/', {c}.session)
    WHEN 'process' THEN concat_ws('/', nullif({c}.host, ''), nullif({c}.service, ''), nullif({c}.daemon, ''), {c}.pid)
        || '@' || {c}.begun || '+' || {c}.begun_at
    WHEN 'peer' THEN concat_ws('/', nullif({c}.host, ''), '{counting.FAMILY}', nullif({c}.client, ''), {c}.client_port)
        || '@' || {c}.begun || '+' || {c}.begun_at
    ELSE concat_ws('/', nullif({c}.host, ''), nullif({c}.daemon, ''), nullif({c}.service, ''), nullif({c}.client, ''),
        {c}.client_port, nullif({c}."user", '')) || '@' || {c}.begun || '+' || {c}.begun_at END)"""


def lines(span: Span, part: int, parts: int) -> str:
    """The table `line`: lines that are part of a connection, of one slice."""
    return f"""SELECT epoch_us("at") AS t, {coded(_COLUMNS)}, {_TRACK} AS track, {_KEY} AS k FROM events
        WHERE {span.events}
        AND kind IN {words.listed(counting.OF_CONNECTION)} AND k % {parts} = {part}"""  # noqa: S608 - ours


def asides(span: Span) -> str:
    """The table `aside`: lines that are about connections or none, and part of none."""
    named = """host, service, port, kind, client, "user", method, cover, tls, recipient, size, code, reason, session,
        source, "offset" """
    return f"""SELECT epoch_us("at") AS t, {coded(named)}, hash(host, session) AS k FROM events WHERE {span.events} AND
        (kind IN ('auth-detail', 'dropped', 'logout', 'mail-action') OR (kind = 'milter' AND result = 'rejected'))"""  # noqa: S608 - ours


def places() -> str:
    """The table `place`: for each row `r` of `line` its connection `c`, its place `n` in it, and the line `behind`."""
    cut = f"(t - {counting.FOLLOWED}) // {counting.DAY}"
    starts = (
        f"(before IS NULL OR kind = '{Kind.CONNECT}' OR before = '{Kind.DISCONNECT}' OR t - t_before >"
        f" CASE track WHEN 'other' THEN {counting.NEARBY} ELSE {counting.SILENCE} END"
        " OR (client IS NOT NULL AND client_before <> client))"
    )
    newest = "last_value(CASE WHEN starts THEN {} END IGNORE NULLS) OVER v"
    return f"""
WITH narrow AS (SELECT rowid AS r, k, t, source, "offset", kind, track,
        CASE WHEN client <> '' THEN hash(client) END AS client FROM line WHERE track <> 'id'),
placed AS (SELECT *, row_number() OVER w AS n, lag(kind) OVER w AS before, lag(t) OVER w AS t_before,
        lag(client IGNORE NULLS) OVER w AS client_before, lead(r) OVER w AS behind
    FROM narrow WINDOW w AS (PARTITION BY k ORDER BY t, source, "offset")),
begin AS (SELECT r, k, t, n, behind, "offset", {starts} AS starts FROM placed),
cut AS (SELECT r, k, t, n, behind, {newest.format("n")} AS first, {newest.format("t")} AS start,
        {newest.format('"offset"')} AS start_at
    FROM begin WINDOW v AS (PARTITION BY k ORDER BY n ROWS UNBOUNDED PRECEDING))
SELECT r, n, behind, greatest(0, {cut} - start // {counting.DAY}) AS later, hash(k, first, later) AS c,
    CASE WHEN later = 0 THEN start ELSE {cut} * {counting.DAY} + {counting.FOLLOWED} END AS begun,
    CASE WHEN later = 0 THEN start_at ELSE 0 END AS begun_at FROM cut
UNION ALL
SELECT rowid, "offset", NULL, 0, k, t, 0 FROM line WHERE track = 'id'
"""  # noqa: S608 - pieces are ours


CHAINED = """SELECT l.*, p.r, p.c, p.n, p.behind, p.begun, p.begun_at FROM line l JOIN place p ON p.r = l.rowid"""


SAID = "kind IN ('accepted', 'login', 'rejected') AND (\"user\" <> '' OR kind = 'login')"
_IDLE = (
    f"(kind = 'aborted' AND result <> 'violation' AND reason IN {words.listed(counting.IDLE_STAGES)})"
    f" OR (kind = 'disconnect' AND (commands = '{counting.IDLE}' OR ends_with(commands, ' {counting.IDLE}')))"
)
_SEEN = {
    "broken": "kind IN ('handshake-failed', 'certificate-rejected')",
    "over": "kind IN ('no-attempt', 'hangup', 'aborted', 'disconnect', 'auth-failed')",
    "refused": "kind = 'cleartext-refused'",
    "rejected": "kind = 'rejected'",
    "violated": "kind IN ('early', 'not-smtp', 'pipelining', 'protocol-error')"
    " OR (kind = 'aborted' AND result = 'violation')",
}  # what a connection had at least once


def connections() -> str:
    """One row for each connection of the table `chained`: numbers by which the signals and the sessions are made."""
    seen = " + ".join(f"(({condition})::INTEGER << {bit})" for bit, condition in enumerate(_SEEN.values()))
    told = ", ".join(f"seen & {1 << bit} > 0 AS {name}" for bit, name in enumerate(_SEEN))
    logins = r"'(?:^| )auth=([0-9]{1,9})(?:/([0-9]{1,9}))?(?: |$)'"
    return f"""
WITH once AS (SELECT c, min(r) AS r, min(t) AS started, max(t) AS ended, min(daemon) AS daemon,
    max(service) AS service, min(pid) AS pid, max(port) AS port, max(client) AS client, max(client_port) AS client_port,
    max(name) FILTER (name <> 'unknown') AS name, max(helo) AS helo,
    max("user") AS "user", arg_max("user", n) FILTER (kind = 'auth-failed' AND "user" <> '') AS tried_user,
    max(method) AS method, max(cover) AS cover_told, arg_min(tls, n) FILTER (kind = 'tls') AS tls_line,
    max(tls) AS tls, max(cipher) AS cipher, max(exchange) AS exchange,
    max(commands) FILTER (kind = 'disconnect') AS commands, max(n) FILTER (kind = 'disconnect') AS end_n,
    min(n) FILTER ({SAID}) AS login_n, min(n) FILTER (kind = 'tls') AS tls_n, min(n) FILTER ({_IDLE}) AS idle_n,
    min(n) FILTER (kind IN {words.listed(counting.DID_SOMETHING)}) AS did_n,
    count(*) FILTER (kind = 'auth-failed') AS failures, count(*) FILTER (kind = 'accepted') AS messages,
    max(t) FILTER (kind = 'screened') AS screened_at, bit_or({seen}) AS seen, count(*) AS lines
    FROM chained GROUP BY c),
first AS (SELECT o.*, l.track, l.host, l.session, p.begun, p.begun_at,
        CASE WHEN o.commands LIKE '%auth=%' THEN regexp_extract(o.commands, {logins}, ['good', 'tried']) END AS auth
    FROM once o JOIN line l ON l.rowid = o.r
    JOIN place p ON p.r = o.r)
SELECT * EXCLUDE (r, seen, begun, begun_at, auth), {key("first")} AS key,
    coalesce(try_cast(auth['good'] AS BIGINT), 0) AS good,
    coalesce(try_cast(nullif(auth['tried'], '') AS BIGINT), good) AS tried,
    CASE WHEN commands <> '' THEN commands LIKE '%starttls=%' AND regexp_matches(commands, '(?:^| )starttls=[1-9]')
        END AS upgraded,
    service IN {words.listed(words.WRAPPED)} AS wrapped, {told} FROM first
"""  # noqa: S608 - pieces are ours


_FAILED = """t, host, service, port, client, "user", method, cover, tls, code, reason, attempts, session, source,
    "offset", k, r, c"""


def failures() -> str:
    """Failed logins of `chained` with what makes one the same attempt as the one before it."""
    again = (
        f"(attempts IS NULL AND t - t_before <= {counting.FALLBACK}"
        " AND (\"user\" = '' OR user_before = '' OR \"user\" = user_before)"
        f" AND {words.order('method')} > {words.order('method_before')})"
    )
    return f"""
WITH failed AS (SELECT {_FAILED}, lag(t) OVER w AS t_before, lag("user") OVER w AS user_before,
        lag(method) OVER w AS method_before
    FROM chained WHERE kind = 'auth-failed' WINDOW w AS (PARTITION BY c ORDER BY n, t, source))
SELECT *, CASE WHEN {again} THEN 0 ELSE coalesce(attempts, 1) END AS amount FROM failed
"""  # noqa: S608 - pieces are ours


_FORWARD = (
    "CASE WHEN tls = 'TLSv1.3' OR regexp_matches(cipher, '^(TLS_)?(ECDHE|DHE|EDH|EECDH)[-_]') THEN true"
    " WHEN cipher <> '' THEN false END"
)
_MODES = {mode: [p.number for p in catalogue.ports() if p.mode == mode] for mode in ("implicit", "starttls")}


def sessions(span: Span) -> str:
    """Rows of `sessions` from `connection`, `failed`, `tail` (what follows a login) and `accepted`.

    A connection that postscreen handed over is one with the smtpd's: by client port where both log it, else by the
    client and the next connection within `HANDED` (a guess).
    """
    implicit, starttls = (", ".join(str(one) for one in _MODES[mode]) for mode in ("implicit", "starttls"))
    return f"""
WITH counted AS (SELECT c, sum(recipients) AS recipients, list(queue ORDER BY t, source, "offset") AS queues
    FROM accepted GROUP BY c),
handed AS (SELECT c, min(started) AS started, arg_max(port, started) AS port,
        arg_max(client_port, started) AS client_port, sum(lines) AS lines FROM offered GROUP BY c),
later_on AS (SELECT c.c, max(t.ended) AS ended, sum(t.bytes) AS bytes, sum(t.lines) AS lines FROM connection c
    JOIN tail t ON t.c = c.c AND t.ended >= c.started AND t.until <= c.started // {counting.DAY}
    WHERE c.track = 'id' GROUP BY c.c),
taken AS (SELECT screen AS c FROM offered),
whole AS (SELECT c.*, coalesce(h.started, c.started) AS since, coalesce(c.port, h.port) AS our_port,
        coalesce(c.client_port, h.client_port) AS their_port, t.ended AS left_at, coalesce(t.bytes, 0) AS bytes,
        c.lines + coalesce(h.lines, 0) + coalesce(t.lines, 0) AS all_lines,
        greatest(coalesce(f.failed, 0), 0) + greatest(0, c.tried - c.good - c.failures) AS failed,
        coalesce(r.recipients, 0) AS rcpt, r.queues, s.account, s.account_method,
        CASE WHEN c.login_n IS NOT NULL OR c.good > 0 THEN 1 ELSE 0 END AS logins,
        CASE WHEN cover_told <> '' THEN cover_told WHEN tls_n IS NOT NULL OR wrapped OR upgraded THEN 'tls'
            WHEN {words.local("c.client")} THEN 'local' WHEN upgraded IS NOT NULL THEN 'none' ELSE '' END AS covered
    FROM connection c LEFT JOIN handed h ON h.c = c.c LEFT JOIN later_on t ON t.c = c.c
    LEFT JOIN failed f ON f.c = c.c
    LEFT JOIN counted r ON r.c = c.c
    LEFT JOIN said s ON s.c = c.c
    WHERE NOT (c.track = 'other' AND c.client = '')
        AND c.c NOT IN (SELECT c FROM taken) AND {span.within("coalesce(h.started, c.started)")})
SELECT key, make_timestamptz(since) AS started,
    make_timestamptz(CASE WHEN left_at IS NOT NULL AND left_at > ended THEN left_at ELSE ended END) AS ended,
    host, service AS service, our_port AS port, client, their_port AS client_port,
    coalesce(name, '') AS name, helo AS helo, coalesce(nullif(account, ''), tried_user, "user") AS "user",
    coalesce(nullif(account_method, ''), method, '') AS method, covered AS cover,
    CASE WHEN wrapped OR our_port IN ({implicit}) THEN false WHEN upgraded IS NOT NULL THEN upgraded
        WHEN covered = 'none' THEN false WHEN track = 'process' AND tls_n IS NOT NULL THEN true
        WHEN covered = 'tls' AND our_port IN ({starttls}) THEN true END AS starttls,
    tls, cipher, exchange,
    {_FORWARD} AS forward_secret,
    CASE WHEN logins > 0 THEN 'authenticated' WHEN messages > 0 THEN 'accepted' WHEN broken
        THEN 'handshake-failed' WHEN violated THEN 'violation' WHEN failed > 0 OR refused THEN 'failed'
        WHEN rejected THEN 'rejected' WHEN over THEN 'idle' ELSE 'open' END AS outcome,
    (failed + logins)::INTEGER AS attempts, failed::INTEGER AS failures, messages::INTEGER AS messages,
    rcpt::INTEGER AS recipients, bytes::BIGINT AS read_bytes, coalesce(queues, []) AS queues,
    all_lines::INTEGER AS lines FROM whole
"""  # noqa: S608 - pieces are ours


def arrivals() -> str:
    """Connections of an smtpd that may have been handed over, of one slice."""
    return """SELECT c, key, host, client, client_port, started FROM connection
        WHERE daemon = 'smtpd' AND service = 'smtp' AND client <> ''"""


def screened() -> str:
    """Connections that passed the tests before the greeting, of one slice."""
    return """SELECT c, host, client, client_port, port, started, screened_at, lines FROM connection
        WHERE track = 'peer' AND screened_at IS NOT NULL AND NOT violated"""


def offered() -> str:
    """Which of `screened` went on as which of `arrival`."""
    return f"""SELECT c.c, p.c AS screen, p.started, p.port, p.client_port, p.lines FROM arrival c
        JOIN screened p ON p.host = c.host AND p.client = c.client
        AND c.started BETWEEN p.screened_at AND p.screened_at + {HANDED}
        AND (c.client_port IS NULL OR p.client_port IS NULL OR c.client_port = p.client_port)
        QUALIFY row_number() OVER (PARTITION BY p.c ORDER BY c.started, c.key) = 1"""  # noqa: S608 - ours


HANDED = 30 * 1_000_000  # microseconds between passing the tests and the connect line of an smtpd


def tails(part: int, parts: int) -> str:
    """What Dovecot tells of a login after it: until when, and how much was read."""
    return f"""SELECT k AS c, (t - {counting.FOLLOWED}) // {counting.DAY} AS until, max(t) AS ended,
        sum(size) FILTER (kind = 'logout') AS bytes, count(*) AS lines FROM aside
        WHERE kind IN ('logout', 'mail-action', 'auth-detail') AND session <> '' AND k % {parts} = {part}
        GROUP BY ALL"""  # noqa: S608 - pieces are ours

"""What was seen about a mail domain: the facts of the dns and reports witnesses.

Each class is an observation. `problems` break the standard or the purpose, `advice` is worth knowing and legal.
Where a question failed there is an `Unobserved` in place of the fact.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Caa, Presence, Security, Tlsa
from gatepost.model.words import Reason


@dataclass(frozen=True, slots=True)
class SpfTerm:
    """One term of the records behind a domain's SPF, in the order they are evaluated.

    `lookups` and `voids` are running counts after this term (limits 10 and 2, RFC 7208 section 4.6.4).
    """

    depth: int  # 0 for the domain's own record, 1 for a record it includes
    domain: str  # whose record the term stands in
    text: str
    lookups: int
    voids: int
    note: str = ""  # what is wrong with it, or worth knowing
    broken: bool = False  # the note tells of a problem, not of advice


@dataclass(frozen=True, slots=True)
class SpfSeen:
    """The SPF of a domain. `result` is none, valid, permerror or temperror."""

    at: Endpoint
    records: tuple[str, ...]  # every TXT record that begins with v=spf1
    result: str
    terms: tuple[SpfTerm, ...] = ()
    lookups: int = 0
    voids: int = 0
    ending: str = ""  # what meets everybody else: -all, ~all, ?all, +all; empty when nothing says so
    problems: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    security: Security = Security.UNKNOWN


@dataclass(frozen=True, slots=True)
class SpfResult:
    """What a receiver would say of mail from `address` (RFC 7208 section 2.6)."""

    at: Endpoint  # the domain
    address: str
    result: str  # pass, fail, softfail, neutral, none, permerror, temperror
    mechanism: str = ""  # the term that decided, as written
    why: str = ""
    lookups: int = 0
    explanation: str = ""  # the text of exp for a fail: words of the domain's owner


@dataclass(frozen=True, slots=True)
class DkimKeySeen:
    """The key record of one selector (RFC 6376 section 3.6.1)."""

    at: Endpoint  # the domain
    selector: str
    presence: Presence
    declared: bool  # in the declaration; otherwise a common name that was tried
    text: str = ""
    key_type: str = ""  # rsa, ed25519, or what it says
    bits: int = 0
    revoked: bool = False  # an empty p=
    testing: bool = False  # t=y
    strict: bool = False  # t=s
    hashes: tuple[str, ...] = ()  # h= as published; empty: no limit
    services: tuple[str, ...] = ()  # s= as published; empty: all
    fingerprint: str = ""  # sha256 of the octets of p=, hexadecimal
    ttl: int = 0
    problems: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    security: Security = Security.UNKNOWN


@dataclass(frozen=True, slots=True)
class DmarcRecord:
    """A policy record as read (RFC 9989 section 4.7). Empty words: the tag is absent."""

    domain: str  # where it stands, without _dmarc
    text: str
    p: str = ""  # none, quarantine, reject; an absent or broken one counts as none
    sp: str = ""
    np: str = ""
    psd: str = "u"  # y, n, u
    testing: bool = False  # t=y
    adkim: str = "r"
    aspf: str = "r"
    rua: tuple[str, ...] = ()  # URIs
    ruf: tuple[str, ...] = ()
    fo: tuple[str, ...] = ()
    obsolete: tuple[str, ...] = ()  # pct, rf, ri as written
    problems: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DmarcStep:
    """One query of the tree walk (RFC 9989 section 4.10): the name asked, and what was there."""

    name: str
    texts: tuple[str, ...] = ()  # DMARC records only
    note: str = ""


@dataclass(frozen=True, slots=True)
class DmarcSeen:
    """The DMARC policy that holds for a domain, and how it was found."""

    at: Endpoint
    walk: tuple[DmarcStep, ...]
    record: DmarcRecord | None  # the one that applies; None when there is no policy
    policy: str = ""  # in effect for this domain: none, quarantine, reject; empty without a record
    subdomains: str = ""  # in effect for its existing subdomains
    nonexistent: str = ""  # in effect for names that do not exist
    organizational: str = ""  # by tree walk
    by_suffix_list: str = ""  # by the public suffix list
    list_date: str = ""  # of that list, YYYY-MM-DD
    problems: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    security: Security = Security.UNKNOWN


@dataclass(frozen=True, slots=True)
class ReportTarget:
    """A report address outside the domain needs the consent of its owner (RFC 9990 section 4).

    `authorised` is None when that could not be asked; `kind` is dmarc or tls.
    """

    at: Endpoint  # the domain reported on
    kind: str
    uri: str
    authorised: bool | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class StsSeen:
    """MTA-STS of a domain (RFC 8461): the record, and the policy as fetched over HTTPS.

    `fetched` is None when there was no reason to ask, because no record exists.
    """

    at: Endpoint
    records: tuple[str, ...]
    id: str = ""
    fetched: bool | None = None
    why: str = ""  # why it could not be fetched
    text: str = ""
    mode: str = ""  # enforce, testing, none
    mx: tuple[str, ...] = ()  # patterns as written, lower case
    max_age: int = 0  # seconds
    problems: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    security: Security = Security.UNKNOWN
    reason: Reason | None = None  # of a policy that could not be fetched


@dataclass(frozen=True, slots=True)
class TlsRptSeen:
    """The TLS-RPT record of a domain (RFC 8460 section 3)."""

    at: Endpoint
    records: tuple[str, ...]
    rua: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    security: Security = Security.UNKNOWN


@dataclass(frozen=True, slots=True)
class TlsaSeen:
    """TLSA records of one port of a host. `owner` is where they stand, after any CNAME (RFC 7671 section 7)."""

    at: Endpoint  # the host
    port: int
    owner: str
    presence: Presence
    records: tuple[Tlsa, ...] = ()
    ttl: int = 0
    problems: tuple[str, ...] = ()
    security: Security = Security.UNKNOWN
    base: str = ""  # the name it was asked for: the host's own, or the end of its alias (RFC 7672 section 2.2.2)


@dataclass(frozen=True, slots=True)
class CaaSeen:
    """The CAA set that applies to a name. `found_at` is the name that has it; empty when none has."""

    at: Endpoint
    found_at: str
    records: tuple[Caa, ...] = ()
    problems: tuple[str, ...] = ()
    security: Security = Security.UNKNOWN


@dataclass(frozen=True, slots=True)
class Exchanger:
    preference: int
    host: str
    addresses: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()  # the name is a CNAME, which RFC 5321 section 5.1 forbids
    trouble: tuple[str, ...] = ()  # why a family could not be asked
    security: Security = Security.UNKNOWN  # of its address records


@dataclass(frozen=True, slots=True)
class MxSeen:
    """Where mail for a domain goes. `null` is RFC 7505; without any record the domain's own address is used."""

    at: Endpoint
    presence: Presence
    exchangers: tuple[Exchanger, ...] = ()
    null: bool = False
    own_addresses: tuple[str, ...] = ()  # of the domain itself
    problems: tuple[str, ...] = ()
    security: Security = Security.UNKNOWN


@dataclass(frozen=True, slots=True)
class ReverseSeen:
    """The reverse names of an address mail leaves from, and which of them lead back to it."""

    at: Endpoint  # the host, or the domain where only an address is known
    address: str
    names: tuple[str, ...]
    confirmed: tuple[str, ...] = ()
    why: str = ""  # why a name could not be confirmed
    security: Security = Security.UNKNOWN


@dataclass(frozen=True, slots=True)
class Dated:
    """Since when something is known, from the state directory.

    `what` is dkim-key, mta-sts-policy, mta-sts-id, tlsa or certificate; `value` tells it from its successor:
    the digest of the key, policy or certificate, the identifier, or the TLSA record in words.
    """

    at: Endpoint
    what: str
    value: str
    first_seen: datetime
    last_seen: datetime
    detail: str = ""  # JSON with what the value was: a certificate's dates and names, a policy's text


@dataclass(frozen=True, slots=True)
class SourceSeen:
    """Who sends as a domain, by DMARC aggregate reports: one source address over a span of days."""

    at: Endpoint  # the domain of the From header
    source: str  # address
    messages: int
    aligned: int  # messages that pass DMARC by SPF or DKIM
    spf: int  # of these by SPF
    dkim: int  # of these by DKIM
    delivered: int  # disposition none
    quarantined: int
    rejected: int
    reporters: tuple[str, ...]
    first: date
    last: date
    domains: tuple[str, ...] = ()  # the DKIM and SPF domains it authenticated with


@dataclass(frozen=True, slots=True)
class TlsFailureSeen:
    """Sessions that failed on the way to a domain, by TLS-RPT: one cause (RFC 8460 section 4.3).

    `cause` is the one line an operator reads, joined with what was known of that day.
    """

    at: Endpoint  # the domain
    type: str  # certificate-expired, starttls-not-supported …
    sessions: int
    cause: str
    mx: str = ""
    address: str = ""  # of the receiving server
    policy: str = ""  # sts, tlsa, no-policy-found
    reporters: tuple[str, ...] = ()
    first: date = date.min
    last: date = date.min


@dataclass(frozen=True, slots=True)
class ReportsRead:
    """How many reports of a kind (dmarc, tls) were imported for a domain, over which days."""

    at: Endpoint
    kind: str
    reports: int
    reporters: tuple[str, ...]
    first: date
    last: date
    sessions: int = 0  # messages or sessions they speak of
    failures: int = 0  # of these, not aligned or not encrypted


DomainFact = (
    SpfSeen | SpfResult | DkimKeySeen | DmarcSeen | ReportTarget | StsSeen | TlsRptSeen | TlsaSeen | CaaSeen
    | MxSeen | ReverseSeen | Dated | SourceSeen | TlsFailureSeen | ReportsRead
)  # fmt: skip

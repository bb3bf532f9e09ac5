# ruff: noqa: E501 - a form stands on one line, as the daemon writes it
"""How the common messages of Postfix and Dovecot are worded, and what may stand in their places.

A form is text; `{x}` is a place of class x, `{=x}` the text of the last one of class x again, `<name>` one of the
alternatives of that name, `{}` a mere division.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gatepost import catalogue

ANY, ADDRESS, QUEUE, FREE, COUNTERS = range(5)  # conditions of native/scanner/classes.rs


@dataclass(frozen=True, slots=True)
class Class:
    """The longest run of `letters` is taken, and has to be one of `words` where there are some. With `spare`, it is all that
    is left of the line but so many bytes.

    `sample` gives texts of the class by turn and place, all different.
    """

    letters: str
    shortest: int
    longest: int
    sample: Callable[[int, int], str]
    condition: int = ANY
    words: tuple[str, ...] = ()
    spare: int = 0


def _one_of(*words: str) -> Class:
    letters = "A-Za-z0-9.-"
    return Class(
        letters, min(map(len, words)), max(map(len, words)), lambda turn, _: words[turn % len(words)], words=words
    )


def _address(turn: int, place: int) -> str:
    return f"2001:db8:{turn + 1:x}::{place + 1:x}" if turn % 3 == 2 else f"203.0.{turn}.{place + 100}"


def _number(turn: int, place: int) -> str:
    return str((turn * 37 + place * 7) * 10 ** (turn % 4) if turn else place)


def _cipher(turn: int, place: int) -> str:
    return f"{('AES256-SHA', '256_GCM_SHA384', 'RSA-AES128-SHA', '128-GCM')[turn % 4]}{turn}{place}"


COUNTED = ("commands=0/1", "mail=1 rcpt=0/2 quit=1 commands=3/5", "unknown=0/1 commands=1/2", "mail=2 rcpt=2 bdat=3 rset=1 noop=4 commands=12")  # fmt: skip

CLASSES: dict[str, Class] = {
    "n": Class("0-9", 1, 9, _number),
    "p": Class("1-9", 1, 1, lambda turn, place: str(1 + (turn * 3 + place) % 9)),
    "t": Class("0-9", 3, 3, lambda turn, place: f"{(2, 4, 5)[turn % 3]}{turn}{place % 10}"),
    "i": Class("0-9", 1, 1, lambda turn, place: str((turn + place) % 10)),
    "j": Class("0-9", 1, 3, lambda turn, place: str(turn * 31 + place)),
    "a": Class("0-9a-f.:", 3, 39, _address, ADDRESS),
    "h": Class("A-Za-z0-9._-", 1, 200, lambda turn, place: "unknown" if turn == 1 else f"{'mX'[turn % 2]}ail-{place}.example{turn}.net"),
    "q": Class("A-Za-z0-9", 6, 20, lambda turn, place: f"{'4BcD' if turn % 2 else 'F0'}{turn}{place:05}Xz{turn}", QUEUE),
    "u": Class("A-Za-z0-9._+@-", 1, 200, lambda turn, place: f"{'uU'[turn % 2]}ser{place}{'' if turn == 3 else '@Example.org'}{turn}"),
    "s": Class("A-Za-z0-9+/", 1, 64, lambda turn, place: f"S{turn}+/x{place}yZ"),
    "d": Class("0-9.", 1, 20, lambda turn, place: f"{turn}.{place:02}"),
    "D": Class("0-9./", 1, 60, lambda turn, place: f"0.{turn}/0.{place:02}/0/{turn}"),
    "c": Class("A-Z0-9_-", 1, 64, _cipher),
    "x": Class("A-Za-z0-9-", 2, 40, lambda turn, place: f"X{turn}519-{place}"),
    "e": Class("0-9.", 5, 9, lambda turn, place: f"{(2, 4, 5)[turn % 3]}.{turn}.{place}"),
    "k": Class("a-z0-9=/_ ", 5, 200, lambda turn, _: COUNTED[turn % len(COUNTED)], COUNTERS),
    "m": Class("A-Za-z0-9.$+/@_-", 1, 200, lambda turn, place: f"{turn}.M{place}+x$@mail.Example{turn}"),
    "f": Class("A-Za-z0-9 .,:;@/_'+\\<>=()[]-", 1, 220, lambda turn, place: f"{(250, 450, 550)[turn % 3]} {turn} Ok: said <x> {place}", FREE),
    "F": Class("A-Za-z0-9 .,:;@/_'+\\<>=()[]-", 1, 220, lambda turn, place: f"{(250, 450, 550)[turn % 3]} {turn} Ok: (said) <x> {place}", FREE, spare=1),
    "g": Class("A-Za-z0-9 .,:@/_+-", 1, 200, lambda turn, place: f"what {turn}, is: said {place}", FREE),
    "T": _one_of("Anonymous", "Trusted", "Untrusted", "Verified"),
    "V": _one_of("TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1"),
    "O": _one_of("TLSv1.2", "TLSv1.1", "TLSv1"),
    "M": _one_of("PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER", "NTLM", "SCRAM-SHA-256"),
    "S": _one_of("CONNECT", "AUTH", "STARTTLS", "EHLO", "HELO", "UNKNOWN", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "QUIT"),
    "Z": _one_of("CONNECT", "EHLO", "HELO", "MAIL", "RCPT", "DATA", "UNKNOWN"),
    "P": _one_of("ESMTP", "SMTP"),
    "r": Class("A-Za-z0-9._+/:-", 1, 100, lambda turn, place: f"Private{turn}/x{place}", FREE),
}  # fmt: skip

ALTERNATIVES: dict[str, tuple[str, ...]] = {
    "who": ("{h}[{a}]", "{h}[{a}]:{n}"),
    "secured": (
        "{V} with cipher {c} ({n}/{n} bits) key-exchange {x} server-signature {x} ({n} bits) server-digest {x}",
        "TLSv1.3 with cipher {c} ({n}/{n} bits)",
        "{O} with cipher {}ECDHE-{c} ({n}/{n} bits)",
        "{O} with cipher {}DHE-{c} ({n}/{n} bits)",
        "{O} with cipher {}AES{c} ({n}/{n} bits)",
    ),
    "nothing": ("", "NOQUEUE: ", "{q}: "),
    "greeted": ("ehlo={p} ", "helo={p} ", ""),
    "begun": ("starttls=1 ", "starttls=0/1 ", ""),
    "tried": ("auth={p} ", "auth=0/{n} ", "auth={p}/{n} ", ""),
    "broken": ("lost connection", "timeout", "too many errors"),
    "status": ("sent", "deferred", "bounced", "expired"),
    "reason": ("UGFzc3dvcmQ6", "(reason unavailable)", ""),
    "refused": (
        "{t} {i}.{j}.{j} {}<{u}>: Relay access denied{}",
        "{t} {i}.{j}.{j} {}<{u}>: Recipient address rejected: {g}",
        "{t} {i}.{j}.{j} {}<{u}>: Sender address rejected: {g}",
        "{t} {i}.{j}.{j} {}<{u}>: Helo command rejected: {g}",
        "{t} {i}.{j}.{j} {}Service unavailable; Client host [{a}] blocked using {h}; {g}",
    ),
    "helo": ("{h}", "{}[{a}]{}", "{}[IPv6:{a}]{}"),
    "login": ("imap-login", "pop3-login", "managesieve-login", "submission-login"),
    "done": ("Login", "Logged in"),
    "cover": ("", ", TLS", ", TSL", ", secured"),
    "gone": ("Disconnected", "Disconnected: Connection closed", "Aborted login", "Login aborted: Connection closed"),
    "box": ("imap", "pop3"),
    "worker": ("auth-worker({n}): conn unix:auth-worker (pid={n},uid={n}): auth-worker<{n}>: ", "auth: ", "auth-worker({n}): "),
    "driver": ("sql", "passwd-file", "ldap", "pam"),
    "why": ("Password mismatch", "unknown user"),
}  # fmt: skip

DOORS = ("postfix/smtpd", "postfix/submission/smtpd", "postfix/submissions/smtpd", "postfix/smtps/smtpd")
ENDS = "rip={a}, lip={a}"
LIBRARY = ("unsupported protocol", "no shared cipher", "http request", "wrong version number", "unknown protocol")
SSL = "SSL_accept() failed: error"
SMTP = catalogue.number("smtp")

SHAPES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        DOORS,
        (
            "connect from <who>",
            "disconnect from <who> {}<greeted><begun><tried>{k}",
            "{T} TLS connection established from <who>: <secured>",
            "{q}: client=<who>",
            "{q}: client=<who>, sasl_method={M}, sasl_username={u}",
            "<nothing><broken> after {S} from <who>",
            "warning: <who>: SASL {M} authentication failed: <reason>",
            "warning: <who>: SASL {M} authentication failed: <reason>, sasl_username={u}",
            "NOQUEUE: reject: RCPT from <who>: <refused>; from=<{u}> to=<{u}> proto={P} helo=<<helo>>",
            "SSL_accept error from <who>: {}-{n}",
            *(f"warning: TLS library problem: {{}}error:{{x}}:SSL routines::{word}:{{r}}" for word in LIBRARY),
            "warning: non-SMTP command from <who>: {f}",
            "improper command pipelining after {Z} from <who>:{} {f}",
        ),
    ),
    (
        ("postfix/cleanup",),
        ("{q}: message-id=<{m}>",),
    ),
    (
        ("postfix/qmgr",),
        (
            "{q}: from=<{u}>, size={n}, nrcpt={n} (queue active)",
            "{q}: from=<>, size={n}, nrcpt={n} (queue active)",
            "{q}: removed",
        ),
    ),
    (
        ("postfix/smtp", "postfix/lmtp"),
        (
            "{T} TLS connection established to {h}[{a}]:{n}: <secured>",
            "{q}: to=<{u}>, relay={h}[{a}]:{n}, delay={d}, delays={D}, dsn={e}, status=<status> ({F})",
            "{q}: to=<{u}>, relay={h}[{r}]{}, delay={d}, delays={D}, dsn={e}, status=<status> ({F})",
            "{q}: to=<{u}>, relay=none, delay={d}, delays={D}, dsn={e}, status=<status> ({F})",
        ),
    ),
    (
        ("postfix/postscreen",),
        (
            f"CONNECT from [{{a}}]:{{n}} to [{{a}}]:{SMTP}",
            "PASS NEW [{a}]:{n}",
            "PASS OLD [{a}]:{n}",
            "DISCONNECT [{a}]:{n}",
            "HANGUP after {d} from [{a}]:{n} in tests before SMTP handshake",
            "DNSBL rank {n} for [{a}]:{n}",
            "PREGREET {n} after {d} from [{a}]:{n}: {f}",
        ),
    ),
    (("postfix/dnsblog",), ("addr {a} listed by domain {h} as {a}",)),
    (
        ("dovecot",),
        (
            f"<login>: <done>: user=<{{u}}>, method={{M}}, {ENDS}, mpid={{n}}<cover>, session=<{{s}}>",
            f"<login>: {{}}<gone> (auth failed, {{n}} attempts in {{n}} secs){{}}: user=<{{u}}>, method={{M}}, {ENDS}<cover>, session=<{{s}}>",
            f"<login>: {{}}<gone> (auth failed, {{n}} attempts in {{n}} secs){{}} (auth_failed): user=<{{u}}>, method={{M}}, {ENDS}<cover>, session=<{{s}}>",
            f"<login>: {{}}<gone> (no auth attempts in {{n}} secs){{}}: user=<>, {ENDS}<cover>, session=<{{s}}>",
            f"<login>: {{}}<gone> (no auth attempts in {{n}} secs){{}} (no_auth_attempts): user=<>, {ENDS}<cover>, session=<{{s}}>",
            *(
                f"<login>: {{}}{gone}: {SSL}:{{x}}:SSL routines::{word} ({why}: user=<>, {ENDS}, TLS handshaking: {{}}{SSL}:{{=x}}:SSL routines::{word}{{}}, session=<{{s}}>"
                for word in LIBRARY
                for gone, why in (
                    ("Disconnected: Connection closed", "no auth attempts in {n} secs){}"),
                    ("Login aborted: Connection closed", "disconnected during TLS handshake){} (tls_handshake_not_finished)"),
                )
            ),
            "<box>({u})<{n}><{s}>: {}Disconnected: Logged out {}in={n} out={n} deleted={n} expunged={n} trashed={n} hdr_count={n} hdr_bytes={n} body_count={n} body_bytes={n}",
            "<box>({u})<{n}><{s}>: {}Disconnected: Logged out {}top={n}/{n}, retr={n}/{n}, del={n}/{n}, size={n}",
            "<worker><driver>({u},{a},<{s}>): <why>",
            "lmtp({u})<{n}><{s}>: msgid=<{m}>: saved mail to {r}",
        ),
    ),
)  # fmt: skip

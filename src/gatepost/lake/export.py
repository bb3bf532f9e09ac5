"""Events in the words of others: the Elastic Common Schema (9.5) and the Open Cybersecurity Schema Framework (1.9).

Neither has a place for one session of a mail port with its login, TLS, port and queue id together; what has none goes
to `labels` (ECS) and `unmapped` (OCSF). Our columns and theirs:

    ours                 ECS                                    OCSF
    at                   @timestamp                             time (milliseconds)
    host                 host.name                              device.hostname
    daemon, pid          process.name, process.pid              actor.process.name, .pid
    service              network.protocol                       service.name, connection_info.protocol_name
    kind                 event.action, .category, .type         class_uid, activity_id
    result               event.outcome                          status_id
    client, client_port  source.ip, source.port                 src_endpoint.ip, .port
    name                 source.domain                          src_endpoint.hostname
    local, port          destination.ip, destination.port       dst_endpoint.ip, .port
    user, method         user.name, labels.sasl_mechanism       user.name, auth_protocol (id 99)
    cover                tls.established, labels.cover          is_cleartext
    tls, cipher          tls.version, .version_protocol,        tls.version, tls.cipher (4001 only)
                         tls.cipher
    exchange             tls.curve                              unmapped.exchange
    queue                email.local_id                         email.uid
    sender, recipient    email.from.address, email.to.address   smtp_from, smtp_to
    message_id           email.message_id                       email.message_uid
    code, reason         event.code, event.reason               status_code, status_detail

A client that is a pseudonym is no address: it goes to source.address, and to src_endpoint.name.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from gatepost.model.event import Cover, Kind, Result

Row = Mapping[str, object]
Document = dict[str, object]

ECS, OCSF = "9.5.0", "1.9.0"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LOGINS = frozenset({Kind.AUTH_DETAIL, Kind.AUTH_FAILED, Kind.CLEARTEXT_REFUSED, Kind.LOGIN, Kind.LOGOUT})
MESSAGES = frozenset(
    {
        Kind.ACCEPTED, Kind.BOUNCED, Kind.DELIVERY, Kind.MESSAGE_ID, Kind.MILTER, Kind.QUEUED, Kind.REJECTED,
        Kind.REMOVED, Kind.SAVED,
    }
)  # fmt: skip
GOOD = frozenset({Result.OK, Result.SENT})
AUTHENTICATION, EMAIL, NETWORK = 3002, 4009, 4001
LOGON, LOGOFF, SEND, RECEIVE, OPEN, CLOSE, FAIL, REFUSE, TRAFFIC, OTHER = 1, 2, 1, 2, 1, 2, 4, 5, 6, 99
SUCCESS, FAILURE, UNKNOWN = 1, 2, 0
INBOUND, OUTBOUND = 1, 2
ACTIVITIES = {
    AUTHENTICATION: {LOGON: "Logon", LOGOFF: "Logoff"},
    EMAIL: {SEND: "Send", RECEIVE: "Receive", OTHER: "Other"},
    NETWORK: {OPEN: "Open", CLOSE: "Close", FAIL: "Fail", REFUSE: "Refuse", TRAFFIC: "Traffic", OTHER: "Other"},
}
CLASSES = {AUTHENTICATION: "Authentication", EMAIL: "Email Activity", NETWORK: "Network Activity"}
_NETWORK = {
    Kind.ABORTED: FAIL, Kind.CONNECT: OPEN, Kind.DISCONNECT: CLOSE, Kind.DROPPED: REFUSE, Kind.HANDSHAKE_FAILED: FAIL,
    Kind.RATE_LIMITED: REFUSE, Kind.SCREENED: OPEN, Kind.TLS: TRAFFIC, Kind.TLS_OUT: TRAFFIC,
}  # fmt: skip


def ecs(row: Row) -> Document:
    """One event as an ECS document; fields that the line does not tell are left out."""
    kind = _kind(row)
    version = str(row["tls"] or "")
    return _told(
        {
            "@timestamp": _moment(row["at"]),
            "ecs": {"version": ECS},
            "event": {
                "kind": "event", "module": "gatepost", "dataset": "gatepost.events", "action": kind.value,
                "category": _categories(kind), "type": _types(kind), "outcome": _outcome(row), "code": row["code"],
                "reason": row["reason"],
            },
            "host": {"name": row["host"]},
            "process": {"name": row["daemon"], "pid": row["pid"]},
            "network": {"protocol": row["service"], "transport": "tcp"},
            "source": {**_endpoint(row["client"], "address"), "port": row["client_port"], "domain": row["name"]},
            "destination": {**_endpoint(row["local"], "address"), "port": row["port"]},
            "user": {"name": row["user"]},
            "tls": {
                "version": _number(version), "version_protocol": _protocol(version), "cipher": row["cipher"],
                "curve": row["exchange"], "established": True if row["cover"] == Cover.TLS else None,
            },
            "email": {
                "local_id": row["queue"], "message_id": row["message_id"],
                "from": {"address": _list(row["sender"])}, "to": {"address": _list(row["recipient"])},
            },
            "labels": _labels(row),
        }
    )  # fmt: skip


def ocsf(row: Row) -> Document:
    """One event as an OCSF event of class 3002, 4009 or 4001; what the class requires is always there."""
    kind = _kind(row)
    uid = AUTHENTICATION if kind in LOGINS else EMAIL if kind in MESSAGES else NETWORK
    activity = _activity(uid, kind)
    status = {"success": SUCCESS, "failure": FAILURE}.get(_outcome(row), UNKNOWN)
    shared: Document = {
        "activity_id": activity, "activity_name": ACTIVITIES[uid][activity],
        "category_uid": uid // 1000, "class_uid": uid, "class_name": CLASSES[uid], "type_uid": uid * 100 + activity,
        "severity_id": 1, "status_id": status, "status_code": row["code"], "status_detail": row["reason"],
        "time": _milliseconds(row["at"]),
        "metadata": {
            "version": OCSF, "log_name": kind.value, "product": {"name": "gatepost", "vendor_name": "gatepost"},
        },
        "device": {"hostname": row["host"], "type_id": 0},
        "actor": {"process": {"name": row["daemon"], "pid": row["pid"]}},
        "src_endpoint": {**_endpoint(row["client"], "name"), "port": row["client_port"], "hostname": row["name"]},
        "dst_endpoint": {**_endpoint(row["local"], "name"), "port": row["port"]},
        "unmapped": _labels(row) | {"exchange": row["exchange"]},
    }  # fmt: skip
    own = {AUTHENTICATION: _authentication, EMAIL: _email, NETWORK: _network}[uid](row)
    return _told({**shared, **own}) | _required(uid, row)


FORMATS: dict[str, Callable[[Row], Document]] = {"ecs": ecs, "ocsf": ocsf}


def _authentication(row: Row) -> Document:
    clear = {Cover.NONE: True, Cover.TLS: False, Cover.OUTSIDE: False}.get(Cover(str(row["cover"] or "")))
    return {
        "auth_protocol_id": OTHER if row["method"] else UNKNOWN,
        "auth_protocol": row["method"],
        "is_cleartext": clear,
        "is_remote": row["cover"] != Cover.LOCAL,
        "service": {"name": row["service"]},
    }


def _email(row: Row) -> Document:
    return {
        "smtp_from": row["sender"],
        "smtp_to": _list(row["recipient"]),
        "smtp_hello": row["helo"],
        "message_trace_uid": row["queue"],
    }


def _network(row: Row) -> Document:
    return {
        "connection_info": {
            "protocol_name": "tcp", "protocol_num": 6, "direction_id": OUTBOUND if _outward(row) else INBOUND,
        },
        "app_name": row["service"],
        "tls": {"version": row["tls"], "cipher": row["cipher"]} if row["tls"] else None,
    }  # fmt: skip


def _required(uid: int, row: Row) -> Document:
    """Fields without which a document is not valid, also where the line does not tell them."""
    if uid == AUTHENTICATION:
        return {"user": {"name": str(row["user"] or "unknown")}}
    if uid == EMAIL:
        email = {
            "from": row["sender"], "to": _list(row["recipient"]), "uid": row["queue"],
            "message_uid": row["message_id"], "size": row["size"],
        }  # fmt: skip
        return {
            "direction_id": OUTBOUND if _outward(row) else INBOUND if row["client"] else UNKNOWN,
            "email": _told(email),
        }
    return {}


def _kind(row: Row) -> Kind:
    try:
        return Kind(str(row["kind"]))
    except ValueError:
        return Kind.UNKNOWN


def _activity(uid: int, kind: Kind) -> int:
    if uid == AUTHENTICATION:
        return LOGOFF if kind is Kind.LOGOUT else LOGON
    if uid == EMAIL:
        sent = {Kind.DELIVERY: SEND, Kind.ACCEPTED: RECEIVE, Kind.REJECTED: RECEIVE, Kind.SAVED: RECEIVE}
        return sent.get(kind, OTHER)
    return _NETWORK.get(kind, OTHER)


def _categories(kind: Kind) -> list[str]:
    if kind in LOGINS:
        return ["authentication"]
    return ["email"] if kind in MESSAGES else ["network"]


def _types(kind: Kind) -> list[str]:
    if kind in {Kind.LOGIN, Kind.CONNECT}:
        return ["start"]
    if kind in {Kind.LOGOUT, Kind.DISCONNECT}:
        return ["end"]
    return ["denied"] if kind in {Kind.REJECTED, Kind.DROPPED, Kind.RATE_LIMITED} else ["info"]


def _outcome(row: Row) -> str:
    result = Result(str(row["result"] or ""))
    if result is Result.NONE:
        return "unknown"
    return "success" if result in GOOD else "failure"


def _outward(row: Row) -> bool:
    return _kind(row) in {Kind.DELIVERY, Kind.TLS_OUT}


def _endpoint(address: object, otherwise: str) -> Document:
    try:
        return {"ip": str(ipaddress.ip_address(str(address)))}
    except ValueError:
        return {otherwise: address}


def _labels(row: Row) -> Document:
    return {
        "sasl_mechanism": row["method"], "cover": row["cover"], "helo": row["helo"], "relay": row["relay"],
        "session": row["session"], "commands": row["commands"],
    }  # fmt: skip


def _number(version: str) -> str:
    """TLSv1.2 is 1.2, TLSv1 is 1.0, SSLv3 is 3.0."""
    number = version.upper().removeprefix("TLSV").removeprefix("SSLV")
    return number if "." in number or not number else f"{number}.0"


def _protocol(version: str) -> str:
    return version[:3].lower() if version else ""


def _list(value: object) -> list[object]:
    return [value] if value else []


def _moment(at: object) -> str:
    return _time(at).isoformat(timespec="microseconds").replace("+00:00", "Z") if at is not None else ""


def _milliseconds(at: object) -> int | None:
    return None if at is None else (_time(at) - EPOCH) // timedelta(milliseconds=1)


def _time(at: object) -> datetime:
    return at.astimezone(UTC) if isinstance(at, datetime) else EPOCH + timedelta(microseconds=int(str(at)))


def _told(document: Document) -> Document:
    """Without what is empty, at any depth."""
    found = {}
    for name, value in document.items():
        kept = _told(value) if isinstance(value, dict) else value
        if kept is not None and kept not in ("", [], {}):
            found[name] = kept
    return found

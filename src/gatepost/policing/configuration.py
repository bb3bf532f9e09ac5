"""The settings with which Postfix and Dovecot ask policyd, and go on without it when it is not there."""

from __future__ import annotations

ATTRIBUTES_23 = (
    "login=%{requested_username} pwhash=%{hashed_password} remote=%{rip} device_id=%{client_id} protocol=%s"
    " session_id=%{session} local_port=%{lport}"
)
TIMEOUT = 3  # seconds a login waits for us at most
AHEAD = 10  # seconds a recipient does: Postfix's own default is 100


def dovecot(url: str, nonce: str, secret: str, *, version: tuple[int, int] = (2, 3)) -> str:
    """For conf.d. The nonce makes the digests worthless to whoever reads them elsewhere.

    Twelve bits of digest tell one password from another often enough, and say next to nothing of either.
    """
    header = f'"Authorization: {secret}"' if version >= (2, 4) else f"Authorization: {secret}"
    shared = (
        f"auth_policy_server_url = {url}",
        f"auth_policy_server_api_header = {header}" if secret else "",
        f"auth_policy_hash_nonce = {nonce}",
        "auth_policy_hash_truncate = 12",
        "auth_policy_reject_on_fail = no",
    )
    return "\n".join(line for line in (*shared, *_attributes(version)) if line)


def postfix(at: str) -> str:
    """For main.cf: `at` is a path or address:port. DUNNO by default, so that mail goes on without us."""
    service = f"unix:{at}" if "/" in at else f"inet:{at}"
    return "\n".join(
        (
            "smtpd_recipient_restrictions =",
            f"    check_policy_service {{ {service}, timeout={AHEAD}s, default_action=DUNNO }}",
            "    # … followed by the restrictions you have",
        )
    )


def _attributes(version: tuple[int, int]) -> tuple[str, ...]:
    if version < (2, 4):
        return (
            f"auth_policy_server_timeout_msecs = {TIMEOUT * 1000}",
            f"auth_policy_request_attributes = {ATTRIBUTES_23}",
        )
    return (
        "auth_policy {",
        f"  http_client_request_absolute_timeout = {TIMEOUT}s",
        "}",
        "auth_policy_request_attributes {",
        "  login = %{requested_username}",
        "  pwhash = %{hashed_password}",
        "  remote = %{remote_ip}",
        "  device_id = %{client_id}",
        "  protocol = %{protocol}",
        "  session_id = %{session}",
        "  local_port = %{local_port}",
        "}",
    )

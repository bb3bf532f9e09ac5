"""Dovecot of the lab: an instance per site, since LMTP knows only one certificate per instance."""

from __future__ import annotations

from pathlib import Path

from lab.daemons import master
from lab.places import program, run
from lab.site import DOVECOT_PORTS, Site

TEMPLATE = """\
base_dir = {home}/run
instance_name = {name}
log_path = {home}/dovecot.log
listen = {address}
protocols = imap pop3 sieve lmtp
import_environment = TZ OPENSSL_CONF={home}/../openssl.cnf
default_vsz_limit = 512M
login_greeting = ready
mail_location = maildir:{home}/mail/%u
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
auth_mechanisms = plain
disable_plaintext_auth = yes
login_trusted_networks =
ssl = required
ssl_cert = <{chain}
ssl_key = <{chain}
ssl_min_protocol = TLSv1.2
ssl_cipher_list = ECDHE+AESGCM:ECDHE+CHACHA20
ssl_prefer_server_ciphers = yes
ssl_options = no_compression
passdb {{
  driver = passwd-file
  args = {users}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={home}/mail/%u
}}
service auth {{
  unix_listener {socket} {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = {address}
    port = 24
  }}
}}
{logins}
"""
LOGIN = """\
service {name}-login {{
  service_count = {count}
}}
"""


def write(
    home: Path, site: Site, papers: dict[tuple[str, int], Path], users: Path, socket: Path, *, stock: bool
) -> None:
    """`stock` keeps Dovecot's way of one login process per connection; otherwise one serves many."""
    home.mkdir(parents=True, exist_ok=True)
    logins = "".join(LOGIN.format(name=n, count=1 if stock else 0) for n in ("imap", "pop3", "managesieve"))
    text = TEMPLATE.format(
        home=home,
        name=f"gatepost-{home.parent.name}-{site.address}",
        address=site.address,
        chain=papers[site.name, 0],
        users=users,
        socket=socket,
        logins=logins,
    )
    (home / "dovecot.conf").write_text(text + _protocols(site, papers) + site.dovecot)


def _protocols(site: Site, papers: dict[tuple[str, int], Path]) -> str:
    """Certificates of their own: per protocol, not per port, is all that Dovecot offers."""
    return "".join(
        f"protocol {protocol} {{\n  ssl_cert = <{papers[site.name, port]}\n  ssl_key = <{papers[site.name, port]}\n}}\n"
        for port, protocol in DOVECOT_PORTS.items()
        if (site.name, port) in papers
    )


def start(home: Path) -> None:
    if running(home) is None:
        run(program("dovecot"), "-c", str(home / "dovecot.conf"))


def running(home: Path) -> int | None:
    return master(home / "run" / "master.pid", b"dovecot")

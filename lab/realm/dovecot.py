"""Dovecot of a realm: dovecot.conf and a conf.d as Debian lays it out."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from lab.daemons import master
from lab.places import program, run
from lab.realm.ground import PUBLIC
from lab.realm.mistakes import ALL, Where, spoilt

SOUND = {
    "listen": ", ".join((*PUBLIC, "127.0.0.1", "::1")),
    "disable_plaintext_auth": "yes",
    "auth_mechanisms": "plain login",
    "auth_verbose": "yes",
    "ssl": "required",
    "ssl_min_protocol": "TLSv1.2",
    "ssl_cipher_list": "ECDHE+AESGCM:ECDHE+CHACHA20",
    "ssl_prefer_server_ciphers": "yes",
    "login_log_format_elements": "user=<%u> method=%m rip=%r lip=%l lport=%{lport} mpid=%e %c %k session=<%{session}>",
    "mail_plugins": "notify mail_log",
    "mail_max_userip_connections": "20",
    "pop3_port": "0",
    "sieve_plugins": "",
    "exporter": "yes",
}

# Which file a setting stands in; what is not here is written inside a block.
FILES = {
    "dovecot.conf": ("listen",),
    "conf.d/10-auth.conf": (
        "disable_plaintext_auth", "auth_mechanisms", "auth_failure_delay", "auth_cache_size", "auth_cache_ttl",
        "auth_master_user_separator", "login_trusted_networks", "haproxy_trusted_networks",
    ),
    "conf.d/10-logging.conf": (
        "auth_verbose", "auth_verbose_passwords", "auth_debug_passwords", "login_log_format_elements",
    ),
    "conf.d/10-mail.conf": ("mail_plugins", "mail_max_userip_connections", "mail_full_filesystem_access"),
    "conf.d/10-master.conf": ("doveadm_password",),
    "conf.d/10-ssl.conf": ("ssl", "ssl_min_protocol", "ssl_cipher_list", "ssl_prefer_server_ciphers"),
}  # fmt: skip

HEAD = """\
base_dir = {home}/run
instance_name = {name}
protocols = imap pop3 sieve lmtp
import_environment = TZ OPENSSL_CONF={openssl}
"""
TAIL = """\
!include conf.d/*.conf
!include_try local.conf
"""
AUTH = """\
passdb {{
  driver = passwd-file
  args = {users}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={home}/mail/%n
}}
auth_username_format = %n
"""
MAIL = """\
mail_location = maildir:{home}/mail/%n
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
"""
SSL = """\
ssl_cert = <{papers}/chain.pem
ssl_key = <{papers}/key.pem
ssl_options = no_compression
"""
MASTER = """\
default_vsz_limit = 512M
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3_port}
  }}
}}
service auth {{
  unix_listener {queue}/private/auth {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
service lmtp {{
  unix_listener {queue}/private/dovecot-lmtp {{
    mode = 0600
    user = postfix
    group = postfix
  }}
}}
"""
READS = """\
event_exporter reads {
  format = json
  format_args = time-rfc3339
  transport = log
}
metric reads {
  exporter = reads
  filter = event=imap_command_finished and (cmd_name=FETCH or cmd_name="UID FETCH")
}
plugin {
  mail_log_events = delete undelete expunge copy save flag_change
  mail_log_fields = uid box msgid size
}
"""
SIEVE = """\
plugin {{
  sieve = file:~/sieve;active=~/.dovecot.sieve
  sieve_plugins = {sieve_plugins}
}}
"""


def write(home: Path, places: Mapping[str, object], *, sound: bool) -> None:
    """`places`: papers, queue, users, openssl, and the secret of the administration port."""
    (home / "conf.d").mkdir(parents=True, exist_ok=True)
    (home / "mail").mkdir(mode=0o700, exist_ok=True)
    shutil.chown(home / "mail", "nobody", "nogroup")
    settings = dict(SOUND) if sound else spoilt(SOUND, Where.DOVECOT)
    written = {name: value.replace("{secret}", str(places["secret"])) for name, value in settings.items()}
    words = {**places, "home": home, **written}
    blocks = "" if sound else "".join(m.value or "" for m in ALL if m.where is Where.DOVECOT_BLOCK)
    texts = {
        "dovecot.conf": HEAD.format(name=f"gatepost-{home.parent.name}", **words),
        "conf.d/10-auth.conf": AUTH.format(**words),
        "conf.d/10-logging.conf": f"log_path = {home}/dovecot.log\n" + (READS if "exporter" in written else ""),
        "conf.d/10-mail.conf": MAIL.format(**words),
        "conf.d/10-master.conf": MASTER.format(**words) + blocks,
        "conf.d/10-ssl.conf": SSL.format(**words),
        "conf.d/90-sieve.conf": SIEVE.format(**words),
    }
    for file, text in texts.items():
        own = "".join(f"{name} = {written[name]}\n" for name in FILES.get(file, ()) if name in written)
        (home / file).write_text(text + own + (TAIL if file == "dovecot.conf" else ""))


def start(home: Path, inside: tuple[str, ...]) -> None:
    run(*inside, program("dovecot"), "-c", str(home / "dovecot.conf"))


def running(home: Path) -> int | None:
    return master(home / "run" / "master.pid", b"dovecot")

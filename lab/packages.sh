#!/bin/sh
# Installs the real servers of the lab (Debian, as root); anywhere else it only says what will be skipped.
set -eu
WANTED="postfix dovecot-imapd dovecot-pop3d dovecot-managesieved dovecot-lmtpd dovecot-sieve knot knot-dnssecutils nsd unbound libunbound8 bind9-utils nftables iptables iproute2 openssh-server openssh-client"

have() { command -v "$1" > /dev/null 2>&1; }
PATH="$PATH:/usr/sbin:/sbin"
have rustc || WANTED="$WANTED rustc"

missing() {
  for name in $WANTED; do
    dpkg-query -W -f '${Status}\n' "$name" 2> /dev/null | grep -q '^install ok installed' || echo "$name"
  done
}

if ! have dpkg-query || ! have apt-get; then
  echo "lab: not a Debian system, so the tests on real servers will be skipped" >&2
  exit 0
fi
absent=$(missing)
[ -n "$absent" ] || exit 0
if [ "$(id -u)" != 0 ]; then
  echo "lab: not root and not installed:" $absent "- the tests on real servers will be skipped" >&2
  exit 0
fi

# The packages must not start the system's own servers: the lab brings its own configuration.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' > "$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! { apt-get install -y --no-install-recommends $absent || { apt-get update && apt-get install -y --no-install-recommends $absent; }; } > "$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "lab: could not install:" $absent "- the tests on real servers will be skipped" >&2
fi
rm -f "$log"
if have systemctl && [ -d /run/systemd/system ]; then
  systemctl --quiet disable postfix.service dovecot.service dovecot.socket 2> /dev/null || true
  for name in $absent; do
    case $name in knot | nsd | unbound) systemctl --quiet disable "$name.service" 2> /dev/null || true ;; esac
  done
fi

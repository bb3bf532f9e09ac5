"""Mail domains as they are published in the world, in the form of zone files.

Each is typical of one way of running mail: names and addresses are invented (the addresses are ordinary public ones,
since documentation networks are no place for an exchanger), the shapes are those of the providers' own instructions.
`SIGNED` are the zones whose answers a validating resolver calls authentic.
"""

# ruff: noqa: E501 - records are as long as they are

from __future__ import annotations

import base64
import re

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SIGNED = ("box.example.", "cow.example.")


def _rsa(bits: int) -> str:
    return base64.b64encode(
        rsa.generate_private_key(65537, bits).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).decode()


ED25519 = base64.b64encode(
    ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
).decode()


def strings(text: str) -> str:
    """A long text as the strings of one TXT record, as name servers print it."""
    return " ".join(f'"{one}"' for one in re.findall(".{1,255}", text))


RSA = strings(f"v=DKIM1; k=rsa; p={_rsa(2048)}")
RSA_1024 = strings(f"v=DKIM1; k=rsa; p={_rsa(1024)}")
RSA_4096 = strings(f"v=DKIM1; k=rsa; p={_rsa(4096)}")
VERIFICATIONS = "\n".join(f'@ TXT "service{n}-site-verification={n:032x}"' for n in range(30))

PROVIDERS = """
$ORIGIN google.com.
smtp                   A      142.250.102.27
smtp                   AAAA   2607:f8b0:4023:1::1b
_spf                   TXT    "v=spf1 include:_netblocks.google.com include:_netblocks2.google.com include:_netblocks3.google.com ~all"
_netblocks             TXT    "v=spf1 ip4:35.190.247.0/24 ip4:64.233.160.0/19 ip4:66.102.0.0/20 ip4:72.14.192.0/18 ip4:74.125.0.0/16 ip4:108.177.8.0/21 ip4:173.194.0.0/16 ip4:209.85.128.0/17 ip4:216.58.192.0/19 ip4:216.239.32.0/19 ~all"
_netblocks2            TXT    "v=spf1 ip6:2001:4860:4000::/36 ip6:2404:6800:4000::/36 ip6:2607:f8b0:4000::/36 ip6:2800:3f0:4000::/36 ip6:2a00:1450:4000::/36 ip6:2c0f:fb50:4000::/36 ~all"
_netblocks3            TXT    "v=spf1 ip4:172.217.0.0/19 ip4:172.217.32.0/20 ip4:172.217.128.0/19 ip4:172.217.160.0/20 ip4:172.217.192.0/19 ip4:108.177.96.0/19 ip4:35.191.0.0/16 ip4:130.211.0.0/22 ~all"
$ORIGIN outlook.com.
spf.protection         TXT    "v=spf1 ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:52.100.0.0/15 ip4:52.102.0.0/16 ip4:52.103.0.0/17 ip4:104.47.0.0/17 ip6:2a01:111:f400::/48 ip6:2a01:111:f403::/49 ip6:2a01:111:f403:8000::/51 ip6:2a01:111:f403:c000::/51 ip6:2a01:111:f403:f000::/52 -all"
tenant-example.mail.protection A 52.101.68.3
tenant-example.mail.protection A 52.101.73.9
autodiscover           A      52.96.165.8
$ORIGIN mail.tenant.onmicrosoft.com.
selector1-tenant-example._domainkey TXT %RSA%
selector2-tenant-example._domainkey TXT "v=DKIM1; k=rsa; p="
$ORIGIN crm.example.
_spf                   TXT    "v=spf1 exists:%{i}._spf.mta.crm.example -all"
*._spf.mta             A      127.0.0.2
$ORIGIN letters.example.
servers                TXT    "v=spf1 ip4:205.201.128.0/20 ip4:198.2.128.0/18 ip4:148.105.8.0/21 -all"
dkim2                  TXT    %RSA%
dkim3                  TXT    %RSA%
$ORIGIN tickets.example.
mail                   TXT    "v=spf1 ip4:192.161.144.0/20 ip4:185.12.80.0/22 ip4:96.46.150.192/27 ip4:174.137.46.0/24 -all"
$ORIGIN sender.example.
@                      TXT    "v=spf1 ip4:167.89.0.0/17 ip4:208.117.48.0/20 ip4:50.31.32.0/19 ip4:198.37.144.0/20 -all"
$ORIGIN proton.ch.
mail                   A      185.70.42.128
mailsec                A      185.70.42.129
protonmail.domainkey.dx7t5.domains TXT %RSA%
protonmail2.domainkey.dx7t5.domains TXT %RSA%
protonmail3.domainkey.dx7t5.domains TXT %RSA%
_spf.protonmail        TXT    "v=spf1 ip4:185.70.40.0/24 ip4:185.70.41.0/24 ip4:51.77.79.158 ip4:79.135.106.0/24 ip6:2001:67c:2050::/48 ~all"
$ORIGIN messagingengine.com.
in1-smtp               A      103.168.172.218
in2-smtp               A      202.12.124.218
spf                    TXT    "v=spf1 ip4:66.111.4.25 ip4:66.111.4.26 ip4:103.168.172.128/27 ip4:202.12.124.128/27 ?all"
$ORIGIN fmhosted.example.
fm1.quick.example.dkim TXT %RSA%
fm2.quick.example.dkim TXT %RSA%
fm3.quick.example.dkim TXT %RSA%
$ORIGIN kundenserver.example.
mx00                   A      212.227.15.41
mx01                   A      217.72.192.67
_spf                   TXT    "v=spf1 ip4:212.227.126.128/25 ip4:212.227.15.0/25 ip4:212.227.17.0/27 ip4:217.72.192.64/26 ?all"
_spf-eu                TXT    "v=spf1 ip4:82.165.159.0/26 ip6:2001:8d8:fd00::/44 ?all"
s1-ionos._domainkey    TXT    %RSA%
s2-ionos._domainkey    TXT    %RSA%
$ORIGIN analyser.example.
tenant.example._report._dmarc TXT "v=DMARC1;"
*._report._dmarc       TXT    "v=DMARC1"
""".replace("%RSA%", RSA)

GOOGLE = """
$ORIGIN workspace.example.
@                      MX     1 smtp.google.com.
@                      TXT    "v=spf1 include:_spf.google.com ~all"
@                      TXT    "google-site-verification=Zb5Wm0pQy0Xq6xkL1o7w2Hn3cJvT9rKs8dEuFgA4iYB"
@                      TXT    "MS=ms12345678"
@                      A      35.190.247.9
google._domainkey      TXT    %RSA%
_dmarc                 TXT    "v=DMARC1; p=none; rua=mailto:dmarc@workspace.example"
""".replace("%RSA%", RSA)

MICROSOFT = """
$ORIGIN tenant.example.
@                      MX     0 tenant-example.mail.protection.outlook.com.
@                      TXT    "v=spf1 include:spf.protection.outlook.com include:_spf.crm.example include:servers.letters.example include:mail.tickets.example include:sender.example -all"
@                      TXT    "MS=ms98765432"
autodiscover           CNAME  autodiscover.outlook.com.
selector1._domainkey   CNAME  selector1-tenant-example._domainkey.mail.tenant.onmicrosoft.com.
selector2._domainkey   CNAME  selector2-tenant-example._domainkey.mail.tenant.onmicrosoft.com.
k2._domainkey          CNAME  dkim2.letters.example.
k3._domainkey          CNAME  dkim3.letters.example.
_dmarc                 TXT    "v=DMARC1; p=quarantine; pct=100; rua=mailto:x7f3@analyser.example; ruf=mailto:x7f3@analyser.example; fo=1"
_sip._tls              SRV    100 1 443 sipdir.online.lync.com.
_sipfederationtls._tcp SRV    100 1 5061 sipfed.online.lync.com.
"""

PROTON = """
$ORIGIN secret.example.
@                      MX     10 mail.proton.ch.
@                      MX     20 mailsec.proton.ch.
@                      TXT    "protonmail-verification=0f343c1931bad4b5dab3c7a1d1f9bd5bd7e61f6f"
@                      TXT    "v=spf1 include:_spf.protonmail.proton.ch ~all"
protonmail._domainkey  CNAME  protonmail.domainkey.dx7t5.domains.proton.ch.
protonmail2._domainkey CNAME  protonmail2.domainkey.dx7t5.domains.proton.ch.
protonmail3._domainkey CNAME  protonmail3.domainkey.dx7t5.domains.proton.ch.
_dmarc                 TXT    "v=DMARC1; p=quarantine"
"""

FASTMAIL = """
$ORIGIN quick.example.
@                      MX     10 in1-smtp.messagingengine.com.
@                      MX     20 in2-smtp.messagingengine.com.
*                      MX     10 in1-smtp.messagingengine.com.
*                      MX     20 in2-smtp.messagingengine.com.
@                      TXT    "v=spf1 include:spf.messagingengine.com ?all"
fm1._domainkey         CNAME  fm1.quick.example.dkim.fmhosted.example.
fm2._domainkey         CNAME  fm2.quick.example.dkim.fmhosted.example.
fm3._domainkey         CNAME  fm3.quick.example.dkim.fmhosted.example.
_dmarc                 TXT    "v=DMARC1; p=none;"
_submission._tcp       SRV    0 0 0 .
_imap._tcp             SRV    0 0 0 .
_pop3._tcp             SRV    0 0 0 .
"""

BOX = """
$ORIGIN box.example.
@                      MX     10 mx.box.example.
@                      TXT    "v=spf1 mx -all"
@                      CAA    0 issue "letsencrypt.org; accounturi=https://acme-v02.api.letsencrypt.org/acme/acct/123456; validationmethods=dns-01"
@                      CAA    0 issuewild ";"
@                      CAA    0 iodef "mailto:hostmaster@box.example"
mx                     A      95.216.3.77
mx                     AAAA   2a01:4f9:2a:1f03::2
_25._tcp.mx            TLSA   3 1 1 0d3b5a4ee33e57dc3b16c7a1a1c6fdd8b5fdd1b1f3f5c8f7b9cb1e3a5e2d4c6f
_25._tcp.mx            TLSA   2 1 1 276fe8a8c4ec7611565bf9fce6dcace9be320c1b5bea27596b2204071ed04f10
202611._domainkey      TXT    %RSA%
mail._domainkey        TXT    %RSA%
_dmarc                 TXT    "v=DMARC1; p=reject; rua=mailto:dmarc@box.example"
_mta-sts               TXT    "v=STSv1; id=20261101000000Z;"
mta-sts                CNAME  mx.box.example.
_smtp._tls             TXT    "v=TLSRPTv1; rua=mailto:tlsrpt@box.example,https://reports.example/v1/tlsrpt"
""".replace("%RSA%", RSA)

COW = """
$ORIGIN cow.example.
@                      MX     10 mail.cow.example.
@                      TXT    "v=spf1 mx a -all"
@                      A      78.47.10.10
mail                   A      78.47.10.11
mail                   AAAA   2a01:4f8:c2c:1::11
autodiscover           CNAME  mail.cow.example.
autoconfig             CNAME  mail.cow.example.
dkim._domainkey        TXT    %RSA%
_dmarc                 TXT    "v=DMARC1; p=reject; rua=mailto:mailauth-reports@cow.example"
_25._tcp.mail          TLSA   3 1 1 5d3b5a4ee33e57dc3b16c7a1a1c6fdd8b5fdd1b1f3f5c8f7b9cb1e3a5e2d4c6f
_autodiscover._tcp     SRV    0 1 443 mail.cow.example.
_imaps._tcp            SRV    0 1 993 mail.cow.example.
_pop3s._tcp            SRV    0 1 995 mail.cow.example.
_submissions._tcp      SRV    0 1 465 mail.cow.example.
_sieve._tcp            SRV    0 1 4190 mail.cow.example.
""".replace("%RSA%", RSA.replace("v=DKIM1; k=rsa; p=", "v=DKIM1;k=rsa;t=s;s=email;p="))

UNIVERSITY = """
$ORIGIN uni.example.
@                      MX     10 mx1.uni.example.
@                      MX     10 mx2.uni.example.
@                      TXT    "v=spf1 ip4:129.206.0.0/16 ip4:147.142.0.0/16 include:_spf.google.com -all"
mx1                    A      129.206.100.212
mx2                    A      129.206.119.212
mx1                    AAAA   2001:7c0:2e15:a::1
_dmarc                 TXT    "v=DMARC1; p=none; sp=none; rua=mailto:dmarc@uni.example"
cs                     MX     10 mx1.uni.example.
cs                     TXT    "v=spf1 redirect=uni.example"
physics                MX     10 mail.physics.uni.example.
mail.physics           A      129.206.22.3
www                    A      129.206.7.7
"""

GERMAN = """
$ORIGIN firma.example.
@                      MX     10 mx00.kundenserver.example.
@                      MX     10 mx01.kundenserver.example.
@                      TXT    "v=spf1 include:_spf-eu.kundenserver.example include:_spf.kundenserver.example ~all"
@                      A      217.160.0.77
@                      AAAA   2001:8d8:100f:f000::289
www                    A      217.160.0.77
autodiscover           CNAME  adsredir.ionos.info.
s1-ionos._domainkey    CNAME  s1-ionos._domainkey.kundenserver.example.
"""

PARKED = """
$ORIGIN parked.example.
@                      MX     0 .
@                      TXT    "v=spf1 -all"
*                      TXT    "v=spf1 -all"
*._domainkey           TXT    "v=DKIM1; p="
_dmarc                 TXT    "v=DMARC1; p=reject; sp=reject; adkim=s; aspf=s;"
@                      A      52.10.20.30
"""

FORGOTTEN = """
$ORIGIN forgotten.example.
@                      A      52.10.20.31
www                    A      52.10.20.31
*                      TXT    "Domain for sale, see https://parking.example"
"""

REDIRECT = """
$ORIGIN moved.example.
@                      MX     10 mx1.uni.example.
@                      TXT    "v=spf1 redirect=_spf.moved.example"
_spf                   TXT    "v=spf1 ip4:129.206.100.0/24 mx ~all"
_dmarc                 CNAME  _dmarc.uni.example.
default._domainkey     TXT    %RSA_1024%
""".replace("%RSA_1024%", RSA_1024)

SUFFIXES = """
$ORIGIN shop.co.uk.
@                      MX     10 mx00.kundenserver.example.
@                      TXT    "v=spf1 include:_spf.kundenserver.example -all"
_dmarc                 TXT    "v=DMARC1; p=reject; rua=mailto:dmarc@shop.co.uk"
news                   MX     10 mx00.kundenserver.example.
news                   TXT    "v=spf1 include:_spf.kundenserver.example -all"
$ORIGIN github.io.
project                A      185.199.108.153
project                TXT    "v=spf1 -all"
_dmarc.project         TXT    "v=DMARC1; p=reject"
"""

INTERNATIONAL = """
$ORIGIN xn--mller-kva.example.
@                      MX     10 mail.xn--mller-kva.example.
@                      TXT    "v=spf1 mx a:xn--bcher-kva.example ip4:78.47.10.12 -all"
mail                   A      78.47.10.12
_dmarc                 TXT    "v=DMARC1; p=quarantine; rua=mailto:dmarc@xn--mller-kva.example"
$ORIGIN xn--bcher-kva.example.
@                      A      78.47.10.13
"""

CROWDED = f"""
$ORIGIN crowded.example.
@                      MX     10 mx1.crowded.example.
mx1                    A      78.47.10.14
mx1                    AAAA   2a01:4f8:c2c:1::14
{VERIFICATIONS}
@                      TXT    "v=spf1 mx -all"
@                      TXT    "v=spf2.0/pra mx -all"
@                      TXT    "v=spf10 is not spf"
s1._domainkey          TXT    {RSA_4096}
s2._domainkey          TXT    "k=ed25519; p={ED25519}"
_dmarc                 TXT    "v=DMARC1; p=reject; rua=mailto:d@crowded.example;"
_dmarc                 TXT    "verification=7a5b"
"""

ODD = """
$ORIGIN odd.example.
@                      MX     10 mx1.odd.example.
mx1                    A      78.47.10.15
@                      TXT    "V=SPF1   IP4:78.47.10.15  Mx:ODD.example   -ALL "
s1._domainkey          TXT    %RSA%
_dmarc                 TXT    "v=DMARC1 ;p=REJECT ; x-note=moved;; rua=mailto:D@Odd.Example!10m;;;"
_smtp._tls             TXT    "v=TLSRPTv1;rua=mailto:tls@odd.example , mailto:tls@analyser.example;"
""".replace("%RSA%", RSA.replace("v=DKIM1; k=rsa; p=", "v=DKIM1 ; n=2026 ; k=rsa ; p = "))

WILD = """
$ORIGIN wild.example.
@                      MX     10 mx1.wild.example.
@                      TXT    "v=spf1 mx ~all"
*                      TXT    "v=spf1 mx ~all"
*                      TXT    "google-site-verification=abcdefgh"
*                      TXT    "MS=ms11112222"
*                      A      78.47.10.16
mx1                    A      78.47.10.16
"""

MANY = (
    "$ORIGIN many.example.\n"
    + "\n".join(
        f"@ MX {10 * n} mx{n}.many.example.\nmx{n} A 78.47.11.{n}\nmx{n} AAAA 2a01:4f8:c2c:2::{n}" for n in range(1, 11)
    )
    + """
@                      TXT    "v=spf1 ip4:78.47.11.0/24 -all"
mail._domainkey        TXT    %RSA%
_dmarc                 TXT    "v=DMARC1; p=reject; rua=mailto:d@many.example"
""".replace("%RSA%", RSA)
)

SIX = """
$ORIGIN six.example.
@                      MX     10 mx1.six.example.
mx1                    AAAA   2a01:4f8:c2c:3::25
@                      TXT    "v=spf1 ip6:2a01:4f8:c2c:3::/64 -all"
mail._domainkey        TXT    %RSA%
_dmarc                 TXT    "v=DMARC1; p=reject; rua=mailto:d@six.example"
""".replace("%RSA%", RSA)

REVERSE = """
$ORIGIN .
77.3.216.95.in-addr.arpa. PTR mx.box.example.
2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.3.0.f.1.a.2.0.0.9.f.4.0.1.0.a.2.ip6.arpa. PTR mx.box.example.
11.10.47.78.in-addr.arpa. PTR mail.cow.example.
"""

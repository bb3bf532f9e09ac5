"""Reports as senders write them, small enough to read."""

from __future__ import annotations

import json
from datetime import UTC, datetime

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
BEGIN = 1793491200  # 2026-11-01 00:00 UTC
END = BEGIN + 86399

LEGACY = f"""<?xml version="1.0" encoding="UTF-8" ?>
<feedback>
  <report_metadata>
    <org_name>google.com</org_name>
    <email>noreply-dmarc-support@google.com</email>
    <extra_contact_info>https://support.google.com/a/answer/2466580</extra_contact_info>
    <report_id>5717107811868587391</report_id>
    <date_range><begin>{BEGIN}</begin><end>{END}</end></date_range>
  </report_metadata>
  <policy_published>
    <domain>example.org</domain><adkim>r</adkim><aspf>r</aspf><p>none</p><sp>none</sp><pct>100</pct>
  </policy_published>
  <record>
    <row>
      <source_ip>192.0.2.25</source_ip>
      <count>3</count>
      <policy_evaluated>
        <disposition>none</disposition><dkim>fail</dkim><spf>pass</spf>
        <reason><type>forwarded</type><comment>looks &amp; feels</comment></reason>
      </policy_evaluated>
    </row>
    <identifiers><header_from>example.org</header_from></identifiers>
    <auth_results>
      <dkim><domain>list.example.net</domain><result>pass</result><selector>s1</selector></dkim>
      <spf><domain>example.org</domain><result>pass</result></spf>
    </auth_results>
  </record>
</feedback>
"""

CURRENT = f"""<?xml version="1.0"?>
<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0" xmlns:x="https://example.net/extension">
  <version>1.0</version>
  <report_metadata>
    <org_name>Sample Reporter</org_name>
    <email>report_sender@example-reporter.com</email>
    <extra_contact_info lang="en">...</extra_contact_info>
    <report_id>3v98abbp8ya9n3va8yr8oa3ya</report_id>
    <date_range><begin>{BEGIN}</begin><end>{END}</end></date_range>
    <error lang="en">two records at _dmarc.sub.example.org</error>
    <generator>Example Reporter v1.2</generator>
  </report_metadata>
  <policy_published>
    <domain>example.org</domain><p>quarantine</p><sp>none</sp><np>none</np><testing>n</testing>
    <discovery_method>treewalk</discovery_method>
  </policy_published>
  <extension><x:record><x:row><x:count>999</x:count></x:row></x:record></extension>
  <record>
    <row>
      <source_ip>2001:db8::25</source_ip>
      <count>123</count>
      <policy_evaluated>
        <disposition>pass</disposition><dkim>pass</dkim><spf>fail</spf>
        <reason><type>policy_test_mode</type></reason><reason><type>other</type><comment>x</comment></reason>
      </policy_evaluated>
    </row>
    <identifiers><envelope_from/><header_from>news.example.org</header_from></identifiers>
    <auth_results>
      <dkim><domain>example.org</domain><selector>abc123</selector><result>pass</result></dkim>
      <dkim><domain>esp.example</domain><selector>k2</selector><result>permerror</result></dkim>
      <spf><domain>bounce.esp.example</domain><scope>mfrom</scope><result>pass</result></spf>
    </auth_results>
    <x:note>seen at night</x:note>
  </record>
</feedback>
"""

TLS: dict[str, object] = {
    "organization-name": "Company-X",
    "date-range": {"start-datetime": "2026-11-01T00:00:00Z", "end-datetime": "2026-11-01T23:59:59Z"},
    "contact-info": "sts-reporting@company-x.example",
    "report-id": "5065427c-23d3-47ca-b6e0-946ea0e8c4be",
    "policies": [
        {
            "policy": {
                "policy-type": "sts",
                "policy-string": ["version: STSv1", "mode: testing", "mx: *.mail.example.org", "max_age: 86400"],
                "policy-domain": "example.org",
                "mx-host": ["*.mail.example.org"],
            },
            "summary": {"total-successful-session-count": 5326, "total-failure-session-count": 303},
            "failure-details": [
                {
                    "result-type": "certificate-expired",
                    "sending-mta-ip": "2001:db8:abcd:0012::1",
                    "receiving-mx-hostname": "mx1.mail.example.org",
                    "failed-session-count": 100,
                },
                {
                    "result-type": "starttls-not-supported",
                    "sending-mta-ip": "2001:db8:abcd:0013::1",
                    "receiving-mx-hostname": "mx2.mail.example.org",
                    "receiving-ip": "203.0.113.56",
                    "failed-session-count": 200,
                    "additional-information": "https://reports.company-x.example/report_info?id=5065427c",
                },
                {
                    "result-type": "validation-failure",
                    "sending-mta-ip": "198.51.100.62",
                    "receiving-ip": "203.0.113.58",
                    "receiving-mx-hostname": "mx-backup.mail.example.org",
                    "failed-session-count": 3,
                    "failure-reason-code": "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED",
                },
            ],
        }
    ],
}


def tls(**changes: object) -> bytes:
    return json.dumps(TLS | changes).encode()

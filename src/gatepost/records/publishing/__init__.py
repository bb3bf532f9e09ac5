"""Records to be published: what they say, what DNS lacks of them, in which order, and in which dialect.

record      one record, in the spelling of `model.dns.Answer`
known       what DNS was found to say, by name and kind
senders     SPF                    policies   DMARC, MTA-STS, TLS-RPT
keys        DKIM, TLSA             routes     MX, addresses, SRV, CAA
difference  wanted and known -> changes
order       changes -> steps, each with what comes before it and how long to wait
counsel     sentences: what to know, and what others have to publish
publication what goes in beside declaration and DNS, and what comes out
zonefile, nsupdate                 dialects: rendered, and read back
"""

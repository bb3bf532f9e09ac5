"""What other sites report about us: DMARC aggregate reports and TLS reports, read within bounds."""

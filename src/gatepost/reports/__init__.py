"""Reports that other sites send: DMARC aggregate reports and TLS reports, read within bounds."""

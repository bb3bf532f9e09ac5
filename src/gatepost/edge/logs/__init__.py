"""Where log lines come from: files, archives, journals, listeners; and the scanner that reads them in bulk."""

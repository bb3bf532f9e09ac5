"""What mail servers and hosts say of themselves, read into facts; and how their settings are written."""

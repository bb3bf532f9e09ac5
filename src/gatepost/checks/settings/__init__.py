"""Every row of the settings catalogue, judged at each place where the setting takes effect."""

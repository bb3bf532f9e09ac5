"""The parts of `declare`: shapes of `gatepost.toml`, line numbers, services from the catalogue, writing."""

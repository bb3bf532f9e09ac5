"""What the running rules let through, proved for all addresses at once.

The way through: `ruleset` and `overlay` read what nft and iptables list; `rules`, `matches`, `effects` and `xt` make
each rule understood once, with `values` and `tables` for its right-hand sides; `evaluation` turns a chain into `fates`
of address `regions` for one `packets`; `paths` leads a packet through the hooks within the `surroundings` of the host.
`proof` asks all that; `comparison`, `life` and `bans` put the questions, `tracing`, `causes` and `wording` the answers.
"""

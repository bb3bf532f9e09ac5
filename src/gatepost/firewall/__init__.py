"""From flows to rules, and from running rules back to flows."""

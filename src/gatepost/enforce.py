"""The enforcement story: what is desired, what is missing, in which order, and whether the promise was kept.

    plan    audit + declaration -> ordered steps, each with its undo
    kept    findings before and after -> None, or why it must be taken back

Both are pure. `edge.applying` does the steps.
"""

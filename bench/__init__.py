"""How fast the ledger is, as ratios to a hand-written floor measured beside it. See docs/bench.md."""

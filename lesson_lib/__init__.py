"""Backdoor by Hand: a two-layer ReLU net small enough to train, attack and inspect on paper."""

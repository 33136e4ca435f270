"""The pruning lab."""

"""The hand calculation lab."""

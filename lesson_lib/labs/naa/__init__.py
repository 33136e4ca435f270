"""The NAA lab."""

"""Numbers as they are written in pictures and in the words beside them."""

from math import isinf


def signed(value: float, decimals: int) -> str:
    """Return a number with its sign and this many decimals, +∞ and −∞ too; what rounds to 0 has no sign."""
    if isinf(value):
        return "+∞" if value > 0 else "−∞"
    return f"{value:+.{decimals}f}".replace("-", "−") if round(value, decimals) else "0"


def percent(share: float) -> str:
    """Return a share as 86.9 %."""
    return f"{100 * share:.1f} %"

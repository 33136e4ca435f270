"""The positions of sliders that several labs have."""

STEPS = (1, 1.1, 1.25, 1.4, 1.6, 1.8, 2, 2.25, 2.5, 2.8, 3.2, 3.6, 4, 4.5, 5, 5.6, 6.3, 7, 8, 9)  # in a power of ten
RATES = (*(round(step * 10.0**power, 6) for power in (-3, -2, -1, 0) for step in STEPS), 10.0)

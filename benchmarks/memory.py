"""A line of Python that prints the peak memory of the process that runs it."""

# The system's own peak goes first: getrusage counts what the parent needed before the process became another program.
PEAK = """\
try:
    print(next(int(line.split()[1]) / 1000 for line in open("/proc/self/status") if line.startswith("VmHWM")))
except OSError:
    import resource, sys
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1000))
"""

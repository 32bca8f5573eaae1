"""Speed and memory, as figures of one run and ratios within it."""

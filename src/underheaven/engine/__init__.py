"""How many lives at once: windows, threads, checkpoints."""

"""What happens between exchanges: institutions read the counts of a window and hand tables to the next.

They run on the host, one thread, with + - x / and Python's `math` only (NumPy's exp, log and pow give other
bits on other processors), and what they hand over is stored with the run.
"""

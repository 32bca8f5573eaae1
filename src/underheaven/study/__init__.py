"""What is learnt from a run: observers while it runs, findings afterwards."""

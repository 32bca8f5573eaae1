"""What the rules are: the schema of a regime file, its checks, its reader, and its compiled tables."""

"""Sections of a world file that one mechanism reads each."""

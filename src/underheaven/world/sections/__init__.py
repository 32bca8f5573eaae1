"""Sections of a world file that describe one mechanism each."""

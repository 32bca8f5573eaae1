"""Sections of a regime file that describe one mechanism each: what may be written, and what tables it becomes."""

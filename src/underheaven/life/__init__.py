"""One citizen's day: acts, sightings, records, standing, treatment, response, remedies, one stage a file.

`block` holds the order of a day; read it top to bottom as the model.  Nothing here knows what a regime is:
the stages see flat tables of whole numbers (`tables`) and columns (`state`).
"""

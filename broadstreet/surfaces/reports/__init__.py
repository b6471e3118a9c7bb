"""The report: an investigation, or one outbreak of it, as one file to hand over.

`telling` makes a `Report` (record.py), sections as data; `html` and `markdown` write it. Both say the same.
"""

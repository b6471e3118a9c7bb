"""Real crashes with known causes, made on the machine that runs this, and the score of every label against them.

It knows records, formats and sources only: what it scores is a table of cases that it is given.
"""

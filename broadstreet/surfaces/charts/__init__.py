"""Charts: frozen records in, SVG out, drawn for the width that is given.

A chart computes nothing: it places what it is told. The page says the same in words and in a table beside it, and
colour never says anything alone. docs: the look is that of Broad Street's pages everywhere, in a report too.
"""

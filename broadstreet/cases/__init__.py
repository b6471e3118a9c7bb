"""Readings of one crash become one case."""

"""Broad Street: core dump epidemiology."""

__version__ = "0.1.0"

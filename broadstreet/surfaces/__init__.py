"""Command line and formats of output: they present, and never compute."""

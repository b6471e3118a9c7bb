"""What reading costs, measured: `python -m bench`."""

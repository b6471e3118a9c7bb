"""From bytes to a machine state and circumstances, and a list of what was missing. No I/O."""

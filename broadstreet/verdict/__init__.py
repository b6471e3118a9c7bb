"""From an outbreak to what it argues for. `argument.argued` is the door."""

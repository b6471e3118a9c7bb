"""The second fleet generator: populations with known causes, which share no code with those that the lab makes."""

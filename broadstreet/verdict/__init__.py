"""From an outbreak to what it argues for. So far: the weights of single findings, as counted by the lab."""

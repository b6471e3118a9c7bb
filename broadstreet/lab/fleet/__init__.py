"""A simulated fleet on which real crashes are placed: what is true of it is declared in a scenario."""

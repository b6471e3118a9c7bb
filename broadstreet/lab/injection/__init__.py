"""One fault put by ptrace into an unmodified program that runs, and what it then dies of."""

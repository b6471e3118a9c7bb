"""Real crashes of unmodified programs, by one fault put in with ptrace, and hand-made imitators of hardware faults."""

"""Programs that crash by themselves, each by one known mechanism."""

"""The web: every answer as a page, from one process, with no network."""

"""Who is hit, since when, and whether one cause is two."""

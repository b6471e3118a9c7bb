"""The casebook: Delta Lake tables of what was read, and the questions that they answer."""

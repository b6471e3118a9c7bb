"""The nouns: frozen, without I/O."""

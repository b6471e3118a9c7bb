"""The shipped corpus."""

"""Where evidence and binaries come from: the only file and network reads."""

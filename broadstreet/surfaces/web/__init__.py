"""The casebook in a browser: `broadstreet serve`."""

"""Values and names as SQL has them. A literal cannot hold a NUL: it is put together around it."""

NUL = "' || chr(0) || '"


def text(value: str) -> str:
    """A text."""
    quoted = "'" + value.replace("'", "''").replace("\0", NUL) + "'"
    return f"({quoted})" if "\0" in value else quoted


def named(name: str) -> str:
    """A column by its name, which holds no NUL."""
    return '"' + name.replace('"', '""') + '"'

"""Which syndromes of an atlas a person means by a name."""

from broadstreet.store.atlas import Answer, Atlas, text


def syndromes_called(atlas: Atlas, name: str) -> Answer:
    """Those that people call so, else those whose id begins so: syndrome, name, cases, hosts, first, last."""
    return atlas.ask(
        f'SELECT syndrome, name, cases, hosts, "first", "last" FROM syndromes WHERE name = {text(name)} '
        f"OR starts_with(lower(syndrome), lower({text(name)}))\n"
        f"QUALIFY (name = {text(name)}) IS TRUE OR NOT bool_or((name = {text(name)}) IS TRUE) OVER () "
        "ORDER BY cases DESC, syndrome"
    )

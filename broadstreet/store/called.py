"""Which syndromes of an atlas a person means by a name, and which have most cases."""

from broadstreet.store.atlas import Answer, Atlas
from broadstreet.store.literals import text


def syndromes_called(atlas: Atlas, name: str) -> Answer:
    """Those that people call so, else those whose id begins so: syndrome, name, cases."""
    return atlas.ask(
        f"SELECT syndrome, name, cases FROM syndromes WHERE name = {text(name)} "
        f"OR starts_with(lower(syndrome), lower({text(name)}))\n"
        f"QUALIFY (name = {text(name)}) IS TRUE OR NOT bool_or((name = {text(name)}) IS TRUE) OVER () "
        "ORDER BY cases DESC, syndrome"
    )


def largest_syndromes(atlas: Atlas, most: int) -> Answer:
    """Those with most cases: syndrome, name, cases, hosts, mechanisms, and the innermost frame of their commonest."""
    return atlas.ask(
        "SELECT syndrome, name, cases, hosts, mechanisms, frames[1] AS site FROM syndromes "
        f"ORDER BY cases DESC, syndrome LIMIT {int(most)}"
    )

"""What is new in an atlas since a moment: asked by when it was read, for a core dump may come long after its crash."""

from datetime import datetime

from broadstreet.store.atlas import Answer, Atlas, moment

MOST = 50


def read_since(atlas: Atlas, since: datetime) -> Answer:
    """One row: cases that were read since, those of them in no syndrome, and the newest moment of reading."""
    return atlas.ask(
        f'SELECT count(*) FILTER ("added" >= {moment(since)}) AS cases, max("added") AS newest, '
        f'count(*) FILTER ("added" >= {moment(since)} AND "syndrome" IS NULL) AS without\nFROM crashes'
    )


def syndromes_since(atlas: Atlas, since: datetime) -> Answer:
    """Syndromes with new cases, the new ones first: syndrome, its commonest site and mechanism, new cases, all, and
    whether none was read before.

    Of the first; `of` says how many there are, `of_unseen` how many of these are new.
    """
    return atlas.ask(
        f'SELECT "syndrome", count(*) FILTER ("added" >= {moment(since)}) AS new, count(*) AS cases, '
        'mode("site") AS site, mode("mechanism") AS mechanism, '
        f'min("added") >= {moment(since)} AS unseen, count(*) OVER () AS of, '
        f'count(*) FILTER (min("added") >= {moment(since)}) OVER () AS of_unseen\n'
        'FROM crashes WHERE "syndrome" IS NOT NULL GROUP BY "syndrome"\n'
        f"HAVING new > 0 ORDER BY unseen DESC, new DESC, syndrome LIMIT {MOST}"
    )


def outbreaks_since(atlas: Atlas, since: datetime) -> Answer:
    """Outbreaks with new cases: id, new cases inside, and all of them."""
    return atlas.ask(
        f'SELECT m.outbreak, count(*) FILTER (c."added" >= {moment(since)}) AS new, count(*) AS cases\n'
        "FROM members m JOIN crashes c USING (number) WHERE m.\"of\" = 'inside' GROUP BY m.outbreak\n"
        "HAVING new > 0 ORDER BY new DESC, m.outbreak"
    )

"""`broadstreet modules`."""

import click

from broadstreet.surfaces.casebook_options import asked, casebook_option

FORMS = ("table", "json", "ndjson", "csv", "parquet")
SELECT = """SELECT count(DISTINCT case_id) AS cases, count(DISTINCT case_id) FILTER (found) AS with_binary,
    build_id, build_id_inferred, path FROM modules {where} GROUP BY ALL ORDER BY cases DESC, path, build_id"""
# For people: a build id as short as in `git log`, and the name of the file, for which there is room.
SHORT = """SELECT cases, with_binary AS "binary", left(coalesce(build_id, build_id_inferred), 12) AS build_id,
    build_id IS NULL AND build_id_inferred IS NOT NULL AS inferred, right(path, 36) AS path FROM ({all})"""


@click.command()
@click.option("--missing", is_flag=True, help="Only those whose binary was not at hand in some case.")
@click.option("-o", "form", type=click.Choice(FORMS), default="table", show_default=True, help="What to write.")
@casebook_option
def modules(missing: bool, form: str, casebook: str | None) -> None:
    """The programs and libraries of all cases, the commonest first.

    `build_id_inferred` is what other cases of the same service and release show at that path, where a core dump that
    was cut off does not tell it. It is for people: features and labels never read it.
    """
    from broadstreet.surfaces.rows_output import write_rows

    with asked(casebook) as questions:
        select = SELECT.format(where="WHERE NOT found AND NOT starts_with(path, '[')" if missing else "")
        write_rows(questions.ask(SHORT.format(all=select) if form == "table" else select), form)

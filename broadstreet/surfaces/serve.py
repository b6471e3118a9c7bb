"""`broadstreet serve`."""

import click

from broadstreet.errors import UsageError
from broadstreet.surfaces.casebook_options import casebook_option, chosen

PORT = 1854
MOST_PORT = 65_535


@click.command()
@click.option("--port", type=click.IntRange(0, MOST_PORT), default=PORT, show_default=True, help="0: any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at; this machine's only.")
@click.option(
    "--allow-host",
    "names",
    multiple=True,
    metavar="NAME",
    help="A name by which browsers ask for it, beside localhost; needed for any other --host. May be repeated.",
)
@click.option("--at", type=click.IntRange(0), metavar="N", help="Show version N of the casebook, as it was.")
@casebook_option
def serve(port: int, host: str, names: tuple[str, ...], at: int | None, casebook: str | None) -> None:
    """Show a casebook in a browser: the map, the curve, the cases and the verdicts.

    One process, which answers this machine only and asks nothing of any other. A newer version of the casebook is
    shown as soon as it is analysed. Stop it with Ctrl-C.
    """
    from broadstreet.surfaces.web.serving import listening, served

    url = chosen(casebook)
    if not names and host not in ("127.0.0.1", "localhost", "::1"):
        raise UsageError(
            f"{host} is not this machine alone: who can reach it would read every case, without a password",
            "If that is meant, name what browsers will call it: --allow-host NAME",
        )
    with listening(host, port) as there:
        served(there, url, at, names)

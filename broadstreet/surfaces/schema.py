"""`broadstreet schema`."""

import json

import click

from broadstreet.surfaces import case_json


@click.command()
def schema() -> None:
    """Print the JSON Schema of the cases that `read --json` and `scan -o json` write."""
    click.echo(json.dumps(case_json.schema(), indent=2))

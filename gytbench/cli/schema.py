"""`gytbench schema`: the prediction format as JSON Schema."""

import click


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of the prediction format."""
    import msgspec

    from gytbench.predictions import json_schema

    click.echo(msgspec.json.format(msgspec.json.encode(json_schema()), indent=2))

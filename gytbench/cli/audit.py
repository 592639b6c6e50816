"""`gytbench audit`: an annotation release held against rules."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gytbench.cli.options import json_option, videos_option
from gytbench.cli.text import one_line

if TYPE_CHECKING:
    from gytbench.audit import Audit


@click.command("audit")
@click.argument("data", type=click.Path(path_type=Path), metavar="[DIR]", required=False)
@json_option
@click.option(
    "--page",
    type=click.Path(path_type=Path),
    metavar="OUT.html",
    help="Write a page with pictures, which needs no network.",
)
@click.option(
    "--pictures",
    type=click.IntRange(0, 100),
    default=12,
    show_default=True,
    metavar="N",
    help="Pictures, or places, that the page shows of each rule.",
)
@videos_option
@click.option("--rules", "list_rules", is_flag=True, help="List the rules and what they mean.")
@click.option(
    "--error",
    "errors",
    multiple=True,
    metavar="RULE",
    help="Exit with code 1 where this rule finds something, or where files that it needs are "
    "missing; repeatable. `all`: where any rule finds something, of those that can be checked.",
)
@click.option(
    "--ignore", multiple=True, metavar="RULE", help="Leave this rule out, whatever else is said."
)
def command(
    data: Path | None,
    json_path: Path | None,
    page: Path | None,
    pictures: int,
    videos: Path | None,
    list_rules: bool,
    errors: tuple[str, ...],
    ignore: tuple[str, ...],
) -> None:
    """Check an annotation release for faults.

    DIR is the data folder [default: $GYTBENCH_DATA, then the cache]. Only
    seg.json and id2wh_new.json must be there; rules that lack a file are named
    as not checked. The exit code is 0 whatever is found, unless --error says
    otherwise; --ignore accepts a rule that cannot be checked.
    """
    from gytbench.audit import RULES, audit, audit_json, audit_table, choose_rules, read_release
    from gytbench.audit.audit import rules_table
    from gytbench.writing import write_whole

    if list_rules:
        click.echo(rules_table())
        return
    fatal = choose_rules(errors, RULES)
    named = choose_rules([each for each in errors if each != "all"], RULES)
    left_out = choose_rules(ignore, RULES)
    if videos is not None and page is None:
        raise click.UsageError("--videos is for the pictures of --page OUT.html")
    release = read_release(data)
    found = audit(release, left_out)
    if page is not None:
        from gytbench.audit.page import audit_page

        write_whole(page, audit_page(release, found, pictures, videos))
    alone = str(json_path) == "-"
    if json_path is not None:
        write_whole(json_path, audit_json(found))
    if not alone:
        click.echo("\n".join(map(one_line, audit_table(found).split("\n"))))
        click.echo(f"\nAll findings: {one_line(str(json_path)) if json_path else '--json OUT'}")
        click.echo(f"Pictures: {one_line(str(page)) if page else '--page OUT.html'}")
    _stop_for(found, fatal, named, alone)


def _stop_for(found: "Audit", fatal: frozenset[str], named: frozenset[str], alone: bool) -> None:
    """Exit with code 1, and say why on the last line, where --error asks for it.

    A fatal rule must find nothing; one that is named, not only meant by `all`, must
    have been checked as well, for a check that did not run would pass unnoticed.
    """
    outcomes = [each for each in found.outcomes if each.rule.id in fatal]
    unchecked = [each.rule.id for each in outcomes if not each.checked]
    passed_over = [rule for rule in unchecked if rule not in named]
    if passed_over:
        click.echo(f"warning: could not be checked: {', '.join(passed_over)}", err=True)
    broken = [f"{each.rule.id} ({len(each.findings):,})" for each in outcomes if each.findings]
    missed = [f"{rule} (could not be checked)" for rule in unchecked if rule in named]
    if broken or missed:
        click.echo(f"exit code 1 for --error: {', '.join(broken + missed)}", err=alone)
        raise SystemExit(1)

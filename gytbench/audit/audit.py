"""Holding a release against the rules, and what comes of it as a table and as JSON."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from tabulate import tabulate

# The first two are imported for the rules that they register.
from gytbench.audit import box_rules, segment_rules  # noqa: F401
from gytbench.audit.file_rules import CHECKSUMS, files_not_compared
from gytbench.audit.release import POINT_FILES, Release
from gytbench.audit.rules import Finding, Rule, registry
from gytbench.benchmark import BOX_FILES

FORMAT = "gytbench-audit/1"

EXPLAINED_ROWS = {
    "boxes": "boxes",
    "explained": "explained",
    "by_first_round_only": "by the first round only",
    "by_second_round_only": "by the second round only",
    "by_both_rounds": "by both rounds",
    "unexplained": "not explained",
    "without_point": "without a mean point",
}
"""The counts of `Explanation.counts` in words."""

RULES: Mapping[str, Rule] = registry.rules


@dataclass(frozen=True)
class Outcome:
    """What came of one rule."""

    rule: Rule
    findings: tuple[Finding, ...]
    not_checked: tuple[str, ...]
    """The files that are missing, so that the rule could not be held against them."""
    checked: bool
    """Whether it was held against anything."""

    @property
    def by_file(self) -> dict[str, int]:
        """Findings by the file that they are in."""
        return dict(Counter(finding.file for finding in self.findings))


@dataclass(frozen=True)
class Audit:
    """What came of all rules, and how the boxes of each release are explained."""

    outcomes: tuple[Outcome, ...]
    explained: tuple[dict[str, Any], ...]
    """A row for each box release: `release`, `file` and `Explanation.counts`."""
    explained_needs: tuple[str, ...]
    """The missing files for which rows lack."""


def audit(release: Release, ignore: Collection[str] = ()) -> Audit:
    """Hold the release against every rule but those to ignore (ids)."""
    chosen = [rule for rule in RULES.values() if rule.id not in ignore]
    rows = [
        {"release": name, "file": file, **release.explanations[file].counts()}
        for name, file in BOX_FILES.items()
        if release.points is not None and file in release.boxes
    ]
    lacking = (*POINT_FILES, *BOX_FILES.values())
    return Audit(
        tuple(_outcome(rule, release) for rule in chosen),
        tuple(rows),
        tuple(file for file in lacking if file not in release.present),
    )


def _outcome(rule: Rule, release: Release) -> Outcome:
    lacking = tuple(file for file in rule.needs if file not in release.present)
    absent = tuple(file for file in rule.each if file not in release.present)
    checked = not lacking and (not rule.each or len(absent) < len(rule.each))
    findings = tuple(Finding(rule.id, *found) for found in rule.check(release)) if checked else ()
    if rule.id == CHECKSUMS:
        absent = files_not_compared(release)
    return Outcome(rule, findings, lacking + absent, checked)


def audit_json(found: Audit) -> bytes:
    """The audit as JSON: all rules with their counts, all findings, the explained boxes."""
    rules = [
        {
            "id": outcome.rule.id,
            "meaning": outcome.rule.meaning,
            "checked": outcome.checked,
            "count": len(outcome.findings),
            "by_file": outcome.by_file,
            "not_checked": outcome.not_checked,
        }
        for outcome in found.outcomes
    ]
    findings = [finding._asdict() for outcome in found.outcomes for finding in outcome.findings]
    content = {
        "format": FORMAT,
        "rules": rules,
        "findings": findings,
        "explained": found.explained,
        "explained_needs": found.explained_needs,
    }
    return msgspec.json.encode(content) + b"\n"


def rules_table() -> str:
    """Every rule with its meaning."""
    rows = [(rule.id, rule.meaning) for rule in RULES.values()]
    return tabulate(rows, headers=("rule", "meaning"), maxcolwidths=[None, 72])


def audit_table(found: Audit) -> str:
    """The rules with their counts and examples, and the explained boxes below."""
    rows = [row for outcome in found.outcomes for row in _rows(outcome)]
    table = tabulate(
        rows,
        headers=("rule", "findings", "in", "for example"),
        colalign=("left", "right", "left", "left"),
        disable_numparse=True,
    )
    return "\n".join([table, "", *_not_checked(found), "", explained_table(found)])


def explained_table(found: Audit) -> str:
    """How many boxes of each release the rule of construction explains."""
    title = "Boxes explained by the rule of construction, by the round of the mean point:"
    lines = [title] if found.explained else []
    if found.explained:
        rows = [
            [name, *(f"{row[key]:,}" for row in found.explained)]
            for key, name in EXPLAINED_ROWS.items()
        ]
        headers = ["", *(row["release"] for row in found.explained)]
        aligned = ("left", *("right",) * len(found.explained))
        lines += [tabulate(rows, headers=headers, colalign=aligned, disable_numparse=True)]
    if found.explained_needs:
        lines += [f"Not checked: boxes against mean points: needs {shorten(found.explained_needs)}"]
    return "\n".join(lines)


def _rows(outcome: Outcome) -> list[tuple[str, str, str, str]]:
    """The lines of one rule: a file with its count and an example in each."""
    if not outcome.checked:
        return [(outcome.rule.id, "-", "not checked", "")]
    if not outcome.findings:
        return [(outcome.rule.id, "0", "", "")]
    rows: list[tuple[str, str, str, str]] = []
    for file, count in outcome.by_file.items():
        example = next(finding for finding in outcome.findings if finding.file == file)
        name = outcome.rule.id if not rows else ""
        rows.append((name, f"{count:,}", file, example.place))
    return rows


def _not_checked(found: Audit) -> list[str]:
    """A line for each set of files that rules lacked."""
    lacking: dict[tuple[str, ...], list[str]] = {}
    for outcome in found.outcomes:
        if outcome.not_checked:
            lacking.setdefault(outcome.not_checked, []).append(outcome.rule.id)
    if not lacking:
        return ["Every rule was checked."]
    return [
        f"Not checked: {', '.join(rules)}: needs {shorten(files)}"
        for files, rules in lacking.items()
    ]


def shorten(names: Sequence[str], limit: int = 6) -> str:
    """Names in one line, the first few of many."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more

"""A linter for annotation releases in the layout of GroundingYouTube.

`read_release` reads a folder, `audit` holds it against `RULES`, `explain` says
which boxes the rule of construction can have made.
"""

from gytbench.audit.audit import RULES, Audit, Outcome, audit, audit_json, audit_table
from gytbench.audit.explanation import Explanation, explain
from gytbench.audit.release import Release, read_release
from gytbench.audit.rules import Finding, Rule, choose_rules

__all__ = [
    "RULES",
    "Audit",
    "Explanation",
    "Finding",
    "Outcome",
    "Release",
    "Rule",
    "audit",
    "audit_json",
    "audit_table",
    "choose_rules",
    "explain",
    "read_release",
]

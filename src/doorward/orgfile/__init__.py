"""The organisation file: what it says is read, compared with what stands, and brought about in one transaction.

Owns the file's form and the plan. Has no rule of its own: every value is judged by the room that owns it.
Read `model.py` first for what a file may say, then `plan.py` (pure), `apply.py` and `export.py`.
"""

from __future__ import annotations

from doorward.orgfile.apply import Applied, apply, bring_about
from doorward.orgfile.desired import Desired, read_organization_files
from doorward.orgfile.export import export
from doorward.orgfile.plan import Plan, Prune
from doorward.orgfile.problems import BadFile, Problem

__all__ = [
    "Applied",
    "BadFile",
    "Desired",
    "Plan",
    "Problem",
    "Prune",
    "apply",
    "bring_about",
    "export",
    "read_organization_files",
]

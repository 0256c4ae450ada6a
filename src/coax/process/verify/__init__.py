"""Proof of the books: the invariants of an operator as queries over everything stored, and the rows that break them.

In: an operator. Out: one result per check with the first rows that break it, named by the codes that people know.
Invariants: nothing is changed; all checks see one state of the database, also while a run is posting.
"""

from coax.process.verify.checks import CHECKS, Check
from coax.process.verify.verify_tenant import CheckResult, verify_tenant

__all__ = ["CHECKS", "Check", "CheckResult", "verify_tenant"]

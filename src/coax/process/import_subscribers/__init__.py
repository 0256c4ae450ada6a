"""Import subscribers: a file of rows in (CSV, Parquet, NDJSON), accounts with subscriptions and services out.

Reading -> parsing -> checks against the configuration, among the rows and against what is stored -> contracts and
dates -> writing, chunk by chunk in one transaction. Invariants: every cell that is not understood is a problem
with its line; a file imported twice changes nothing; nothing stored is ever edited; no float.
"""

from coax.process.import_subscribers.columns import COLUMN_NAMES, COLUMNS
from coax.process.import_subscribers.outcome import ImportOutcome, write_report
from coax.process.import_subscribers.reading import ColumnsRefused, FileUnreadable
from coax.process.import_subscribers.use_case import import_subscribers

__all__ = [
    "COLUMNS",
    "COLUMN_NAMES",
    "ColumnsRefused",
    "FileUnreadable",
    "ImportOutcome",
    "import_subscribers",
    "write_report",
]

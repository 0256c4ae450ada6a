"""Import usage: a CSV file of what was used in, usage records and their charges out.

Reading (the form of every line) -> performing, chunk by chunk, each a transaction of its own. Invariants: with a bad
form anywhere nothing is recorded; what a source system has told before is recorded once, by its reference, so a file
that was interrupted or is imported again is simply imported again; whatever is refused is named by its line.
"""

from coax.process.import_usage.reading import COLUMN_NAMES, Fault, UsageFileRefused, UsageLine
from coax.process.import_usage.recording import Recorded, Refusal, record_usages
from coax.process.import_usage.use_case import ImportedUsage, import_usage

__all__ = [
    "COLUMN_NAMES",
    "Fault",
    "ImportedUsage",
    "Recorded",
    "Refusal",
    "UsageFileRefused",
    "UsageLine",
    "import_usage",
    "record_usages",
]

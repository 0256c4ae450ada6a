"""Generate subscribers that do not exist: configuration, number and seed in, an import file out.

Invariants: the same seed gives the same rows on every machine, in whatever blocks; every row passes the checks
of the import, which then takes the file like any other.
"""

from coax.process.generate.files import CountRefused, FileNotWritten, write_subscribers
from coax.process.generate.offers import NothingToSell
from coax.process.generate.subscribers import generate_subscribers

__all__ = ["CountRefused", "FileNotWritten", "NothingToSell", "generate_subscribers", "write_subscribers"]

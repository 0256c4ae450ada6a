"""Pure decisions of billing: the dates of a run, and how a bill groups its rated items."""

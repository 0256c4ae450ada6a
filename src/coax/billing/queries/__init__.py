"""What billing reads: runs, bills, and the facts that a bill as a document is composed from."""

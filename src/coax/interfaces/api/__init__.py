"""The interfaces for programs: `rest` is Coax's own."""

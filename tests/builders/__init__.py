"""Builders: say what matters, the rest is sensible."""

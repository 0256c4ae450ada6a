"""Runs and use cases that span domains: they read from one, pass values to the next, and own no table."""

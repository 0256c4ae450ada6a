"""Runs and use cases that span domains: they read from one, pass values to the next.

They own no table but the log of recurring processes.
"""

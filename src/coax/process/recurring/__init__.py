"""Recurring processes: definitions with schedules in, executions out, each of them a row of the log.

In: the configuration's definitions, an operator's clock, people who ask. Out: occurrences that are missed or executed,
with their progress, their sums and what they refused (docs/processes.md).

Invariants:
- Nothing is executed without an active definition, and nothing by itself that is late (R121, R128).
- An occurrence is executed once: its row is unique, and a lock on its definition is held while somebody works at it.
- An execution that was killed or stopped goes on with what is left; its result is that of an undisturbed one.
"""

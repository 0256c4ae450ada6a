"""What an operator sells and how it bills: products, prices, taxes, schemes, types, definitions.

In: YAML files, or the same data from forms and programs. Out: entities as frozen specs, in versions that hold
from a date on. Invariants: a stored spec is right in itself; every code it names exists; a version in use is
never changed.
"""

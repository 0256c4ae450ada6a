"""Values of the configuration: one spec class per kind of entity, the operator, results and problems.

In: text that people wrote. Out: frozen, checked specs. A spec that exists is right in itself; what it says of
other entities is checked when a whole configuration is applied. `registry.KINDS` lists every kind.
"""

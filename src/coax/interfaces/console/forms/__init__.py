"""Forms made from the specs of the configuration: describe a class, read what was sent, show it with its faults.

`nodes` describes, `values` reads and gives first values, `bound` puts description, values and faults together for
the templates, `faults` says at which field a problem belongs. Nothing here knows a kind by name.
"""

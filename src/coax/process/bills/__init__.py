"""Bills as documents: what was stored goes in; the same data, JSON and PDF come out, byte for byte.

`reading` fetches the facts of many bills at once, `compose` makes documents of them (pure), `publish` gives
JSON, `view` and `typesetting` a PDF, `export` writes the files of a whole run.
Invariants: totals are those stored and the lines add up to them; no clock, machine or order of reading shows
in the output; text of the customer's reaches the page as data, never as markup.
"""

"""The demo: two operators made from the examples, filled with subscribers and billed for July 2026.

In: the examples, a number of subscribers, a seed. Out: completed runs, three bills as PDF, the proof of the books.
Invariants: an interrupted demo goes on where it stopped; a second one bills nothing new; operators of other codes are
left alone.
"""

from coax.process.demo.prepare import LARGE, SMALL, DemoDataRefused, ExamplesMissing, find_examples
from coax.process.demo.run_demo import run_demo
from coax.process.demo.types import DemoBill, DemoOrder, DemoResult, DemoRun, Progress, Screen

__all__ = [
    "LARGE",
    "SMALL",
    "DemoBill",
    "DemoDataRefused",
    "DemoOrder",
    "DemoResult",
    "DemoRun",
    "ExamplesMissing",
    "Progress",
    "Screen",
    "find_examples",
    "run_demo",
]

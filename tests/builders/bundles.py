"""A bundle of Company ZX: silver with one or two of football, news and gold, at prices of its own."""

from __future__ import annotations

from typing import Final

_BUNDLE: Final = """product_bundles:
  - code: family
    name: Family
    min_optional: 1
    max_optional: 2
    components:
      - { product: silver }
      - { product: football, mandatory: false }
      - { product: news, mandatory: false }
      - { product: gold, mandatory: false }
price_plans:
  - code: main
"""
_RATE: Final = "      - { product: silver, frequency: monthly, price: 31.00 }"
_RATES: Final = """
      - { product: silver, bundle: family, price: 24.80 }
      - { product: football, bundle: family, frequency: monthly, price: 3.10 }"""
BUNDLE: Final = {
    "bundle": f"price_plans:\n  - code: main\n -> {_BUNDLE}",
    "bundle_rates": f"{_RATE} -> {_RATE}{_RATES}",
}

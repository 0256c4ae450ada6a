"""What an operator that sells films, calls and roaming adds to a broadcaster's configuration."""

from __future__ import annotations

from typing import Final

_CATALOGS: Final = """usage_types:
  - { code: film, name: Films, required: [source_system], methods: [stream, download] }
  - { code: call, name: Calls, required: [destination] }
usage_service_catalogs:
  - code: films
    name: Films
    currency: EUR
    tax_inclusive: true
    entries:
      - { product: film, price: 4.99, available_from: 2026-06-01, available_to: 2026-09-01, category: drama }
  - code: calls
    name: Calls
    currency: EUR
    entries:
      - product: call
        tier_basis: graduated
        tiers: [{ from: 1, to: 101, price: 0.05 }, { from: 101, to: 1001, price: 0.03 }, { from: 1001, price: 0.0125 }]
      - { product: roaming, pre_rated: true }
price_plans:
  - code: main
"""
_PRODUCTS: Final = """  - { code: film, name: Film, class: usage, tax_class: standard }
  - { code: call, name: Call, class: usage, tax_class: standard, unit: minute }
  - { code: roaming, name: Roaming, class: usage, tax_class: standard, unit: megabyte }
"""
_FIRST: Final = "  - code: eurosports-1\n    name: Eurosports 1"
USAGE: Final = {
    "catalogs": f"price_plans:\n  - code: main\n -> {_CATALOGS}",
    "used": f"{_FIRST} -> {_PRODUCTS}{_FIRST}",
}

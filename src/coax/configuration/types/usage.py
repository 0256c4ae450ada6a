"""Usage: catalogs of what is billed by consumption, and types of usage (R57, R107; reference 2.8)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from coax.configuration.types.entity import Entity
from coax.configuration.types.fields import (
    AtLeastOne,
    Choice,
    CivilDate,
    Code,
    Currency,
    Issue,
    Many,
    Price,
    Ref,
    Spec,
    Text,
    refuse,
)
from coax.configuration.types.price_plan import AppliedPer, Rate, RateModel, Tier, TierBasis


class UsageEntry(Spec):
    """What using one service costs, and while it can be used."""

    product: Annotated[Code, Ref("product")] = Field(description="Usage service that is used.")
    price: Price | None = Field(default=None, description="Price of one unit, in major units.")
    tiers: Many[Tier] = Field(default=(), description="Prices by the amount that is used at once, in place of one.")
    tier_basis: TierBasis = Field(
        default=TierBasis.VOLUME, description="volume: all units at the tier reached; graduated: slab by slab."
    )
    pre_rated: bool = Field(default=False, description="Its amount comes with the usage; it has no price here.")
    available_from: CivilDate | None = Field(default=None, description="First day on which it can be used.")
    available_to: CivilDate | None = Field(default=None, description="First day on which it no longer can.")
    category: Text | None = Field(default=None, description="Own grouping, such as a genre or a call zone.")
    provisioning_id: Text | None = Field(default=None, description="What the provisioning system calls it.")

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        refuse("usage_entry", [*_check_price(self), *_check_window(self)])
        _ = self.rate  # refuses tiers with gaps or overlaps
        return self

    @property
    def rate(self) -> Rate:
        """Return its price as a rate of a price plan; what comes rated counts once, whatever the amount used."""
        if self.tiers:
            return Rate(
                product=self.product, model=RateModel.QUANTITY_TIERED, tiers=self.tiers, tier_basis=self.tier_basis
            )
        if self.pre_rated:
            return Rate(product=self.product, price=Decimal(0), applied_per=AppliedPer.PERIOD)
        return Rate(product=self.product, price=self.price)


def _check_price(entry: UsageEntry) -> Iterator[Issue]:
    given = sum((entry.price is not None, bool(entry.tiers), entry.pre_rated))
    if given != 1:
        yield Issue(("price",), "give one of: price, tiers, pre_rated: true")


def _check_window(entry: UsageEntry) -> Iterator[Issue]:
    if entry.available_from and entry.available_to and entry.available_to <= entry.available_from:
        text = f"must be after available_from ({entry.available_from})"
        yield Issue(("available_to",), text, entry.available_to)


class UsageServiceCatalog(Entity):
    """What usage services cost, in place of a price plan (R107); each usage names its catalog."""

    currency: Currency = Field(description="ISO 4217 code of all amounts of the catalog.")
    tax_inclusive: bool = Field(default=False, description="Prices contain the tax.")
    distributor: Annotated[Code, Ref("provisioning_distributor")] | None = Field(
        default=None, description="System that provides what is used."
    )
    entries: AtLeastOne[UsageEntry] = Field(description="One entry per usage service.")

    @model_validator(mode="after")
    def _prices_each_once(self) -> Self:
        seen: set[str] = set()
        issues = []
        for i, entry in enumerate(self.entries):
            if entry.product in seen:
                issues.append(
                    Issue(("entries", i, "product"), "the catalog prices this service already", entry.product)
                )
            seen.add(entry.product)
        refuse("usage_service_catalog", issues)
        return self

    @property
    def rates(self) -> tuple[Rate, ...]:
        """Return the prices of its entries, in their order, as a price plan has them."""
        return tuple(entry.rate for entry in self.entries)

    def find_entry(self, product: str) -> UsageEntry | None:
        """Return the entry of a usage service, or None."""
        return next((entry for entry in self.entries if entry.product == product), None)


class UsageAttribute(Choice):
    """What may be known of a usage beside its amount."""

    USED_FROM = "used_from"
    USED_TO = "used_to"
    SOURCE_SYSTEM = "source_system"
    REFERENCE = "reference"
    SOURCE = "source"
    DESTINATION = "destination"
    DEVICE = "device"
    METHOD = "method"
    CATEGORY = "category"


class UsageType(Entity):
    """A kind of usage records, such as calls or films: what they must tell, and what they may say."""

    required: Many[UsageAttribute] = Field(default=(), description="What each record has to tell.")
    source_systems: Many[Text] = Field(default=(), description="Systems that records may come from; empty for all.")
    methods: Many[Text] = Field(default=(), description="How it may be used, such as stream or rental; empty for all.")
    devices: Many[Text] = Field(default=(), description="Kinds of devices it may be used on; empty for all.")
    categories: Many[Text] = Field(default=(), description="Own groupings; empty for all.")

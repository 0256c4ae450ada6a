"""Product bundles: services sold together, at prices of their own (reference 2.7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, model_validator

from coax.configuration.types.entity import Entity
from coax.configuration.types.fields import AtLeastOne, Code, Issue, Ref, Spec, refuse


class BundleComponent(Spec):
    """A service of a bundle."""

    product: Annotated[Code, Ref("product")] = Field(description="Service.")
    mandatory: bool = Field(default=True, description="Always part of it; otherwise it may be chosen.")


class ProductBundle(Entity):
    """Services that a subscription holds together; a price plan may price them differently while it does."""

    components: AtLeastOne[BundleComponent] = Field(description="Its services.")
    min_optional: int = Field(default=0, ge=0, description="Fewest services to be chosen.")
    max_optional: int | None = Field(default=None, ge=0, description="Most services to be chosen; empty for all.")

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        refuse("product_bundle", list(_check(self)))
        return self

    @property
    def products(self) -> tuple[str, ...]:
        """Return the codes of its services."""
        return tuple(component.product for component in self.components)


def _check(bundle: ProductBundle) -> Iterator[Issue]:
    seen: set[str] = set()
    for i, component in enumerate(bundle.components):
        if component.product in seen:
            yield Issue(("components", i, "product"), "the service is listed twice", component.product)
        seen.add(component.product)
    optional = sum(not component.mandatory for component in bundle.components)
    if bundle.min_optional > optional:
        yield Issue(("min_optional",), f"only {optional} services may be chosen", bundle.min_optional)
    if bundle.max_optional is not None and bundle.max_optional < bundle.min_optional:
        yield Issue(("max_optional",), f"must not be smaller than min_optional ({bundle.min_optional})")

"""Subscription types: the commercial policy of a package of services (R62-R66, reference 2.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, model_validator

from coax.configuration.types.entity import Entity
from coax.configuration.types.fields import (
    AtLeastOne,
    Choice,
    Code,
    Frequency,
    Issue,
    Many,
    Ref,
    Spec,
    refuse,
)


class SubscriptionTypeClassification(Choice):
    FLEXIBLE = "flexible"
    PACKAGE = "package"


SchemeRef = Annotated[Code, Ref("billing_term_scheme")]


class TypeService(Spec):
    """A service, or any service of a product type, that a subscription of the type may or must have."""

    product: Annotated[Code, Ref("product")] | None = Field(default=None, description="One service.")
    product_type: Annotated[Code, Ref("product_type")] | None = Field(
        default=None, description="Every service of this product type."
    )
    mandatory: bool = Field(default=False, description="A subscription needs it.")

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.product is None) == (self.product_type is None):
            refuse("service", [Issue((), "give either product or product_type")])
        return self


class Package(Spec):
    """Terms that a subscription of a package starts with."""

    scheme: SchemeRef = Field(description="Billing term scheme.")
    price_plan: Annotated[Code, Ref("price_plan")] | None = Field(default=None, description="Price plan.")
    binding_period: Frequency | None = Field(default=None, description="Binding period.")


class SubscriptionType(Entity):
    """What a subscription of this type may hold, under which schemes, and who may sell it."""

    classification: SubscriptionTypeClassification = Field(
        default=SubscriptionTypeClassification.FLEXIBLE,
        description="Chosen freely, or a package with its own terms.",
    )
    services: Many[TypeService] = Field(default=(), description="Allowed services.")
    physical_goods: Many[Annotated[Code, Ref("product")]] = Field(default=(), description="Allowed physical goods.")
    provisioning_distributors: Many[Annotated[Code, Ref("provisioning_distributor")]] = Field(
        default=(), description="Allowed distributors; empty for all."
    )
    schemes: AtLeastOne[SchemeRef] = Field(description="Allowed billing term schemes.")
    organisational_units: Many[Annotated[Code, Ref("organisational_unit")]] = Field(
        default=(), description="Units that may sell and see it; empty for all."
    )
    package: Package | None = Field(default=None, description="Terms of a package.")

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        refuse("subscription_type", list(_check_package(self)))
        return self


def _check_package(subscription_type: SubscriptionType) -> Iterator[Issue]:
    is_package = subscription_type.classification is SubscriptionTypeClassification.PACKAGE
    if is_package != (subscription_type.package is not None):
        yield Issue(("package",), "goes with, and only with, classification: package")
    package = subscription_type.package
    if package and package.scheme not in subscription_type.schemes:
        text = f"must be among schemes: {', '.join(subscription_type.schemes)}"
        yield Issue(("package", "scheme"), text, package.scheme)

"""Subscription definitions: how many of what, and what depends on what (R67-R73, reference 2.5)."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from coax.configuration.types.entity import Entity
from coax.configuration.types.fields import Choice, Code, Issue, Many, Ref, Spec, refuse

ProductRef = Annotated[Code, Ref("product")]
ProductTypeRef = Annotated[Code, Ref("product_type")]
SubscriptionTypeRef = Annotated[Code, Ref("subscription_type")]
DistributorRef = Annotated[Code, Ref("provisioning_distributor")]


class CountScope(Choice):
    SUBSCRIPTION = "subscription"
    ACCOUNT = "account"


class ServiceKind(Choice):
    MANDATORY = "mandatory"
    OPTIONAL = "optional"
    ANY = "any"


class CountRule(Spec):
    """A number that must lie between two bounds, both allowed."""

    minimum: int = Field(default=0, ge=0, description="Smallest number allowed.")
    maximum: int | None = Field(default=None, ge=0, description="Largest number allowed; empty for no limit.")

    @model_validator(mode="after")
    def _bounds_are_ordered(self) -> Self:
        if self.maximum is not None and self.maximum < self.minimum:
            text = f"must not be smaller than minimum ({self.minimum})"
            refuse("count", [Issue(("maximum",), text, self.maximum)])
        return self


class SubscriptionRule(Spec):
    """How many subscriptions an account may have."""

    subscription_types: Many[SubscriptionTypeRef] = Field(default=(), description="Of these types; empty for all.")
    max_subscriptions: int = Field(ge=0, description="Largest number for each account.")


class ServiceRule(CountRule):
    """How many services a subscription, or all subscriptions of an account, may have."""

    subscription_types: Many[SubscriptionTypeRef] = Field(default=(), description="Of these types; empty for all.")
    scope: CountScope = Field(default=CountScope.SUBSCRIPTION, description="What the services are counted over.")
    services: ServiceKind = Field(default=ServiceKind.ANY, description="Which services are counted.")
    distributor: DistributorRef | None = Field(default=None, description="Only services of this distributor.")


class InstalledItemRule(CountRule):
    """How many installed items of some physical goods a subscription may have."""

    subscription_types: Many[SubscriptionTypeRef] = Field(default=(), description="Of these types; empty for all.")
    physical_goods: Many[ProductRef] = Field(default=(), description="Counted together; empty for all.")
    distributor: DistributorRef | None = Field(default=None, description="Only items of this distributor.")


class Dependency(Spec):
    """What may be added only when one of something else is there (R71)."""

    products: Many[ProductRef] = Field(default=(), description="These products...")
    product_types: Many[ProductTypeRef] = Field(default=(), description="...and products of these types")
    require_products: Many[ProductRef] = Field(default=(), description="...need one of these products...")
    require_product_types: Many[ProductTypeRef] = Field(default=(), description="...or one product of these types.")
    distributor: DistributorRef | None = Field(default=None, description="Only for this distributor.")

    @model_validator(mode="after")
    def _has_two_sides(self) -> Self:
        issues = []
        if not (self.products or self.product_types):
            issues.append(Issue(("products",), "name what depends: products or product_types"))
        if not (self.require_products or self.require_product_types):
            issues.append(Issue(("require_products",), "name what is needed: products or product types"))
        refuse("dependency", issues)
        return self


class ServiceTier(Spec):
    """Tier of a service; a following tier is offered only to the leading tier of the same level."""

    product: ProductRef = Field(description="Service.")
    level: int = Field(ge=0, description="Tier; the lower number is the higher package.")
    leading: bool = Field(default=True, description="A leading (mandatory) tier, or a following (optional) one.")


class SubscriptionDefinition(Entity):
    """Structural rules checked at every action of a subscription's life; only one is active."""

    subscription_rules: Many[SubscriptionRule] = Field(default=(), description="Numbers of subscriptions.")
    service_rules: Many[ServiceRule] = Field(default=(), description="Numbers of services.")
    service_dependencies: Many[Dependency] = Field(default=(), description="Dependencies between services.")
    service_tiers: Many[ServiceTier] = Field(default=(), description="Tiers of services.")
    installed_item_rules: Many[InstalledItemRule] = Field(default=(), description="Numbers of installed items.")
    installed_item_dependencies: Many[Dependency] = Field(default=(), description="Dependencies of installed items.")

"""Every kind of entity, declared once: YAML, schema, storage, forms and API are generic over this list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from coax.configuration.types.action_type import ActionType
from coax.configuration.types.billing_term_definition import BillingTermDefinition
from coax.configuration.types.billing_term_scheme import BillingTermScheme
from coax.configuration.types.bundle import ProductBundle
from coax.configuration.types.catalogue import (
    AccountClassification,
    FinancialTransactionType,
    OrganisationalUnit,
    Product,
    ProductType,
    ProvisioningDistributor,
    TaxClass,
)
from coax.configuration.types.entity import Entity
from coax.configuration.types.job_type import JobType
from coax.configuration.types.payment_mode import PaymentMode
from coax.configuration.types.price_plan import PricePlan
from coax.configuration.types.process_definition import DeactivationRunDefinition, SubscriptionMaintenanceDefinition
from coax.configuration.types.receivable_definition import ReceivableDefinition
from coax.configuration.types.references import find_reference_kinds
from coax.configuration.types.run_definition import NormalBillingRunDefinition
from coax.configuration.types.subscription_definition import SubscriptionDefinition
from coax.configuration.types.subscription_type import SubscriptionType
from coax.configuration.types.usage import UsageServiceCatalog, UsageType

OnUse = Literal["replace", "new_version"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of entity.

    `on_use` says what a change to a used version does: "replace" wants a later effective date from the user,
    "new_version" makes a version from the day of the change on. `references` are the kinds that it names.
    """

    code: str
    section: str
    spec: type[Entity]
    label: str
    label_plural: str
    on_use: OnUse
    references: frozenset[str]


def _declare(spec: type[Entity], code: str, label: str, *, plural: str = "", on_use: OnUse = "new_version") -> Kind:
    label_plural = plural or f"{label}s"
    return Kind(
        code=code,
        section=label_plural.lower().replace(" ", "_"),
        spec=spec,
        label=label,
        label_plural=label_plural,
        on_use=on_use,
        references=find_reference_kinds(spec),
    )


_ALL: Final = (
    _declare(TaxClass, "tax_class", "Tax class", plural="Tax classes", on_use="replace"),
    _declare(ProductType, "product_type", "Product type"),
    _declare(Product, "product", "Product"),
    _declare(AccountClassification, "account_classification", "Account classification"),
    _declare(OrganisationalUnit, "organisational_unit", "Organisational unit"),
    _declare(ProvisioningDistributor, "provisioning_distributor", "Provisioning distributor"),
    _declare(FinancialTransactionType, "financial_transaction_type", "Financial transaction type"),
    _declare(ProductBundle, "product_bundle", "Product bundle"),
    _declare(PricePlan, "price_plan", "Price plan", on_use="replace"),
    _declare(UsageServiceCatalog, "usage_service_catalog", "Usage service catalog", on_use="replace"),
    _declare(UsageType, "usage_type", "Usage type"),
    _declare(BillingTermScheme, "billing_term_scheme", "Billing term scheme", on_use="replace"),
    _declare(SubscriptionType, "subscription_type", "Subscription type"),
    _declare(ActionType, "action_type", "Action type"),
    _declare(JobType, "job_type", "Job type"),
    _declare(SubscriptionDefinition, "subscription_definition", "Subscription definition"),
    _declare(BillingTermDefinition, "billing_term_definition", "Billing term definition"),
    _declare(NormalBillingRunDefinition, "normal_billing_run_definition", "Normal billing run definition"),
    _declare(DeactivationRunDefinition, "deactivation_run_definition", "Deactivation run definition"),
    _declare(
        SubscriptionMaintenanceDefinition, "subscription_maintenance_definition", "Subscription maintenance definition"
    ),
    _declare(PaymentMode, "payment_mode", "Payment mode"),
    _declare(ReceivableDefinition, "receivable_definition", "Receivable definition"),
)

KINDS: Final[dict[str, Kind]] = {kind.code: kind for kind in _ALL}
SECTIONS: Final[dict[str, Kind]] = {kind.section: kind for kind in _ALL}

"""What is sold, taxed and booked: tax classes, products, product types and small lists of names."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from coax.configuration.types.entity import Entity
from coax.configuration.types.fields import (
    AtLeastOne,
    Choice,
    CivilDate,
    Code,
    Issue,
    Percent,
    Ref,
    Spec,
    Text,
    refuse,
)


class ProductClass(Choice):
    TERMED = "termed"
    USAGE = "usage"
    ONE_TIME = "one_time"
    EXPENSE = "expense"
    PHYSICAL_GOOD = "physical_good"
    ROUNDING = "rounding"


DEFAULT_REVENUE_ACCOUNTS: Final[dict[ProductClass, str]] = {
    ProductClass.TERMED: "revenue_termed",
    ProductClass.USAGE: "revenue_usage",
    ProductClass.ONE_TIME: "revenue_one_time",
    ProductClass.EXPENSE: "revenue_expense",
    ProductClass.PHYSICAL_GOOD: "revenue_physical_good",
    ProductClass.ROUNDING: "rounding",
}


class TaxRate(Spec):
    from_: CivilDate = Field(
        validation_alias="from", serialization_alias="from", description="First day on which the rate holds."
    )
    percent: Percent = Field(description="Rate in percent of the net amount.")


class TaxClass(Entity):
    """A tax with its rates over time; products name the class, the date of supply picks the rate."""

    rates: AtLeastOne[TaxRate] = Field(description="Rates in order of their dates.")

    @model_validator(mode="after")
    def _dates_ascend(self) -> Self:
        issues = [
            Issue(("rates", i, "from"), "each rate must begin after the one before it", later.from_)
            for i, (earlier, later) in enumerate(zip(self.rates, self.rates[1:], strict=False), start=1)
            if later.from_ <= earlier.from_
        ]
        refuse("tax_class", issues)
        return self

    def find_percent(self, on: date) -> Percent | None:
        """Return the rate in force on a day, or None before the first one."""
        in_force = [rate.percent for rate in self.rates if rate.from_ <= on]
        return in_force[-1] if in_force else None


class ProductType(Entity):
    """A group of products of one class, such as Basic Plan or Pay Per View."""

    class_: ProductClass = Field(
        validation_alias="class", serialization_alias="class", description="Class of its products."
    )


class Product(Entity):
    """Something that appears on a bill."""

    class_: ProductClass = Field(
        validation_alias="class", serialization_alias="class", description="How the product is billed."
    )
    type: Annotated[Code, Ref("product_type")] | None = Field(default=None, description="Product type it belongs to.")
    tax_class: Annotated[Code, Ref("tax_class")] | None = Field(
        default=None, description="Tax that its charges bear; required except for a rounding product."
    )
    revenue_account: Text | None = Field(
        default=None, description="Ledger account of its revenue; empty takes the account of its class."
    )
    distributor: Annotated[Code, Ref("provisioning_distributor")] | None = Field(
        default=None, description="System that switches the service on and off; rules may be of one distributor."
    )
    unit: Text = Field(default="item", description="What one of it is called.")

    @model_validator(mode="after")
    def _bears_tax(self) -> Self:
        if self.tax_class is None and self.class_ is not ProductClass.ROUNDING:
            refuse("product", [Issue(("tax_class",), "a tax class is required except for a rounding product")])
        return self

    @property
    def revenue_account_code(self) -> str:
        """Return the ledger account that its revenue is booked to."""
        return self.revenue_account or DEFAULT_REVENUE_ACCOUNTS[self.class_]


class AccountClassification(Entity):
    """A class of customers, such as residential or employee."""


class OrganisationalUnit(Entity):
    """A part of the company that serves customers: a shop, a department, a community."""


class ProvisioningDistributor(Entity):
    """A system that switches services on and off."""


class TransactionClassification(Choice):
    INVOICE = "invoice"
    REFUND = "refund"
    PAYMENT_CANCELLATION = "payment_cancellation"
    PAYMENT = "payment"
    CREDIT_NOTE = "credit_note"
    INVOICE_CANCELLATION = "invoice_cancellation"
    WRITE_OFF = "write_off"


class FinancialTransactionType(Entity):
    """The operator's own name for a kind of financial transaction, such as Rounding Invoice."""

    classification: TransactionClassification = Field(description="What the transaction does to the account.")

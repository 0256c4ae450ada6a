"""Which rules of the configuration hold for one subscription: its type, its scheme, billing term rules (R74-R80)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from coax.configuration.types.action_type import ActionType
from coax.configuration.types.billing_term_definition import (
    BillingDirective,
    BillingTermRule,
    BillingTermRuleKind,
)
from coax.configuration.types.billing_term_scheme import BillingTermScheme
from coax.configuration.types.bundle import ProductBundle
from coax.configuration.types.catalogue import Product
from coax.configuration.types.subscription_definition import CountScope, ServiceKind, SubscriptionDefinition
from coax.configuration.types.subscription_type import SubscriptionType
from coax.configuration.types.usage import UsageServiceCatalog, UsageType
from coax.subscription.rules.machine import DIRECTIVES
from coax.subscription.types.actions import ServiceState, SubscriptionFacts

_RULE_OF_STATE = {
    ServiceState.IN_RESTING: BillingTermRuleKind.RESTING,
    ServiceState.SHORT_TERM_NOT_EFFECTIVE: BillingTermRuleKind.SHORT_TERM_DEACTIVATION,
    ServiceState.SHORT_TERM_EFFECTIVE: BillingTermRuleKind.SHORT_TERM_EFFECTIVE,
}


@dataclass(frozen=True, slots=True)
class Policy:
    """The configuration in force on the day of an action, by the keys that facts have.

    `scheme_versions` and `plan_ids` are the active ones, by code.

    `definition` is the active subscription definition, None where there is none; `rules` those of the active billing
    term definition for subscriptions; `action_types` the active ones by code; `catalogs` and `usage_types` the active
    ones of usage, `bundles` all, by their entities' keys; `unit` that of who acts, None for who may do everything.
    """

    products: Mapping[int, Product]
    product_ids: Mapping[str, int]
    schemes: Mapping[int, BillingTermScheme]
    scheme_versions: Mapping[str, int]
    plan_ids: Mapping[str, int]
    types: Mapping[int, SubscriptionType]
    classifications: Mapping[int, str]
    definition: SubscriptionDefinition | None
    rules: tuple[BillingTermRule, ...]
    action_types: Mapping[str, ActionType] = field(default_factory=dict)
    catalogs: Mapping[int, UsageServiceCatalog] = field(default_factory=dict)
    usage_types: Mapping[int, UsageType] = field(default_factory=dict)
    bundles: Mapping[int, ProductBundle] = field(default_factory=dict)
    unit: str | None = None

    @property
    def counts_over_accounts(self) -> bool:
        """Tell whether a rule counts the services of all subscriptions of an account."""
        rules = self.definition.service_rules if self.definition else ()
        return any(rule.scope is CountScope.ACCOUNT for rule in rules)

    @property
    def asks_for_items(self) -> bool:
        """Tell whether a rule asks for installed items before activation."""
        least = self.definition.installed_item_rules if self.definition else ()
        return any(rule.minimum for rule in least) or any(
            rule.rule is BillingTermRuleKind.ACTIVATION_CONDITION for rule in self.rules
        )

    def may_see(self, kind: SubscriptionType | None) -> bool:
        """Tell whether who acts may see and sell subscriptions of a type (R62)."""
        if self.unit is None or kind is None or not kind.organisational_units:
            return True
        return self.unit in kind.organisational_units

    def scheme_of(self, facts: SubscriptionFacts) -> BillingTermScheme | None:
        """Return the scheme version of the contract."""
        return self.schemes.get(facts.term.scheme_version_id) if facts.term else None

    def type_of(self, facts: SubscriptionFacts) -> SubscriptionType | None:
        """Return the subscription's type as it is now; one without a type may hold anything."""
        return self.types.get(facts.type_id) if facts.type_id is not None else None

    def is_mandatory(self, facts: SubscriptionFacts, product_id: int) -> bool:
        """Tell whether the type says that a subscription needs this service, or one of its product type."""
        kind, product = self.type_of(facts), self.products.get(product_id)
        if kind is None or product is None:
            return False
        return any(
            service.mandatory
            for service in kind.services
            if service.product == product.code or (service.product_type and service.product_type == product.type)
        )

    def is_free(self, facts: SubscriptionFacts, product_id: int) -> bool:
        """Tell whether the scheme gives the service away: then debt never cuts it (reference 2.1)."""
        scheme, product = self.scheme_of(facts), self.products.get(product_id)
        if scheme is None or product is None:
            return False
        return any(service.free for service in scheme.services if service.product == product.code)

    def find_rules(
        self, kind: BillingTermRuleKind, facts: SubscriptionFacts, product_id: int | None = None
    ) -> Iterator[BillingTermRule]:
        """Yield the rules of a kind that hold for a subscription, or for one service of it (R78)."""
        for rule in self.rules:
            if rule.rule is kind and self._holds(rule, facts) and self._is_about(rule, facts, product_id):
                yield rule

    def directive(self, state: ServiceState, facts: SubscriptionFacts, product_id: int) -> BillingDirective:
        """Return how the time in a state is billed: the first rule that says so, else the state's own default."""
        kind = _RULE_OF_STATE.get(state)
        if kind:
            for rule in self.find_rules(kind, facts, product_id):
                if rule.directive:
                    return rule.directive
        for rule in self.find_rules(BillingTermRuleKind.ADDITIONAL_BILLING_DIRECTION, facts, product_id):
            if rule.directive and state.value in rule.states:
                return rule.directive
        return DIRECTIVES[state]

    def _holds(self, rule: BillingTermRule, facts: SubscriptionFacts) -> bool:
        scheme, kind = self.scheme_of(facts), self.type_of(facts)
        if rule.schemes and (scheme is None or scheme.code not in rule.schemes):
            return False
        if kind and kind.code in rule.exceptions.subscription_types:
            return False
        if self.unit in rule.exceptions.organisational_units:
            return False
        classification = self.classifications.get(facts.classification_id or -1)
        return classification not in rule.exceptions.classifications

    def _is_about(self, rule: BillingTermRule, facts: SubscriptionFacts, product_id: int | None) -> bool:
        if product_id is None:
            return not rule.products and rule.services is ServiceKind.ANY
        product = self.products.get(product_id)
        if rule.products and (product is None or product.code not in rule.products):
            return False
        if rule.services is ServiceKind.ANY:
            return True
        return self.is_mandatory(facts, product_id) == (rule.services is ServiceKind.MANDATORY)

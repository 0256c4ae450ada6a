"""The site: log-in, and which address shows which page."""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.urls import path
from unfold.sites import UnfoldAdminSite

from coax.interfaces.console.access import TENANT_KEY, LoginForm, Staff
from coax.interfaces.console.pages import (
    accounts,
    actions,
    audit,
    bills,
    configuration,
    customers,
    dashboard,
    entity,
    jobs,
    payments,
    processes,
    programs,
    runs,
    staff,
)


class ConsoleSite(UnfoldAdminSite):
    """Django's admin site with Unfold's frame and the console's pages."""

    site_title = "Coax"
    site_header = "Coax"
    login_form = LoginForm
    login_template = "console/login.html"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Log in, and keep the operator in the session."""
        response = super().login(request, extra_context)
        if request.method == "POST" and request.user.is_authenticated:
            request.session[TENANT_KEY] = cast("Staff", request.user).tenant_id
            request.session.clear_expired()
        return response

    def has_permission(self, request: HttpRequest) -> bool:
        """Tell whether somebody has logged in; the right to each page is asked by the page."""
        return bool(request.user.is_authenticated and TENANT_KEY in request.session)

    def get_urls(self) -> list[Any]:
        """Return the addresses of all pages."""
        wrap = self.admin_view
        pages: list[tuple[str, Any, str]] = [
            ("", dashboard.index, "index"),
            ("password/", staff.own_password, "password_change"),
            ("configuration/", configuration.index, "configuration"),
            ("configuration/export.yaml", configuration.export, "export"),
            ("configuration/<slug:kind_code>/", configuration.entities, "entities"),
            ("configuration/<slug:kind_code>/new", entity.new_entity, "new_entity"),
            ("configuration/<slug:kind_code>/row", entity.new_row, "new_row"),
            ("configuration/<slug:kind_code>/of/<slug:code>/", entity.entity, "entity"),
            ("configuration/<slug:kind_code>/of/<slug:code>/history", entity.history, "history"),
            ("configuration/<slug:kind_code>/of/<slug:code>/yaml", entity.as_yaml, "yaml"),
            ("accounts/", accounts.accounts, "accounts"),
            ("accounts/of/<path:code>", accounts.account, "account"),
            ("accounts/then/<path:code>", accounts.then, "account_then"),
            ("accounts/contact/<path:code>", customers.contact, "edit_contact"),
            ("accounts/terms/<path:code>", customers.terms, "edit_terms"),
            ("accounts/journal/<path:code>", accounts.journal, "journal"),
            ("accounts/preview/<path:code>", accounts.preview, "preview"),
            ("accounts/bill/<path:code>", accounts.bill_account, "bill_account"),
            ("payments/", payments.payments, "payments"),
            ("payments/from/<path:code>", payments.receive, "receive_payment"),
            ("payments/of/<int:number>/", payments.payment, "payment"),
            ("payments/of/<int:number>/do/<slug:deed>", payments.do, "do_payment"),
            ("payments/back/to/<path:code>", payments.give_back, "give_back"),
            ("payments/back/<int:number>/do/<slug:deed>", payments.decide_refund, "decide_refund"),
            ("subscriptions/sell/<path:code>", actions.sell, "sell"),
            ("subscriptions/replace/<path:code>", actions.replace, "replace"),
            ("subscriptions/scheduled", actions.calendar, "calendar"),
            ("subscriptions/scheduled/<int:action_id>/call-off", actions.call_off, "call_off"),
            ("subscriptions/act/<slug:behaviour>/<path:code>", actions.act, "act"),
            ("jobs/", jobs.board, "jobs"),
            ("jobs/order/for/<path:code>", jobs.choose, "choose_job"),
            ("jobs/order/<slug:kind>/<path:code>", jobs.order, "order_job"),
            ("jobs/of/<str:code>/", jobs.job, "job"),
            ("jobs/of/<str:code>/plan", jobs.plan, "plan_job"),
            ("jobs/of/<str:code>/lines", jobs.add_line, "add_job_line"),
            ("jobs/of/<str:code>/lines/<int:number>", jobs.change_line, "change_job_line"),
            ("jobs/of/<str:code>/complete", jobs.complete, "complete_job"),
            ("jobs/of/<str:code>/do/<slug:verb>", jobs.move, "move_job"),
            ("runs/", runs.runs, "runs"),
            ("runs/new", runs.new_run, "new_run"),
            ("runs/<int:number>/", runs.run, "run"),
            ("runs/<int:number>/progress", runs.progress, "run_progress"),
            ("runs/<int:number>/execute", runs.execute, "execute_run"),
            ("runs/<int:number>/cancel", runs.cancel, "cancel_run"),
            ("processes/", processes.processes, "processes"),
            ("processes/table", processes.table, "processes_table"),
            ("processes/log", processes.log, "process_log"),
            ("processes/run/<slug:kind>/<slug:code>", processes.run_now, "run_process"),
            ("processes/missed/<slug:kind>/<slug:code>", processes.make_up, "make_up_process"),
            ("processes/give-up/<slug:kind>/<slug:code>", processes.give_up, "give_up_process"),
            ("processes/of/<int:number>/", processes.execution, "process_run"),
            ("processes/of/<int:number>/progress", processes.progress, "process_progress"),
            ("processes/of/<int:number>/stop", processes.stop, "stop_process_run"),
            ("processes/of/<int:number>/resume", processes.resume, "resume_process_run"),
            ("bills/", bills.bills, "bills"),
            ("bills/pdf/<path:number>", bills.bill_pdf, "bill_pdf"),
            ("bills/json/<path:number>", bills.bill_json, "bill_json"),
            ("bills/of/<path:number>", bills.bill, "bill"),
            ("staff/", staff.staff, "staff"),
            ("staff/new", staff.new_member, "new_member"),
            ("staff/of/<str:username>", staff.member, "member"),
            ("programs/", programs.programs, "programs"),
            ("programs/new", programs.new_program, "new_program"),
            ("programs/<slug:kind>/<str:name>/secret", programs.rotate, "rotate_program"),
            ("programs/<slug:kind>/<str:name>/revoke", programs.revoke, "revoke_program"),
            ("audit/", audit.audit, "audit"),
        ]
        return [
            path("login/", self.login, name="login"),
            path("logout/", wrap(self.logout), name="logout"),
            *(path(address, wrap(view), name=name) for address, view, name in pages),
        ]

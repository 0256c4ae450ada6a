"""Expected problems as pages."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from coax.base.errors import DomainError
from coax.interfaces.statuses import status_of


def show_problem(request: HttpRequest, problem: DomainError) -> HttpResponse:
    """Return the page that says what is wrong."""
    context = {"title": "This cannot be done", "problem": problem, "page": "problem"}
    return render(request, "console/problem.html", context, status=status_of(problem))


def refuse_right(request: HttpRequest, exception: PermissionDenied) -> HttpResponse:
    """Return the page for somebody whose role does not allow it."""
    context = {"title": "Your role does not allow this", "message": str(exception), "page": "problem"}
    return render(request, "console/problem.html", context, status=HTTPStatus.FORBIDDEN)


def refuse_unknown(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's shape
    """Return the page for an address that leads nowhere."""
    context = {"title": "There is no such page", "message": "", "page": "problem"}
    return render(request, "console/problem.html", context, status=HTTPStatus.NOT_FOUND)


def admit_fault(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's shape
    """Return the page for a fault of ours; nothing is asked of the database."""
    text = render_to_string("console/fault.html", {"title": "Something went wrong"})
    return HttpResponse(text, status=HTTPStatus.INTERNAL_SERVER_ERROR)


def report_problem(request: HttpRequest, problem: DomainError) -> None:
    """Put the problem at the head of the next page."""
    messages.error(request, problem.message)

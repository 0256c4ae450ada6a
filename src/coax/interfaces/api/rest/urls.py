"""The addresses of the API: a router per resource; whatever leads nowhere is a problem too."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path, re_path
from django.views.decorators.csrf import csrf_exempt

from coax.interfaces.api.rest.document import RestApi
from coax.interfaces.api.rest.problems import answer_problem, describe_status
from coax.interfaces.api.rest.routes import RESOURCES

api = RestApi()
for address, resource in RESOURCES:
    api.add_router(address, resource)


@csrf_exempt
def refuse_address(request: HttpRequest) -> HttpResponse:
    """Answer an address that leads nowhere."""
    return answer_problem(request, describe_status(HTTPStatus.NOT_FOUND))


urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", api.urls),
    re_path(r"^.*$", refuse_address),
]

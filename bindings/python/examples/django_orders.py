"""A service of Django's, in one file: python django_orders.py runserver, gunicorn django_orders:app, or
uvicorn django_orders:later. GATEPOST_POLICY names the policy.
"""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from gatepost.django import require

settings.configure(
    DEBUG=False,
    ALLOWED_HOSTS=["*"],
    SECRET_KEY=os.urandom(32).hex(),
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["gatepost.django.GatepostMiddleware", "django.middleware.common.CommonMiddleware"],
    # For the lines that say who was refused, and why.
    LOGGING={
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"console": {"class": "logging.StreamHandler"}},
        "loggers": {"gatepost": {"handlers": ["console"], "level": "INFO"}},
    },
    GATEPOST_POLICY=os.environ.get("GATEPOST_POLICY", "orders.toml"),
)


def health(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "well"})


def catalogue(request: Any) -> HttpResponse:
    return HttpResponse(request.user.get_username() if request.user.is_authenticated else "whoever you are")


# The policy lets clerks read; that deleting takes an administrator is said here.
@require(role="admin")
def delete(request: Any, number: int) -> HttpResponse:
    return JsonResponse({"deleted": number, "by": request.user.get_username()})


@csrf_exempt
def order(request: Any, number: int) -> HttpResponse:
    if request.method == "DELETE":
        answer: HttpResponse = delete(request, number)
        return answer
    fields = {name.lower(): value for name, value in request.headers.items() if name.lower().startswith("x-auth")}
    return JsonResponse(
        {
            "order": number,
            "user": request.user.get_username(),
            "remote_user": request.META.get("REMOTE_USER"),
            "roles": request.user.roles,
            "fields": fields,
        }
    )


urlpatterns = [path("health", health), path("catalogue", catalogue), path("orders/<int:number>", order)]
app = get_wsgi_application()
later = get_asgi_application()

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)

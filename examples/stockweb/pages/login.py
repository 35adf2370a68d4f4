"""Logging in on a page. How often that may be tried is limited, for an address and for a name."""

from typing import Any

from django.conf import settings
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse

from stockweb.limits import address, over


class Login(LoginView):
    """Asks for name and password."""

    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Try them, unless that was tried too often: then 429, whether they are right or not."""
        name, limits = request.POST.get("username", "").casefold()[:150], settings.LOGIN_LIMITS
        wait = over(f"login:{address(request)}", limits["address"]) or over(f"login-as:{name}", limits["name"])
        if not wait:
            return super().post(request, *args, **kwargs)
        context = self.get_context_data(form=self.get_form_class()(), wait=wait)
        return self.render_to_response(context, status=429, headers={"Retry-After": f"{wait}"})

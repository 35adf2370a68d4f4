"""Every URL of the application."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView, PasswordResetConfirmView
from django.urls import include, path

from pages.login import Login

handler404 = "api.errors.not_found"
handler500 = "api.errors.server_error"

urlpatterns = [
    path("", include("health.urls")),
    path("", include("metrics.urls")),
    path("", include("pages.urls")),
    path("api/", include("api.urls")),
    path("_allauth/", include("allauth.headless.urls")),
    path("accounts/login/", Login.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path(
        "accounts/set-password/<uidb64>/<token>/",
        PasswordResetConfirmView.as_view(
            template_name="registration/set_password.html", success_url="/accounts/login/"
        ),
        name="set-password",
    ),
    path("admin/", admin.site.urls),
]

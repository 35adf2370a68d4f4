"""URLs of the probes. They have no final slash: a redirect is not healthy."""

from django.urls import path

from health import views

urlpatterns = [
    path("livez", views.live, name="live"),
    path("health/ready", views.ready, name="ready"),
]

"""URLs of the JSON interface."""

from django.urls import path

from api import finding, views

urlpatterns = [
    path("find", finding.find, name="api-find"),
    path("parts/<int:pk>", views.part, name="api-part"),
    path("parts/<int:pk>/add", views.add, name="api-add"),
    path("parts/<int:pk>/take", views.take, name="api-take"),
]

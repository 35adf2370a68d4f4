"""URLs of the pages."""

from django.urls import path, re_path

from pages import attachments, changes, finding, imports, views

urlpatterns = [
    path("", views.home, name="home"),
    path("parts/", views.part_list, name="part-list"),
    path("parts/<int:pk>/", views.part_detail, name="part-detail"),
    path("parts/<int:pk>/change/", changes.change, name="part-change"),
    path("parts/<int:pk>/move/", changes.move, name="part-move"),
    path("movements/<int:pk>/undo/", changes.undo, name="movement-undo"),
    path("boxes/", views.box_list, name="box-list"),
    re_path(r"^boxes/(?P<code>[A-Z0-9-]{1,20})/$", views.box_detail, name="box-detail"),
    path("find/", finding.find, name="find"),
    path("find/save/", finding.save, name="requirement-save"),
    path("find/saved/<int:pk>/", finding.saved, name="requirement"),
    path("find/saved/<int:pk>/delete/", finding.delete, name="requirement-delete"),
    path("imports/", imports.imports, name="imports"),
    path("imports/<uuid:pk>/", imports.one, name="import"),
    path("imports/<uuid:pk>/check/", imports.check, name="import-check"),
    path("imports/<uuid:pk>/commit/", imports.commit, name="import-commit"),
    path("attachments/<uuid:pk>/delete/", attachments.delete, name="attachment-delete"),
    path("types/", views.type_list, name="type-list"),
]

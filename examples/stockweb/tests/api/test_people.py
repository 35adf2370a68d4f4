"""Who may do what: roles, tokens, and logging in from a front end on another host."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core import mail
from django.test import Client
from django.utils import timezone

from people.models import Token
from people.roles import NoAdminLeft, Role, give, role_of
from stock.models import Movement
from tests.api.test_parts import send
from tests.factories import Shelf

pytestmark = pytest.mark.django_db

SITE = "https://app.stockweb.example"
LOGIN = "/_allauth/browser/v1/auth/login"


def user(role: Role, name: str = "somebody") -> User:
    made = User.objects.create_user(name, password="a-long-password", email=f"{name}@stockweb.example")
    give(made, role)
    return made


def by_token(owner: User, scope: str = "write", **values: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {Token.make(owner.pk, 'tests', scope, values.get('expires'))[1]}"}


@pytest.mark.parametrize(
    ("role", "statuses"),
    [
        (None, [200, 401, 401, 401, 401, 401]),
        (Role.VIEWER, [200, 403, 403, 403, 403, 201]),
        (Role.KEEPER, [200, 201, 201, 403, 403, 201]),
        (Role.ADMIN, [200, 201, 201, 201, 200, 201]),
    ],
)
def test_a_role_may_what_it_may(client: Client, stocked: Shelf, role: Role | None, statuses: list[int]) -> None:
    if role is not None:
        client.force_login(user(role))
    movement = Movement.objects.get().pk
    requests: list[tuple[str, str, Any]] = [
        ("GET", "parts", None),
        ("POST", f"movements/{movement}/undo", None),
        ("POST", "boxes", {"code": "NEW"}),
        ("POST", "types", {"name": "New"}),
        ("GET", "people", None),
        ("POST", "requirements", {"name": "r", "type_id": stocked.part.type_id}),
    ]
    assert [send(client, *each)[0] for each in requests] == statuses


@pytest.mark.parametrize(("role", "page"), [(Role.VIEWER, 403), (Role.KEEPER, 302), (Role.ADMIN, 302)])
def test_pages_and_admin_hold_to_the_same_roles(client: Client, stocked: Shelf, role: Role, page: int) -> None:
    client.force_login(user(role))
    shown = client.get(f"/parts/{stocked.part.pk}/").content.decode()
    assert ('name="quantity"' in shown) == (role != Role.VIEWER)
    assert client.post(f"/movements/{Movement.objects.get().pk}/undo/").status_code == page
    assert client.get("/admin/parts/parttype/add/").status_code == (200 if role == Role.ADMIN else 302)


def test_a_request_without_the_csrf_token_is_refused(stocked: Shelf) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user(Role.KEEPER))
    assert send(strict, "POST", "boxes", {"code": "NEW"})[1]["code"] == "permission-denied"
    token = strict.get("/api/v1/me").json()["csrf_token"]
    answer = strict.post(
        "/api/v1/boxes", '{"code": "NEW"}', content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert answer.status_code == 201


def test_me_says_who_asks_and_what_they_may(client: Client) -> None:
    body = client.get("/api/v1/me").json()
    assert (body["user"], body["role"], set(body["may"].values())) == (None, None, {False})
    client.force_login(user(Role.KEEPER))
    body = client.get("/api/v1/me").json()
    assert (body["user"]["name"], body["role"]) == ("somebody", "keeper")
    assert [name for name, may in body["may"].items() if may] == ["change_stock", "change_parts"]


class TestTokens:
    def test_one_is_told_once_and_kept_as_a_hash(self, client: Client) -> None:
        client.force_login(user(Role.KEEPER))
        _, made = send(client, "POST", "tokens", {"name": "scale", "scope": "write", "days": 1})
        kept = Token.objects.get()
        assert made["token"].startswith(made["prefix"])
        assert made["token"] not in (kept.digest, kept.prefix)
        _, listed = send(client, "GET", "tokens")
        assert [each["name"] for each in listed["items"]] == ["scale"]
        assert made["token"] not in json.dumps(listed)
        headers = {"Authorization": f"Bearer {made['token']}"}
        stranger = Client(headers=headers)
        assert stranger.get("/api/v1/me").json()["user"]["name"] == "somebody"
        assert send(client, "DELETE", f"tokens/{made['id']}") == (204, None)
        answer = stranger.get("/api/v1/me")
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="stockweb"')

    def test_one_needs_no_csrf_token_and_may_no_more_than_its_owner(self) -> None:
        strict = Client(enforce_csrf_checks=True, headers=by_token(user(Role.KEEPER)))
        assert send(strict, "POST", "boxes", {"code": "NEW"})[0] == 201
        assert send(strict, "POST", "types", {"name": "New"})[1]["code"] == "role"

    def test_a_reading_one_writes_nothing(self) -> None:
        client = Client(headers=by_token(user(Role.ADMIN), "read"))
        assert send(client, "GET", "people")[0] == 200
        assert send(client, "POST", "boxes", {"code": "NEW"})[1]["code"] == "read-only-token"

    def test_one_makes_no_others(self) -> None:
        client = Client(headers=by_token(user(Role.ADMIN)))
        assert send(client, "POST", "tokens", {"name": "more"})[1]["code"] == "not-by-token"
        assert send(client, "GET", "tokens")[0] == 403

    @pytest.mark.parametrize("text", ["", "swt_wrong", "Ä", "swt_" + "x" * 5000])
    def test_a_wrong_one_is_401(self, client: Client, text: str) -> None:
        assert client.get("/api/v1/parts", headers={"Authorization": f"Bearer {text}"}).status_code == 401

    def test_one_that_is_over_or_whose_owner_is_out_is_401(self) -> None:
        owner = user(Role.KEEPER)
        over = by_token(owner, expires=timezone.now() - timedelta(seconds=1))
        good = by_token(owner, expires=timezone.now() + timedelta(minutes=1))
        assert [Client(headers=each).get("/api/v1/me").status_code for each in (over, good)] == [401, 200]
        User.objects.update(is_active=False)
        assert Client(headers=good).get("/api/v1/me").status_code == 401

    def test_its_use_is_noted_now_and_then(self, django_assert_num_queries: Any) -> None:
        client = Client(headers=by_token(user(Role.KEEPER)))
        client.get("/api/v1/events/position")
        noted = Token.objects.get().last_used
        assert noted is not None
        with django_assert_num_queries(2):  # the token, and what was asked for
            client.get("/api/v1/events/position")
        assert Token.objects.get().last_used == noted

    def test_nobody_has_endless_ones(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("api.me.MOST_TOKENS", 1)
        client.force_login(user(Role.VIEWER))
        statuses = [send(client, "POST", "tokens", {"name": "one"})[0] for _ in range(2)]
        assert statuses == [201, 409]


class TestPeople:
    def test_an_admin_gives_roles_and_it_is_written_down(self, client: Client) -> None:
        boss, other = user(Role.ADMIN, "boss"), user(Role.VIEWER, "other")
        client.force_login(boss)
        _, listed = send(client, "GET", "people")
        assert [(each["name"], each["role"]) for each in listed["items"]] == [("boss", "admin"), ("other", "viewer")]
        status, changed = send(client, "PATCH", f"people/{other.pk}", {"role": "admin"})
        assert (status, changed["role"]) == (200, "admin")
        assert User.objects.get(pk=other.pk).is_staff
        status, changed = send(client, "PATCH", f"people/{other.pk}", {"active": False})
        assert (changed["role"], changed["active"]) == (None, False)
        log = client.get(f"/admin/auth/user/{other.pk}/history/").content.decode()
        assert "boss" in log
        assert send(client, "PATCH", "people/999999", {"role": "admin"})[0] == 404

    def test_one_admin_remains(self, client: Client) -> None:
        boss = user(Role.ADMIN, "boss")
        client.force_login(boss)
        for change in ({"role": "viewer"}, {"active": False}):
            assert send(client, "PATCH", f"people/{boss.pk}", change)[1]["code"] == "not-possible"
        with pytest.raises(NoAdminLeft):
            give(boss, Role.KEEPER)

    def test_nobody_has_a_role_who_is_not_there(self) -> None:
        assert role_of(AnonymousUser()) is None
        assert role_of(User.objects.create_user("new")) == Role.VIEWER
        assert role_of(User.objects.create_superuser("root")) == Role.ADMIN


class TestFrontEnd:
    """What a browser does at ``SITE``, which is another host than the API's."""

    @pytest.fixture(autouse=True)
    def _site(self, settings: Any) -> None:
        settings.CORS_ALLOWED_ORIGINS = settings.CSRF_TRUSTED_ORIGINS = [SITE]

    def test_it_logs_in_changes_something_and_logs_out(self) -> None:
        user(Role.KEEPER)
        browser = Client(enforce_csrf_checks=True, headers={"Origin": SITE})

        def call(method: str, path: str, body: Any = None) -> Any:
            token = browser.get("/api/v1/me").json()["csrf_token"]
            return browser.generic(
                method,
                path,
                json.dumps(body) if body else "",
                content_type="application/json",
                headers={"X-CSRFToken": token},
            )

        assert call("GET", "/_allauth/browser/v1/auth/session").status_code == 401
        assert call("POST", LOGIN, {"username": "somebody", "password": "wrong"}).status_code == 400
        assert call("POST", LOGIN, {"username": "somebody", "password": "a-long-password"}).status_code == 200
        assert browser.get("/api/v1/me").json()["role"] == "keeper"
        assert call("POST", "/api/v1/boxes", {"code": "NEW"}).status_code == 201
        change = {"current_password": "a-long-password", "new_password": "another-long-one"}
        assert call("POST", "/_allauth/browser/v1/account/password/change", change).status_code == 200
        assert call("DELETE", "/_allauth/browser/v1/auth/session").status_code == 401  # allauth: logged out now
        assert browser.get("/api/v1/me").json()["user"] is None

    def test_another_site_is_refused(self) -> None:
        browser = Client(enforce_csrf_checks=True, headers={"Origin": "https://elsewhere.example"})
        browser.force_login(user(Role.KEEPER))
        answer = browser.get("/api/v1/me")
        assert "Access-Control-Allow-Origin" not in answer
        token = answer.json()["csrf_token"]
        headers = {"X-CSRFToken": token}
        answer = browser.post("/api/v1/boxes", '{"code": "N"}', content_type="application/json", headers=headers)
        assert answer.status_code == 403

    def test_the_browser_may_send_what_a_change_needs(self, client: Client) -> None:
        headers = {
            "Origin": SITE,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,idempotency-key,x-csrftoken",
        }
        answer = client.options("/api/v1/parts/1/take", headers=headers)
        assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (200, SITE)
        assert answer["Access-Control-Allow-Credentials"] == "true"
        assert {"idempotency-key", "x-csrftoken"} <= set(answer["Access-Control-Allow-Headers"].split(", "))
        assert "Retry-After" in client.get("/api/v1/parts", headers={"Origin": SITE})["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Origin" not in client.get("/parts/", headers={"Origin": SITE})

    def test_a_password_is_tried_so_often_and_no_more(self, client: Client, settings: Any) -> None:
        settings.PROXIES = 1
        body = json.dumps({"username": f"{uuid.uuid4()}", "password": "wrong"})

        def log_in(forwarded_for: str) -> int:
            headers = {"X-Forwarded-For": forwarded_for}
            return client.post(LOGIN, body, content_type="application/json", headers=headers).status_code

        stranger = f"2001:db8::{uuid.uuid4().hex[:4]}"
        statuses = [log_in(f"{number}.0.0.0, {stranger}") for number in range(40)]  # and says it is somebody else
        assert set(statuses) == {400, 429}
        assert statuses[-1] == 429

    def test_nobody_signs_up(self, client: Client) -> None:
        body = json.dumps({"username": "new", "password": "a-long-password"})
        answer = client.post("/_allauth/browser/v1/auth/signup", body, content_type="application/json")
        assert answer.status_code == 403
        assert not User.objects.exists()

    def test_a_password_is_set_anew_by_mail(self, client: Client, settings: Any) -> None:
        settings.HEADLESS_FRONTEND_URLS = {"account_reset_password_from_key": f"{SITE}/set-password/{{key}}"}
        user(Role.VIEWER)
        for address in ("somebody@stockweb.example", "nobody@stockweb.example"):
            body = json.dumps({"email": address})
            answer = client.post("/_allauth/browser/v1/auth/password/request", body, content_type="application/json")
            assert answer.status_code == 200
        (sent,) = mail.outbox
        assert sent.to == ["somebody@stockweb.example"]
        key = sent.body.split(f"{SITE}/set-password/")[1].split()[0]
        body = json.dumps({"key": key, "password": "a-new-long-password"})
        client.post("/_allauth/browser/v1/auth/password/reset", body, content_type="application/json")
        assert User.objects.get().check_password("a-new-long-password")

"""The sandbox's token endpoint, driven by plain requests and by Authlib's own client: strict in every single thing."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from bridge import sandbox
from tests.unit.sandbox.running import Clinic
from tests.unit.sandbox.synthetic import note

CLIENT = "a-client"
KEYS: dict[str, Any] = {"ES384": ECKey.generate_key("P-384"), "RS384": RSAKey.generate_key(2048)}
OTHER = ECKey.generate_key("P-384")
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPE = "system/Patient.rs system/DocumentReference.crus"


class Published:
    """A client's key set, served on this machine."""

    def __init__(self, url: str, serve: Callable[[dict[str, Any]], None]) -> None:
        self.url = url
        self.serve = serve


@pytest.fixture(scope="module")
def published() -> Iterator[Published]:
    import threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    shown: dict[str, Any] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(shown).encode()
            self.send_response_only(200)
            self.send_header("Cache-Control", "max-age=300")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    def serve(keys: dict[str, Any]) -> None:
        shown.clear()
        shown.update(keys)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield Published(f"http://127.0.0.1:{server.server_address[1]}/jwks.json", serve)
    server.shutdown()
    server.server_close()
    thread.join()


def key_set(*names: str) -> dict[str, Any]:
    return {"keys": [KEYS[name].as_dict(private=False) | {"kid": name} for name in names]}


@pytest.fixture
def clinic(published: Published) -> Iterator[Clinic]:
    published.serve(key_set("ES384", "RS384"))
    with Clinic(sandbox.start("open", smart={CLIENT: published.url}, secrets={"other": "hush"})) as running:
        yield running


def endpoint(clinic: Clinic) -> str:
    found: str = clinic.fhir("GET", ".well-known/smart-configuration").json()["token_endpoint"]
    return found


def ask(clinic: Clinic, *, alg: str = "ES384", key: Any = None, header: Any = None, **changes: Any) -> httpx.Response:
    """A token call that is right but for the changes; None leaves a claim out."""
    now = int(time.time())
    form = {key: changes.pop(key) for key in ("grant_type", "scope", "client_assertion_type") if key in changes}
    id = f"id-{time.perf_counter_ns()}"
    claims = {"iss": CLIENT, "sub": CLIENT, "aud": endpoint(clinic), "exp": now + 240, "jti": id} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    head = {"alg": alg, "kid": alg, "typ": "JWT"} | (header or {})
    signed = jwt.encode(head, claims, key or KEYS[alg], algorithms=[alg])
    whole = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION, "scope": SCOPE} | form
    return clinic.http.post(endpoint(clinic), data=whole | {"client_assertion": signed})


def bearer(answer: httpx.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.mark.parametrize("alg", ["ES384", "RS384"])
def test_a_right_call_is_given_a_token(clinic: Clinic, alg: str) -> None:
    answer = ask(clinic, alg=alg)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["token_type"], told["expires_in"]) == ("bearer", 300)
    assert set(told["scope"].split()) == set(SCOPE.split())
    assert answer.headers["cache-control"] == "no-store"
    assert clinic.fhir("GET", "Patient?identifier=x", headers=bearer(answer)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"iss": "nobody"}, "invalid_client"),
        ({"sub": "nobody"}, "invalid_client"),
        ({"aud": "http://127.0.0.1/other"}, "invalid_client"),
        ({"aud": None}, "invalid_client"),
        ({"exp": int(time.time()) - 5}, "invalid_client"),
        ({"exp": int(time.time()) + 900}, "invalid_client"),
        ({"exp": None}, "invalid_client"),
        ({"jti": None}, "invalid_client"),
        ({"jti": "x" * 152}, "invalid_client"),
        ({"key": OTHER}, "invalid_client"),
        ({"header": {"kid": "unknown"}}, "invalid_client"),
        ({"header": {"kid": "RS384"}}, "invalid_client"),
        ({"header": {"typ": "at+jwt"}}, "invalid_client"),
        ({"header": {"jku": "http://127.0.0.1/elsewhere"}}, "invalid_client"),
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"client_assertion_type": "x"}, "invalid_request"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "user/Patient.rs"}, "invalid_scope"),
        ({"scope": "system/Patient.sr"}, "invalid_scope"),
        ({"scope": "system/Nothing.rs"}, "invalid_scope"),
    ],
)
def test_any_single_thing_that_is_wrong_is_refused(clinic: Clinic, changes: dict[str, Any], error: str) -> None:
    answer = ask(clinic, **changes)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_an_assertion_is_good_once(clinic: Clinic) -> None:
    assert ask(clinic, jti="the-same").status_code == 200
    assert ask(clinic, jti="the-same").json()["error"] == "invalid_client"


def test_a_set_with_a_private_member_is_no_set(clinic: Clinic, published: Published) -> None:
    published.serve({"keys": [KEYS["ES384"].as_dict(private=True) | {"kid": "ES384"}]})
    assert ask(clinic).json()["error"] == "invalid_client"


def test_a_key_set_is_kept_as_long_as_it_may_be(clinic: Clinic, published: Published) -> None:
    published.serve(key_set("ES384"))
    for _ in range(3):
        assert ask(clinic).status_code == 200
    assert clinic.admin("GET", "logins")["key_sets"][CLIENT]["fetched"] == 1
    published.serve(key_set("ES384", "RS384"))
    clinic.admin("PATCH", "settings", json={"reread_keys": False})
    assert ask(clinic, alg="RS384").json()["error"] == "invalid_client"
    clinic.admin("PATCH", "settings", json={"reread_keys": True})
    assert ask(clinic, alg="RS384").status_code == 200


def test_without_a_good_token_nothing_is_answered(clinic: Clinic) -> None:
    assert clinic.fhir("GET", "metadata").status_code == 200
    for headers in ({}, {"Authorization": "Bearer no"}, {"Authorization": "Basic bm8="}):
        assert clinic.fhir("GET", "Patient?identifier=x", headers=headers).status_code == 401
    good = bearer(ask(clinic, scope="system/Patient.r"))
    assert clinic.fhir("GET", "Patient?identifier=x", headers=good).status_code == 403
    clinic.order("expire", match={"type": "Patient"})
    good = bearer(ask(clinic))
    assert clinic.fhir("GET", "Patient?identifier=x", headers=good).status_code == 401
    clinic.admin("PATCH", "settings", json={"token_seconds": 1})
    good = bearer(ask(clinic))
    assert clinic.fhir("GET", "Patient?identifier=x", headers=good).status_code == 200
    time.sleep(1.05)
    assert clinic.fhir("GET", "Patient?identifier=x", headers=good).status_code == 401


def test_what_was_let_in_is_committed_late_though_its_token_ended(clinic: Clinic) -> None:
    clinic.admin("POST", "load", json=[{"resourceType": "Patient", "id": "p1"}])
    good = bearer(ask(clinic))
    for headers in ({}, good):  # the first is not let in, and never done
        clinic.order("commit-late", seconds=0.3, status=504)
        assert clinic.fhir("POST", "DocumentReference", json=note(), headers=headers).status_code == 504
    clinic.order("expire", match={"type": "Patient"})
    assert clinic.fhir("GET", "Patient?identifier=x", headers=good).status_code == 401
    assert clinic.held("DocumentReference") == 0
    until = time.monotonic() + 5
    while not clinic.held("DocumentReference") and time.monotonic() < until:
        time.sleep(0.02)
    assert clinic.held("DocumentReference") == 1


def test_faults_of_the_token_endpoint(clinic: Clinic) -> None:
    clinic.order("unknown-kid", match={"interaction": "token"})
    assert ask(clinic).json()["error"] == "invalid_client"
    clinic.order("503", match={"interaction": "token"})
    assert ask(clinic).status_code == 503
    clinic.order("drop-after", match={"interaction": "token"})
    with pytest.raises(httpx.HTTPError):
        ask(clinic)
    assert ask(clinic).status_code == 200


def test_a_shared_secret_in_header_or_body(clinic: Clinic) -> None:
    form = {"grant_type": "client_credentials", "scope": SCOPE}
    right = {"client_id": "other", "client_secret": "hush"}
    assert clinic.http.post(endpoint(clinic), data=form | right).status_code == 200
    assert clinic.http.post(endpoint(clinic), data=form, auth=("other", "hush")).status_code == 200
    assert clinic.http.post(endpoint(clinic), data=form, auth=("other", "loud")).json()["error"] == "invalid_client"
    assert clinic.http.post(endpoint(clinic), data=form).json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    ("shape", "alg", "scope", "error"),
    [
        ("ecw", "ES384", SCOPE, "invalid_client"),
        ("ecw", "RS384", "system/Group.read system/Patient.rs", "invalid_scope"),
        ("ecw", "RS384", SCOPE, ""),
        ("epic", "ES384", "", ""),
        ("oracle", "ES384", "system/Patient.rs", "invalid_scope"),
        ("oracle", "ES384", "system/Patient.read", ""),
        ("openemr", "ES384", "system/Patient.rs", ""),
    ],
)
def test_vendors_differ_as_their_facts_say(published: Published, shape: str, alg: str, scope: str, error: str) -> None:
    published.serve(key_set("ES384", "RS384"))
    with Clinic(sandbox.start(shape, smart={CLIENT: published.url})) as clinic:
        told = clinic.fhir("GET", ".well-known/smart-configuration").json()
        aud = told["token_endpoint"]
        url = aud if "://" in aud else f"{clinic.running.base_url}/{aud}"
        claims = {"iss": CLIENT, "sub": CLIENT, "aud": url, "exp": int(time.time()) + 60, "jti": shape + scope}
        signed = jwt.encode({"alg": alg, "kid": alg, "typ": "JWT"}, claims, KEYS[alg], algorithms=[alg])
        form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION, "client_assertion": signed}
        answer = clinic.http.post(url, data=form | ({"scope": scope} if scope else {}))
    assert answer.json().get("error", "") == error


def test_a_published_client_signs_in(clinic: Clinic) -> None:
    """Authlib's OAuth2Client with its PrivateKeyJWT (RFC 7523), as anybody would use it."""
    with warnings.catch_warnings():
        import authlib.deprecate  # noqa: F401 - it shows its own warnings always: ours comes after

        warnings.simplefilter("ignore")  # it would rather have a newer httpx
        from authlib.integrations.httpx_client import OAuth2Client
        from authlib.oauth2.rfc7523 import PrivateKeyJWT

    url = endpoint(clinic)
    pem = KEYS["RS384"].as_pem(private=True).decode()
    with OAuth2Client(CLIENT, pem, token_endpoint_auth_method="private_key_jwt", scope=SCOPE) as client:
        header, ends = {"kid": "RS384", "typ": "JWT"}, {"exp": int(time.time()) + 240}  # its own is an hour
        client.register_client_auth_method(PrivateKeyJWT(url, claims=ends, headers=header, alg="RS384"))
        client.fetch_token(url, grant_type="client_credentials")
        answer = client.get(f"{clinic.running.base_url}/Patient?identifier=x")
    assert answer.status_code == 200

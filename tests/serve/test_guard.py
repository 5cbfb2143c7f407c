"""Who may ask: pages of other sites may not, by whatever name they reach the server."""

import pytest
from serving import running

from s2st_interleave.serve import guard
from s2st_interleave.serve.models import Model

OURS = [
    "localhost:{port}",
    "LOCALHOST",
    "127.0.0.1:{port}",
    "127.0.0.1:9",
    "[::1]:{port}",
]
THEIRS = [
    "evil.example",
    "evil.example:{port}",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.1@evil.example",
    "evil.example/localhost",
    "[::1",
    "",
]


@pytest.mark.parametrize("host", OURS)
def test_this_machine_may_ask_by_its_names_and_addresses(host, place):
    assert place.ask("/health", headers=sent(place, Host=host)).status == 200


@pytest.mark.parametrize("host", THEIRS)
@pytest.mark.parametrize("path", ["/", "/health"])
def test_a_name_of_others_that_points_here_is_refused(host, path, place):
    reply = place.ask(path, headers=sent(place, Host=host))
    assert reply.status == 421 and "This host name is not served" in reply.json["error"]


def test_names_that_are_given_may_be_used(translator):
    with running([Model("a", translator)], hosts=["Speech.Example"]) as place:
        assert place.ask("/health", headers={"Host": "speech.example"}).status == 200
        assert place.ask("/health", headers={"Host": "other.example"}).status == 421
        through_proxy = {"Host": "127.0.0.1", "Origin": "https://speech.example"}
        assert place.ask("/translate", b"x", through_proxy).status == 422


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Origin": "http://127.0.0.1.evil.example:{port}"},
        {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_cannot_post(headers, place):
    reply = place.ask("/translate", b"x", sent(place, **headers))
    assert reply.status == 403 and "pages of other sites" in reply.json["error"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://127.0.0.1:{port}"},
        {"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_our_own_page_and_programs_may_post(headers, place):
    assert place.ask("/translate", b"x", sent(place, **headers)).status == 422


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/", None, {}),
        ("/page.js", None, {}),
        ("/health", None, {}),
        ("/none", None, {}),
        ("/translate", b"x", {}),
        ("/translate", b"x", {"Origin": "null"}),
        ("/", None, {"Host": "evil.example"}),
    ],
)
def test_every_response_has_the_policy(path, body, headers, place):
    reply = place.ask(path, body, headers)
    for name, value in guard.HEADERS.items():
        assert reply.headers[name.lower()] == value
    assert "access-control-allow-origin" not in reply.headers
    assert "server" not in reply.headers
    assert "unsafe" not in guard.POLICY


def sent(place, **headers: str) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {name: value.format(port=place.port) for name, value in named.items()}

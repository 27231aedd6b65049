"""Given a URL, an environment and a merchant's list, then whether browsers may go there."""

import pytest

from ledger.tenants import Environment
from ledger.tenants.redirects import origin_of, problem_of_redirect

LIST = frozenset(
    {"https://shop.example.com", "http://localhost:3000", "https://[2001:db8::1]:8443"}
)


@pytest.mark.parametrize("environment", ["live", "sandbox"])
@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example.com",
        "https://shop.example.com/",
        "https://shop.example.com/wallet?from=topup&x=%20#done",
        "https://shop.example.com?x=1",
        "https://shop.example.com#x",
        "https://SHOP.example.com:443/a",
        "https://192.0.2.1/a",
        "https://xn--bcher-kva.example/",
        "https://shop.example.com/@handle:8080//evil.example",
        "http://localhost/a",
        "http://LOCALHOST:3000/a",
        "http://127.0.0.1:8080/a",
        "http://[::1]:8080/a",
        "https://shop.example.com/" + "a" * (2048 - 25),
    ],
)
def test_plain_urls_are_allowed(url: str, environment: Environment) -> None:
    assert problem_of_redirect(url, environment) is None


@pytest.mark.parametrize("environment", ["live", "sandbox"])
@pytest.mark.parametrize(
    "url",
    [
        "",
        "/wallet",
        "//evil.example",
        "shop.example.com",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "ftp://shop.example.com/",
        "HTTPS://shop.example.com/",
        "https:shop.example.com",
        "https:/shop.example.com",
        "https:///shop.example.com",
        "https://",
        "https://?x",
        "https://:443/",
        "https://user@shop.example.com/",
        "https://user:secret@shop.example.com/",
        "https://shop.example.com@evil.example/",
        "https://@shop.example.com/",
        "https://evil.example\\@shop.example.com/",
        "https://shop.example.com\\.evil.example/",
        "https:\\\\shop.example.com/",
        "https://shop.example.com/a b",
        " https://shop.example.com/",
        "https://shop.example.com/\n",
        "https://shop.example.com/\r\nSet-Cookie: a=b",
        "https://shop.exa\tmple.com/",
        "https://shop.example.com/\x00",
        "https://shop.example.com/\x7f",
        "https://shop.example.com/é",
        "https://bücher.example/",
        "https://shop.example.com。evil.example/",
        "https://shop.example.com\u2028/",
        "https://shop%2eexample.com/",
        "https://shop.example.com:/",
        "https://shop.example.com:0/",
        "https://shop.example.com:65536/",
        "https://shop.example.com:80:90/",
        "https://shop.example.com:\uff18\uff10/",
        "https://[::1/",
        "https://::1/",
        "https://[fe80::1%25eth0]/",
        "https://shop.example.com/" + "a" * (2049 - 25),
        "\ud800",
    ],
)
def test_what_a_browser_may_read_differently_is_not(url: str, environment: Environment) -> None:
    assert problem_of_redirect(url, environment) is not None


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example.com/",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://127.1/",
        "http://2130706433/",
        "http://[::2]/",
        "http://0.0.0.0/",
    ],
)
def test_without_tls_only_a_sandbox_or_this_machine(url: str) -> None:
    assert problem_of_redirect(url, "live") == "must be an https URL"
    assert problem_of_redirect(url, "sandbox") is None


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://shop.example.com/wallet", True),
        ("https://shop.example.com:443", True),
        ("https://SHOP.EXAMPLE.COM/x", True),
        ("http://localhost:3000/x", True),
        ("https://[2001:DB8::1]:8443/x", True),
        ("https://shop.example.com:8443/wallet", False),
        ("http://shop.example.com/wallet", False),
        ("https://www.shop.example.com/", False),
        ("https://shop.example.com.evil.example/", False),
        ("https://shop.example.com./", False),
        ("https://evil.example/?https://shop.example.com", False),
        ("https://evil.example#https://shop.example.com", False),
        ("http://localhost/", False),
        ("https://localhost:3000/", False),
        ("http://localhost:30001/", False),
    ],
)
def test_where_a_list_is_kept_nothing_else_is_allowed(url: str, *, is_allowed: bool) -> None:
    assert (problem_of_redirect(url, "sandbox", LIST) is None) == is_allowed


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://shop.example.com", "https://shop.example.com"),
        ("https://Shop.Example.com:443", "https://shop.example.com"),
        ("http://localhost:80", "http://localhost"),
        ("http://localhost:443", "http://localhost:443"),
        ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://shop.example.com/", None),
        ("https://shop.example.com/a", None),
        ("https://*.example.com", None),
        ("https://user@shop.example.com", None),
        ("https://shop.example.com\n", None),
        ("https://shop.example.com:99999", None),
        ("shop.example.com", None),
        ("null", None),
        ("", None),
    ],
)
def test_an_origin_has_one_spelling(text: str, origin: str | None) -> None:
    assert origin_of(text) == origin

"""The checkout's pure parts: where the browser lands, what its pages say, who signed."""

from datetime import UTC, datetime

import pytest

from schemas.results import TopupStatus, TopupView
from services.gateway.checkout.landing import landing_url
from services.gateway.checkout.pages import over_page, pay_page, waiting_page
from services.gateway.checkout.shown_topup import ShownTopup
from services.gateway.payments.provider import ForgedCallbackError
from services.gateway.payments.signatures import check_signature

TOPUP = "top_" + "0a" * 16
TOLD = f"topup_id={TOPUP}&status="
NOW = datetime(2026, 11, 22, 10, 5, tzinfo=UTC)


def view(redirect_url: str, cancel_url: str | None = None, description: str = "") -> TopupView:
    return TopupView(
        id=TOPUP,
        wallet_id="wal_" + "0b" * 16,
        status="pending",
        amount=2050,
        currency="GHS",
        reference="r",
        description=description,
        redirect_url=redirect_url,
        cancel_url=cancel_url,
        expires_at=NOW,
        created_at=NOW,
        updated_at=NOW,
        version=2,
    )


def shown(topup: TopupView, status: TopupStatus = "pending") -> ShownTopup:
    return ShownTopup(
        tenant_id="t",
        environment="sandbox",
        merchant='<b>"Ama & Sons"</b>',
        customer_id="<i>cus</i>",
        status=status,
        view=topup,
    )


@pytest.mark.parametrize(
    ("url", "landing"),
    [
        ("https://shop.example", "https://shop.example?{}"),
        ("https://shop.example/", "https://shop.example/?{}"),
        ("https://shop.example/a?b=c", "https://shop.example/a?b=c&{}"),
        ("https://shop.example/a?", "https://shop.example/a?{}"),
        ("https://shop.example/a?b=%2F&", "https://shop.example/a?b=%2F&{}"),
        ("https://shop.example/a#part?x", "https://shop.example/a?{}#part?x"),
        ("https://shop.example/a?b=c#part", "https://shop.example/a?b=c&{}#part"),
        ("https://shop.example/a#", "https://shop.example/a?{}#"),
        ("http://[::1]:8080/a;b?status=mine", "http://[::1]:8080/a;b?status=mine&{}"),
    ],
)
def test_the_landing_keeps_all_that_the_merchants_url_says(url: str, landing: str) -> None:
    assert landing_url(view(url), "completed") == landing.format(f"{TOLD}completed")


@pytest.mark.parametrize(
    ("status", "page"),
    [("completed", "paid"), ("expired", "paid"), ("unapplied", "paid"), ("cancelled", "off")],
)
def test_only_a_cancel_lands_on_the_cancel_url(status: TopupStatus, page: str) -> None:
    topup = view("https://shop.example/paid", "https://shop.example/off")

    assert landing_url(topup, status) == f"https://shop.example/{page}?{TOLD}{status}"


def test_without_a_cancel_url_a_cancel_lands_on_the_redirect_url() -> None:
    landing = landing_url(view("https://shop.example/paid"), "cancelled")

    assert landing == f"https://shop.example/paid?{TOLD}cancelled"


def test_what_others_have_written_is_text_on_every_page() -> None:
    topup = view('https://shop.example/"><script>', description="<script>alert(1)</script>")
    pages = [
        pay_page(shown(topup), "https://provider.example"),
        over_page(shown(topup, "expired")),
        waiting_page(shown(topup), again="return?look=1", pause_seconds=2, may_leave=True),
    ]

    for page in pages:
        html = page.body_bytes.decode()
        for markup in ("<script", "<b>", "<i>cus"):
            assert markup not in html
        assert "&lt;b&gt;&quot;Ama &amp; Sons&quot;&lt;/b&gt;" in html
        assert b"default-src 'none'; style-src 'sha256-" in page.headers_bytes


def test_what_others_have_written_cannot_turn_around_what_stands_beside_it() -> None:
    topup = shown(view("https://shop.example/", description="\u202edescription"))
    paid, over = (
        page.body_bytes.decode()
        for page in (pay_page(topup, "https://p.example"), over_page(topup))
    )

    merchant = "<bdi>&lt;b&gt;&quot;Ama &amp; Sons&quot;&lt;/b&gt;</bdi>"
    assert f"<dd>{merchant}</dd>" in paid
    assert f"Back to {merchant}</a>" in over
    assert "<dd><bdi>&lt;i&gt;cus&lt;/i&gt;</bdi></dd>" in paid
    assert "<p><bdi>\u202edescription</bdi></p>" in paid


def test_a_form_may_lead_to_the_provider_and_to_the_merchants_scheme_only() -> None:
    secure = pay_page(shown(view("https://shop.example/")), "https://provider.example")
    plain = pay_page(shown(view("https://a.example/", "http://b.example/")), "http://p.example")

    assert b"form-action 'self' https://provider.example https:; " in secure.headers_bytes
    assert b"form-action 'self' http://p.example https: http:; " in plain.headers_bytes


def test_the_page_says_until_when_it_can_be_paid_for() -> None:
    html = pay_page(shown(view("https://shop.example/")), "https://p.example").body_bytes.decode()

    assert '<time datetime="2026-11-22T10:05:00+00:00">22 November 2026, 10:05 UTC</time>' in html


def test_the_way_back_is_offered_after_a_while_and_nothing_is_said_to_have_happened() -> None:
    topup = shown(view("https://shop.example/paid"))
    pages = [
        waiting_page(topup, again="return?look=1", pause_seconds=2, may_leave=may_leave)
        for may_leave in (False, True)
    ]

    first, later = (page.body_bytes.decode() for page in pages)
    assert "shop.example" not in first
    assert f"https://shop.example/paid?topup_id={TOPUP}&amp;status=pending" in later


# Signatures. The right one is what OpenSSL makes:
# printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret

SIGNED_AT = "1700000000"
BODY = b'{"a":1}'
RIGHT = "v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686"


def check(**other: object) -> None:
    values: dict[str, object] = {
        "timestamp": SIGNED_AT,
        "signature": RIGHT,
        "body": BODY,
        "now": 1_700_000_000.0,
    }
    check_signature("secret", **(values | other))  # type: ignore[arg-type]


@pytest.mark.parametrize("age", [0.0, 300.0, -300.0])
def test_a_right_signature_passes_for_five_minutes(age: float) -> None:
    check(now=1_700_000_000.0 + age)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"signature": None}, "not signed"),
        ({"timestamp": None}, "not signed"),
        ({"signature": ""}, "signature is wrong"),
        ({"signature": RIGHT.removeprefix("v1=")}, "signature is wrong"),
        ({"signature": RIGHT.upper()}, "signature is wrong"),
        ({"signature": RIGHT[:-1]}, "signature is wrong"),
        ({"signature": "v1=" + "é" * 64}, "signature is wrong"),
        ({"signature": "v1=\udcff"}, "signature is wrong"),
        ({"body": b'{"a":2}'}, "signature is wrong"),
        ({"timestamp": "1700000001"}, "signature is wrong"),
        ({"timestamp": "1700000000.0"}, "not a number"),
        ({"timestamp": "-1700000000"}, "not a number"),
        ({"timestamp": "1" * 13}, "not a number"),
        ({"now": 1_700_000_301.0}, "too long ago"),
        ({"now": 1_699_999_699.0}, "ahead of now"),
    ],
)
def test_a_callback_that_is_not_signed_so_is_refused(other: dict[str, object], why: str) -> None:
    with pytest.raises(ForgedCallbackError, match=why):
        check(**other)

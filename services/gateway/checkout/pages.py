"""The checkout's pages: plain HTML, without scripts and without anything from elsewhere. Pure."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC
from html import escape
from pathlib import Path
from string import Template
from typing import Final, NamedTuple

from schemas.money import formatted
from schemas.results import TopupStatus
from services.gateway.answers import Answer, header
from services.gateway.checkout.landing import landing_url
from services.gateway.checkout.shown_topup import ShownTopup

_FOLDER: Final = Path(__file__).with_name("page")
_STYLE: Final = (_FOLDER / "style.css").read_text(encoding="utf-8")
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

_HEADERS: Final = b"".join(
    header(name, value)
    for name, value in (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
    )
)
_RETRY_AFTER: Final = header("Retry-After", "2")

_WORDS: Final[dict[TopupStatus, tuple[str, str]]] = {
    "pending": ("Waiting for the payment", "The payment is not confirmed yet."),
    "completed": ("Paid", "The payment has arrived, and the money is in the wallet."),
    "cancelled": ("Cancelled", "This top-up was cancelled. It cannot be paid for any more."),
    "expired": (
        "Expired",
        "The time for this payment is over. What was paid in time is credited when it arrives.",
    ),
    "unapplied": (
        "Payment not credited",
        "The payment has arrived, but the wallet could not take it. The merchant will settle it.",
    ),
}


class Link(NamedTuple):
    """A way on from a page. `name` is what somebody is called, behind the text."""

    url: str
    text: str
    name: str = ""


def _template(name: str) -> Template:
    return Template((_FOLDER / f"{name}.html").read_text(encoding="utf-8"))


_FRAME: Final = _template("frame")
_PAY: Final = _template("pay")
_MESSAGE: Final = _template("message")


def _isolated(text: str) -> str:
    """What others wrote, as markup that cannot turn around what stands beside it."""
    return f"<bdi>{escape(text)}</bdi>"


def pay_page(topup: ShownTopup, provider_origin: str) -> Answer:
    """The page of a pending top-up, with its two forms."""
    view = topup.view
    amount = formatted(view.amount, view.currency)
    until = view.expires_at.astimezone(UTC)
    content = _PAY.substitute(
        amount=escape(amount),
        description=f"<p>{_isolated(view.description)}</p>" if view.description else "",
        merchant=_isolated(topup.merchant),
        customer=_isolated(topup.customer_id),
        until=f"{until.day} {until:%B %Y, %H:%M} UTC",
        until_machine=until.isoformat(timespec="seconds"),
        topup_id=view.id,
    )
    policy = _policy(_form_targets(topup, provider_origin))
    return _framed(200, f"Pay {amount}", topup.merchant, content, policy=policy)


def over_page(topup: ShownTopup) -> Answer:
    """The page of a top-up that is over: what became of it, and the way back."""
    title, text = _WORDS[topup.status]
    back = Link(landing_url(topup.view, topup.status), "Back to ", topup.merchant)
    return message_page(200, title, text, merchant=topup.merchant, links=[back])


def not_paid_here_page(topup: ShownTopup) -> Answer:
    """The page of a top-up for which nobody takes payments, as of a live tenant's."""
    text = "No payment provider takes this payment here. Ask the merchant how to pay."
    return message_page(409, "This cannot be paid here", text, merchant=topup.merchant)


def waiting_page(topup: ShownTopup, *, again: str, pause_seconds: int, may_leave: bool) -> Answer:
    """The page while the payment is not confirmed: it asks `again`, by itself, after a pause."""
    title, text = _WORDS["pending"]
    text += " This page looks again by itself."
    links = [Link(again, "Look again")]
    if may_leave:
        text += " You may also go back: the money is credited as soon as it has arrived."
        url = landing_url(topup.view, "pending")
        links.insert(0, Link(url, "Back to ", topup.merchant))
    return message_page(
        200,
        title,
        text,
        merchant=topup.merchant,
        links=links,
        refresh=f'<meta http-equiv="refresh" content="{pause_seconds};url={escape(again)}">',
    )


def message_page(
    status: int,
    title: str,
    text: str,
    *,
    merchant: str = "",
    links: Sequence[Link] = (),
    refresh: str = "",
) -> Answer:
    """A page that says one thing, and where to go from it; the first way is the main one."""
    kinds = ("button", *("button quiet" for _ in links))
    shown = "\n".join(
        f'<a class="{kind}" href="{escape(link.url)}">{_text_of(link)}</a>'
        for kind, link in zip(kinds, links, strict=False)
    )
    content = _MESSAGE.substitute(title=escape(title), text=escape(text), links=shown)
    return _framed(status, title, merchant, content, refresh=refresh)


def _text_of(link: Link) -> str:
    return escape(link.text) + (_isolated(link.name) if link.name else "")


def _framed(
    status: int,
    title: str,
    merchant: str,
    content: str,
    *,
    refresh: str = "",
    policy: bytes | None = None,
) -> Answer:
    html = _FRAME.substitute(
        title=escape(f"{title} · {merchant}" if merchant else title),
        merchant=_isolated(merchant) if merchant else "",
        style=_STYLE,
        refresh=refresh,
        content=content,
    )
    retry = _RETRY_AFTER if status == 503 else b""
    return Answer(status, _HEADERS + (policy or _policy(["'none'"])) + retry, html.encode())


def _policy(form_targets: Sequence[str]) -> bytes:
    return header(
        "Content-Security-Policy",
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
        f"form-action {' '.join(form_targets)}; frame-ancestors 'none'",
    )


def _form_targets(topup: ShownTopup, provider_origin: str) -> list[str]:
    """Where the forms may lead. Chromium asks this of every redirect after one, too.

    A merchant's page may redirect further, from its domain to its www, so any host of the
    scheme is allowed; the forms have nothing in them that could be lost.
    """
    urls = [topup.view.redirect_url, topup.view.cancel_url or ""]
    is_plain = any(url.startswith("http:") for url in urls)
    return ["'self'", provider_origin, "https:", *(["http:"] if is_plain else [])]

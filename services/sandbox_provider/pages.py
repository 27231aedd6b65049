"""The provider's pages: plain HTML, without scripts and without anything from elsewhere. Pure."""

import base64
import hashlib
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from schemas.money import formatted
from services.sandbox_provider.cards import CARDS
from services.sandbox_provider.sessions import Session

_FOLDER: Final = Path(__file__).with_name("page")
_STYLE: Final = (_FOLDER / "style.css").read_text(encoding="utf-8")
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS: Final = {
    # No form-action: Chromium holds the redirects after a form to it, and where the customer
    # goes after the payment is the merchant's affair.
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

NOTICES: Final = {
    "declined": "The card was declined. Nothing was paid; try another one.",
    "no-card-number": "This is not a card number. Check it, or take one of the test cards.",
    "no-test-card": "Only the test cards below can pay here.",
}
"""What a page may say of the last try, by the word in its query."""


def _template(name: str) -> Template:
    return Template((_FOLDER / f"{name}.html").read_text(encoding="utf-8"))


_FRAME: Final = _template("frame")
_PAY: Final = _template("pay")
_OVER: Final = _template("over")
_CARDS: Final = "\n".join(
    f"<dt>{escape(card.shown)}</dt><dd>{escape(card.effect)}</dd>" for card in CARDS
)


def session_page(session: Session, now: float, notice: str | None) -> str:
    """The page of a session: a form while it can be paid, and what became of it afterwards."""
    if session.status == "paid":
        return _over(session, "Paid", "This payment is made. It cannot be paid twice.")
    if session.status == "cancelled":
        return _over(session, "Cancelled", "This payment was cancelled. Nothing was paid.")
    if now >= session.expires_at:
        return _over(session, "Too late", "This payment has expired. Nothing was paid.")
    return _to_pay(session, NOTICES.get(notice or ""))


def unknown_page() -> str:
    """The page where there is no such session."""
    return _framed("Not found", "<h1>Not found</h1>\n<p>There is no such payment.</p>")


def _isolated(text: str) -> str:
    # It cannot turn around what stands beside it.
    return f"<bdi>{escape(text)}</bdi>"


def _to_pay(session: Session, notice: str | None) -> str:
    amount = formatted(session.amount, session.currency)
    content = _PAY.substitute(
        merchant=_isolated(session.merchant),
        amount=escape(amount),
        description=f"<p>{_isolated(session.description)}</p>" if session.description else "",
        notice=f'<p class="notice" id="notice" role="alert">{escape(notice)}</p>' if notice else "",
        described=' aria-describedby="notice" aria-invalid="true"' if notice else "",
        session_id=session.session_id,
        cards=_CARDS,
    )
    return _framed(f"Pay {amount}", content)


def _over(session: Session, title: str, text: str) -> str:
    content = _OVER.substitute(
        title=escape(title),
        text=escape(text),
        merchant=_isolated(session.merchant),
        return_url=escape(session.return_url),
    )
    return _framed(title, content)


def _framed(title: str, content: str) -> str:
    return _FRAME.substitute(title=escape(f"{title} · Sandbox Pay"), style=_STYLE, content=content)

"""The test cards: each makes one thing happen that a real provider does now and then. Pure."""

import re
from typing import Final, Literal

from msgspec import Struct

from services.sandbox_provider.sessions import Callback, Session, body_of

SLOW_SECONDS: Final = 4.0
"""How long after the payment the slow card's callback is sent: the browser is back by then."""
LATE_SECONDS: Final = 2.0
"""How long after the session's end the late card's callback is sent."""

Behaviour = Literal["succeed", "decline", "slow", "duplicate", "late", "forged"]

_NOT_DIGITS: Final = re.compile(r"[\s-]+")
_NUMBER: Final = re.compile(r"[0-9]{12,19}", re.ASCII)


class Card(Struct, frozen=True, kw_only=True):
    """A card number, without spaces, and what paying with it does."""

    number: str
    behaviour: Behaviour
    effect: str

    @property
    def shown(self) -> str:
        """The number in groups of four."""
        return " ".join(self.number[at : at + 4] for at in range(0, len(self.number), 4))


CARDS: Final = (
    Card(number="4242424242424242", behaviour="succeed", effect="The payment succeeds."),
    Card(number="4000000000000002", behaviour="decline", effect="The card is declined."),
    Card(
        number="4000000000000010",
        behaviour="slow",
        effect="It succeeds; the callback comes four seconds later.",
    ),
    Card(
        number="4000000000000028",
        behaviour="duplicate",
        effect="It succeeds; the callback comes twice.",
    ),
    Card(
        number="4000000000000036",
        behaviour="late",
        effect="It succeeds; the callback comes two seconds after the session's end.",
    ),
    Card(
        number="4000000000000044",
        behaviour="forged",
        effect="It succeeds; the first callback is signed wrongly, the next one rightly.",
    ),
)

_BY_NUMBER: Final = {card.number: card for card in CARDS}


def digits_of(text: str) -> str | None:
    """The card number that a person wrote; None if it cannot be one."""
    digits = _NOT_DIGITS.sub("", text)
    return digits if _NUMBER.fullmatch(digits) and _passes_luhn(digits) else None


def card_of(digits: str) -> Card | None:
    """The test card of this number, if it is one."""
    return _BY_NUMBER.get(digits)


def callbacks_after(
    behaviour: Behaviour, session: Session, payment_id: str, now: float
) -> list[Callback]:
    """What is told after a payment was tried with a card that behaves so."""
    if behaviour == "decline":
        return [Callback(body=body_of(session, "payment.failed", payment_id, now), due_at=now)]
    body = body_of(session, "payment.succeeded", payment_id, now)
    told = Callback(body=body, due_at=now)
    match behaviour:
        case "succeed":
            return [told]
        case "duplicate":
            return [told, told]
        case "slow":
            return [Callback(body=body, due_at=now + SLOW_SECONDS)]
        case "late":
            return [Callback(body=body, due_at=session.expires_at + LATE_SECONDS)]
        case "forged":
            return [Callback(body=body, due_at=now, forged_attempts=1)]


def _passes_luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(number // 10 + number % 10 for number in doubled) % 10 == 0

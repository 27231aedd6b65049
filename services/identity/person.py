"""The person behind a wallet, in one canonical form. Pure; it shows nothing where it is printed."""

from datetime import date

import msgspec

from schemas.personal import Personal

_FORM = b"identity.v1\n"


class Identity(Personal, frozen=True, kw_only=True):
    """What a customer said, read and normalised; None is what the call does not ask for.

    Names and addresses are trimmed and in NFC, `phone_number` is E.164.
    """

    bvn: str
    nin: str | None = None
    first_name: str
    last_name: str
    date_of_birth: date
    phone_number: str
    email: str
    address: str
    postal_code: str | None = None
    country: str | None = None
    state: str | None = None
    lga: str | None = None
    city: str | None = None

    def account_name(self) -> str:
        """The name that the account is kept under."""
        return f"{self.first_name} {self.last_name}"

    def canonical_bytes(self) -> bytes:
        """The same bytes for the same details and for no others; to be compared by HMAC only.

        A field that is added later must be left out here where it is None, or have a form of
        its own: what was compared once is kept.
        """
        fields = {
            name: value for name, value in msgspec.structs.asdict(self).items() if value is not None
        }
        return _FORM + msgspec.json.encode(fields, order="sorted")

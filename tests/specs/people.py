"""People of the tests: bodies that are sound, and what they are read as."""

from datetime import date

from services.gateway.baas.kyc_fields import Rules
from services.identity.person import Identity

TODAY = date(2026, 6, 1)
SANDBOX = Rules(sandbox=True, today=TODAY)
LIVE = Rules(sandbox=False, today=TODAY)

TIER_ONE: dict[str, object] = {
    "bvn": "22222222222",
    "first_name": "Ngozi",
    "last_name": "Adéyemí-O'Neill",
    "date_of_birth": "29-02-1992",
    "phone_number": "0801 234 5678",
    "email": "ngozi@Example.com",
    "address": "12 Marina Road",
}
TIER_TWO: dict[str, object] = TIER_ONE | {"nin": "11111111111"}
TIER_THREE: dict[str, object] = {
    "address": "12 Marina Road",
    "bvn": "22222222222",
    "nin": "11111111111",
    "postal_code": "101-233",
    "country": "Nigeria",
    "state": "Lagos",
    "lga": "Lagos Island",
    "city": "Lagos",
    "first_name": "Ngozi",
    "last_name": "Adéyemí-O'Neill",
    "phone": "+2348012345678",
    "email": "ngozi@example.com",
    "dob": "1992-02-29",
}
NGOZI = Identity(
    bvn="22222222222",
    first_name="Ngozi",
    last_name="Adéyemí-O'Neill",
    date_of_birth=date(1992, 2, 29),
    phone_number="+2348012345678",
    email="ngozi@example.com",
    address="12 Marina Road",
)
PERSONAL_STRINGS = (
    *("22222222222", "11111111111", "Ngozi", "yemí-O'Neill", "8012345678", "801 234 5678"),
    *("ngozi@", "Marina Road", "29-02-1992", "1992-02-29", "101-233", "Lagos Island"),
)
"""What stands for these people, in every spelling that anything here may give it."""

"""The landing: where the browser goes when the checkout is over. Pure.

It goes only where the merchant said when the top-up was made: to its `redirect_url`, or its
`cancel_url` after a cancel. Both were checked then, and have visible ASCII characters only.
"""

from urllib.parse import urlencode

from schemas.results import TopupStatus, TopupView


def landing_url(view: TopupView, status: TopupStatus) -> str:
    """Where to go, with `topup_id` and `status` behind what the query has already."""
    url = view.redirect_url
    if status == "cancelled" and view.cancel_url is not None:
        url = view.cancel_url
    told = urlencode({"topup_id": view.id, "status": status})
    # Nothing else of it is touched: a merchant may have signed it.
    before, hash_sign, fragment = url.partition("#")
    joint = "?" if "?" not in before else "" if before.endswith(("?", "&")) else "&"
    return f"{before}{joint}{told}{hash_sign}{fragment}"

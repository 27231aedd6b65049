"""What is wrong with a KYC body: the refusal, or the code of one field that was changed."""

from collections.abc import Callable
from typing import Any

import pytest

from services.gateway.baas.kyc_fields import Rules, read_tier_one, read_tier_three
from services.gateway.problems import RefusedError
from tests.specs.people import SANDBOX, TIER_ONE, TIER_THREE


def refusal(read: Callable[..., object], *arguments: Any) -> RefusedError:
    """Why a body is refused."""
    with pytest.raises(RefusedError) as caught:
        read(*arguments)
    return caught.value


def refusal_if_any(read: Callable[..., object], *arguments: Any) -> RefusedError | None:
    """Why a body is refused, if it is."""
    try:
        read(*arguments)
    except RefusedError as error:
        return error
    return None


def code_of_one(
    field: str, value: object, body: dict[str, object] = TIER_ONE, rules: Rules = SANDBOX
) -> str | None:
    """What is wrong with one field of a body that is sound otherwise; None if nothing is."""
    read = read_tier_three if body is TIER_THREE else read_tier_one
    refused = refusal_if_any(read, body | {field: value}, rules)
    if refused is None:
        return None
    (problem,) = refused.errors
    assert problem.param == field
    return problem.code

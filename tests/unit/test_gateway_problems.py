"""Problems: how a refusal names what it is about, and that the log is told its code."""

import json

import pytest

from schemas.http.problems import PROBLEMS, FieldProblem
from schemas.rejections import InsufficientFunds, Rejection, WalletFrozen, WalletUnknown
from services.gateway.answers import Answer
from services.gateway.calls import invalid_parameter
from services.gateway.credit_wallets.wishes import read_wish
from services.gateway.problems import (
    RefusedError,
    invalid_fields,
    problem,
    problem_of_error,
    problem_of_rejection,
)
from services.gateway.requests import malformed

HOLD = "hol_" + "0a" * 16


def detail_of(error: RefusedError) -> str:
    detail: str = json.loads(problem_of_error(error, "req_1").body_bytes)["detail"]
    return detail


def fields(count: int) -> list[FieldProblem]:
    return [
        FieldProblem(param=f"f{number}", code="missing", detail="is required")
        for number in range(count)
    ]


def test_a_sentence_begins_with_what_it_is_about() -> None:
    assert detail_of(invalid_parameter("limit", "must be given once")) == "limit must be given once"
    assert detail_of(malformed("must not contain NUL", param="reference")) == (
        "reference must not contain NUL"
    )
    assert detail_of(malformed("the body is not UTF-8")) == "the body is not UTF-8"


def test_every_field_is_in_the_sentence_of_a_few() -> None:
    assert detail_of(invalid_fields(fields(1))) == "f0 is required"
    assert detail_of(invalid_fields(fields(2))) == "f0 is required; f1 is required"
    assert detail_of(invalid_fields(fields(10))).endswith("; f9 is required")


def test_the_sentence_of_many_fields_is_cut_and_the_list_is_not() -> None:
    """A batch has up to a thousand commands, with a field or more to blame in each."""
    answer = problem_of_error(invalid_fields(fields(3000)), "req_1")
    told = json.loads(answer.body_bytes)
    assert told["detail"].endswith("; f9 is required; and 2990 more")
    assert len(told["errors"]) == 3000
    assert told["param"] == "f0"


@pytest.mark.parametrize("code", sorted(PROBLEMS))
def test_a_problem_has_its_code_for_the_log(code: str) -> None:
    assert problem(code, "why", "req_1").code == code


def test_a_decline_has_its_code_for_the_log() -> None:
    declines: dict[Rejection, str] = {
        InsufficientFunds(amount=2, available=1): "insufficient_funds",
        WalletFrozen(): "wallet_frozen",
        WalletUnknown(): "wallet_not_found",
    }
    for rejection, code in declines.items():
        assert problem_of_rejection(rejection, "req_1", {}, b"").code == code


def test_a_success_has_no_code_and_keeps_no_place_for_one() -> None:
    answer = Answer(200)
    assert answer.code is None
    assert "code" not in vars(answer)


@pytest.mark.parametrize(
    ("member", "params"),
    [
        ({"type": "debit"}, ["wallet_id", "amount", "reference"]),
        ({"type": "debit", "wallet_id": None, "amount": 1, "reference": "r"}, ["wallet_id"]),
        ({"type": "freeze", "wallet_id": "x", "scope": "all of it"}, ["wallet_id", "scope"]),
        ({"type": "void", "hold_id": "txn_" + "0a" * 16}, ["hold_id"]),
        ({"type": "capture", "hold_id": HOLD, "amount": 0}, ["amount"]),
        ({"type": "reverse", "transaction_id": []}, ["transaction_id", "reference"]),
        ({"type": ["debit"], "wallet_id": 1}, ["type"]),
        ({"wallet_id": 1}, ["type"]),
    ],
)
def test_a_member_of_a_batch_is_told_all_that_is_wrong_with_it(
    member: dict[str, object], params: list[str]
) -> None:
    with pytest.raises(RefusedError) as caught:
        read_wish(json.dumps(member).encode())
    assert [found.param for found in caught.value.errors] == params
    assert caught.value.param == params[0]


def test_a_member_is_not_asked_for_names_that_it_has_no_use_for() -> None:
    """As any other field that a command does not have."""
    member = {"type": "void", "hold_id": HOLD, "wallet_id": 7}
    assert read_wish(json.dumps(member).encode())[0] == "void"

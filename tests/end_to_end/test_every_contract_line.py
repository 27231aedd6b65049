"""Every line of the Credit Wallets API's contract has a proof: a check here, or a test elsewhere.

The checks are made on the processes that `ledger up` starts, over HTTP, by curl.
"""

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.end_to_end.contract_calls import CALLS
from tests.end_to_end.contract_merchant import contract_merchant
from tests.end_to_end.contract_rules import RULES
from tests.end_to_end.contract_topups import TOPUPS
from tests.specs.running_stack import RunningStack

TESTS = Path(__file__).parents[1]

CHECKS = {**CALLS, **RULES, **TOPUPS}


class Proof(NamedTuple):
    """A test that proves a line where curl against a healthy stack cannot."""

    file: str
    test: str


PROVEN_ELSEWHERE = {
    "401 credentials, however they are wrong": Proof(
        "integration/test_errors.py", "test_every_refusal_of_the_table"
    ),
    "403 scope": Proof(
        "integration/test_gateway_batches.py", "test_scopes_are_asked_for_by_command"
    ),
    "404 of another tenant's wallet": Proof(
        "end_to_end/test_operating.py", "test_another_merchants_wallet_does_not_exist"
    ),
    "503 outcome_unknown with Retry-After": Proof(
        "unit/test_gateway_answers.py", "test_every_failure_is_a_problem"
    ),
    "after outcome_unknown the same reference has one effect": Proof(
        "conformance/test_writers.py", "test_an_unclear_commit_is_resolved_to_one_effect"
    ),
    "503 read_model_behind": Proof(
        "integration/test_gateway_reads.py", "test_a_history_that_is_behind_is_refused"
    ),
    "a client's mistake is never a 500": Proof(
        "integration/test_openapi_fuzz.py", "test_no_call_gets_an_answer_outside_the_document"
    ),
    "no error shows a stack trace or SQL": Proof(
        "unit/test_gateway_answers.py", "test_every_failure_is_a_problem"
    ),
    "the order of the refusals is documented": Proof(
        "unit/test_docs.py", "test_every_code_of_a_problem_has_its_place_in_the_order"
    ),
    "the order of the refusals is tested": Proof(
        "integration/test_gateway_refusals.py", "test_refusals_by_the_wallets_state"
    ),
    "references of two tenants are apart": Proof(
        "integration/test_gateway.py", "test_a_reference_is_each_merchants_own"
    ),
    "an Idempotency-Key with other content is refused": Proof(
        "integration/test_gateway_refusals.py", "test_an_idempotency_key_reused_for_something_else"
    ),
    "a create can be retried": Proof(
        "integration/test_gateway.py", "test_an_idempotency_key_makes_a_create_repeatable"
    ),
    "a refused exponent, however it is spelled": Proof(
        "integration/test_errors.py", "test_every_refusal_of_the_table"
    ),
    "an expired credit lapses with nobody touching the wallet": Proof(
        "end_to_end/test_lapses.py", "test_an_expired_credit_lapses_with_nobody_touching_the_wallet"
    ),
    "a read after an acknowledgement, under load": Proof(
        "end_to_end/test_reading_your_write.py", "test_every_write_is_seen_by_the_reads_after_it"
    ),
}


@pytest.mark.parametrize("line", list(CHECKS))
async def test_the_line_holds(line: str, stack: RunningStack) -> None:
    await CHECKS[line](contract_merchant(stack))


@pytest.mark.parametrize("line", list(PROVEN_ELSEWHERE))
def test_the_proof_is_there(line: str) -> None:
    proof = PROVEN_ELSEWHERE[line]
    assert f"def {proof.test}(" in (TESTS / proof.file).read_text(encoding="utf-8")


def test_no_line_has_two_meanings() -> None:
    named = [*CALLS, *RULES, *TOPUPS, *PROVEN_ELSEWHERE]
    assert len(named) == len(set(named))

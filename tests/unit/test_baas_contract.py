"""Every line of the BaaS API's contract has its proof: a test elsewhere, by name.

A call that the published document has, and that no line proves, fails here.
"""

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from services.gateway.docs import BAAS_OPENAPI_FILE

TESTS = Path(__file__).parents[1]


class Proof(NamedTuple):
    """Where a line is proven."""

    file: str
    test: str


ACCOUNTS = "integration/test_baas_accounts.py"
AGREES = "end_to_end/test_both_apis_agree.py"
AMOUNTS = "unit/test_baas_amounts.py"
COMMANDS = "integration/test_customers_command_line.py"
CUSTOMERS = "integration/test_baas_customers.py"
ENVELOPES = "unit/test_baas_envelopes.py"
FAILURES = "unit/test_baas_failures.py"
KEYS = "unit/test_baas_api_keys.py"
KYC = "unit/test_baas_kyc.py"
MERCHANTS = "integration/test_baas_merchants.py"
MONEY = "integration/test_baas_money.py"
NUMBERS = "unit/test_identity_numbers.py"
PATHS = "unit/test_baas_paths.py"
REFUSALS = "integration/test_baas_refusals.py"
TIER_THREE = "integration/test_baas_tier_three.py"
TIERS = "unit/test_identity_tiers.py"
TOPUPS = "integration/test_baas_topups.py"

CALLS = {
    "post /wallets": Proof(CUSTOMERS, "test_a_customer_at_tier_one"),
    "get /wallets": Proof(MONEY, "test_lists_by_page"),
    "get /wallets/{customer_id}": Proof(MONEY, "test_a_wallet_of_the_other_contract_is_shown"),
    "post /wallets/credit": Proof(MONEY, "test_money_goes_in_and_out"),
    "post /wallets/debit": Proof(MONEY, "test_money_goes_in_and_out"),
    "post /wallets/transfer/bank": Proof(MONEY, "test_a_transfer"),
    "post /wallets/upgrade-tier-2": Proof(ACCOUNTS, "test_a_higher_tier"),
    "post /wallets/tier-2": Proof(CUSTOMERS, "test_a_customer_at_tier_two"),
    "post /wallets/tier-3": Proof(TIER_THREE, "test_a_wallet_waits_for_its_review"),
    "get /wallets/tier-3": Proof(TIER_THREE, "test_an_approved_wallet_is_active"),
    "post /wallets/freeze": Proof(ACCOUNTS, "test_freeze_and_unfreeze"),
    "post /wallets/unfreeze": Proof(ACCOUNTS, "test_freeze_and_unfreeze"),
    "get /wallets/merchants": Proof(
        MERCHANTS, "test_a_merchant_without_customers_has_an_empty_wallet"
    ),
    "get /transactions/{reference}": Proof(
        MONEY, "test_a_declined_movement_is_a_failed_transaction"
    ),
    "get /transactions/customer/{customer_id}": Proof(MONEY, "test_lists_by_page"),
    "get /transactions/customer/{customer_id}/{reference}": Proof(MONEY, "test_a_transfer"),
}

LINES = {
    "a wallet of one dialect is visible through the other": Proof(
        AGREES, "test_both_apis_tell_the_same"
    ),
    "X-API-Key": Proof(KEYS, "test_the_header_of_the_dialect"),
    "a bearer, for freeze and unfreeze": Proof(ACCOUNTS, "test_freeze_by_bearer"),
    "a bearer, for tier three": Proof(TIER_THREE, "test_a_rejected_wallet_stays_inactive"),
    "amounts are read exactly": Proof(AMOUNTS, "test_an_amount_is_read_exactly"),
    "amounts that are refused": Proof(AMOUNTS, "test_what_is_not_exactly_an_amount_is_refused"),
    "amounts are written exactly": Proof(AMOUNTS, "test_what_is_written_is_the_same_number"),
    "SANDBOX and LIVE are two": Proof(MONEY, "test_live_and_sandbox_are_two"),
    "the wallet's fields": Proof(ENVELOPES, "test_a_wallet_is_spelled_as_in_the_contract"),
    "the fields of tier three": Proof(ENVELOPES, "test_a_wallet_of_tier_three_carries_more"),
    "the transaction's fields": Proof(
        ENVELOPES, "test_a_transaction_is_spelled_as_in_the_contract"
    ),
    "the envelope of the two customer-transaction reads": Proof(
        ENVELOPES, "test_reads_of_a_customers_transactions_have_an_envelope_of_their_own"
    ),
    "the envelope of failures": Proof(ENVELOPES, "test_a_failure_is_spelled_as_in_the_contract"),
    "the original's messages": Proof(ENVELOPES, "test_the_originals_sentences"),
    "meta, and total_items": Proof(ENVELOPES, "test_a_listed_transaction_says_how_many_there_are"),
    "an empty list": Proof(MONEY, "test_lists_without_anything"),
    "page and limit, by either name": Proof(PATHS, "test_a_page_by_either_name"),
    "400, 404, 405, 413, 415 and what they say": Proof(REFUSALS, "test_every_refusal_of_the_table"),
    "every code has a failure": Proof(FAILURES, "test_every_code_has_its_failure"),
    "422 is about BVN and NIN only": Proof(
        FAILURES, "test_unprocessable_are_identity_numbers_only"
    ),
    "every offending field at once": Proof(
        CUSTOMERS, "test_every_offending_field_is_named_at_once"
    ),
    "John Doe in the sandbox": Proof(CUSTOMERS, "test_names_that_are_left_out_in_the_sandbox"),
    "a made reference": Proof(MONEY, "test_a_reference_is_made_where_none_is_sent"),
    "statuses of a wallet": Proof(MONEY, "test_the_statuses_of_a_wallet"),
    "updated": Proof(ACCOUNTS, "test_a_higher_tier"),
    "PENDING": Proof(TOPUPS, "test_top_ups_by_their_reference"),
    "categories of what only the other contract can do": Proof(
        MONEY, "test_what_only_the_other_contract_can_do_is_found_here"
    ),
    "metadata in base64": Proof(
        ENVELOPES, "test_metadata_is_shown_as_it_was_sent_but_for_the_space_between"
    ),
    "postal_ccode": Proof(KYC, "test_the_originals_spelling_of_the_postal_code"),
    "the original's form": Proof(TIER_THREE, "test_the_originals_example_is_taken"),
    "of a transfer neither leg": Proof(MONEY, "test_transfers_that_are_refused"),
    "a customer id that is a UUID": Proof(
        MONEY, "test_a_customer_id_that_is_a_uuid_is_the_user_id"
    ),
    "crediting takes from the merchant's account": Proof(
        MERCHANTS, "test_crediting_a_customer_takes_from_it_and_debiting_one_gives"
    ),
    "idempotency by reference, in both contracts": Proof(
        MONEY, "test_a_reference_is_one_effect_in_both_contracts"
    ),
    "idempotency by key": Proof(MONEY, "test_a_key_without_a_reference_is_one_effect"),
    "reading one's own write": Proof(MONEY, "test_a_history_that_is_behind_is_refused"),
    "reading one's own write, of the merchant's wallet": Proof(
        MERCHANTS, "test_what_is_not_booked_yet_is_refused"
    ),
    "the order of refusals": Proof(MONEY, "test_a_used_name_comes_before_an_unknown_customer"),
    "the numbers that play a part": Proof(NUMBERS, "test_a_bvn_plays_its_part_at_every_tier"),
    "00000000000 for tier three only": Proof(NUMBERS, "test_zeros_are_taken_for_tier_three_only"),
    "a provider that is away writes nothing": Proof(
        CUSTOMERS, "test_who_is_refused_leaves_nothing"
    ),
    "the same BVN with the same details": Proof(
        CUSTOMERS, "test_the_same_person_with_the_same_details_has_one_wallet"
    ),
    "the same BVN with other details": Proof(
        CUSTOMERS, "test_the_same_person_with_other_details_is_refused"
    ),
    "NUBAN": Proof(NUMBERS, "test_the_central_banks_own_examples"),
    "serials are allotted in the append": Proof(
        "conformance/test_known_customers.py", "test_serials_are_gapless_when_writers_race"
    ),
    "limits of tiers": Proof(CUSTOMERS, "test_tiers_mean_something"),
    "limits of tiers are configuration": Proof(TIERS, "test_a_file_replaces_the_built_in_limits"),
    "a day's debits": Proof(
        "conformance/test_known_customers.py", "test_a_days_debits_hold_when_writers_race"
    ),
    "nothing of a person is in clear": Proof(CUSTOMERS, "test_nothing_of_a_person_is_in_clear"),
    "an erased person is nobody": Proof(COMMANDS, "test_an_erased_customer_is_nobody_any_more"),
}


@pytest.mark.parametrize("line", [*CALLS, *LINES])
def test_the_proof_is_there(line: str) -> None:
    proof = (CALLS | LINES)[line]
    assert f"def {proof.test}(" in (TESTS / proof.file).read_text(encoding="utf-8")


def test_every_call_of_the_document_has_a_line() -> None:
    paths = json.loads(BAAS_OPENAPI_FILE.read_text(encoding="utf-8"))["paths"]
    calls = {
        f"{method} {path.removeprefix('/baas/v1')}" for path in paths for method in paths[path]
    }
    assert calls == CALLS.keys()

-- How well the customers of wallets are known, after their rows were inserted or updated.
-- arrays, one element a wallet, * spelled as text: $1* uuid tenant, $2* uuid wallet, $3 text
--   tier, $4 text review, $5 text bank code, $6 text account number, $7 boolean whether it is
--   known better than at the opening, $8 boolean whether it was erased, $9 text the sealed
--   identity
UPDATE balances
SET tier = news.tier, review = news.review, bank_code = news.bank_code,
    account_number = news.account_number, kyc_updated = news.kyc_updated,
    is_erased = news.is_erased, identity = news.identity
FROM unnest($1::text::uuid[], $2::text::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
            $7::boolean[], $8::boolean[], $9::text[])
     AS news (tenant_id, wallet_id, tier, review, bank_code, account_number, kyc_updated,
              is_erased, identity)
WHERE balances.tenant_id = news.tenant_id AND balances.wallet_id = news.wallet_id

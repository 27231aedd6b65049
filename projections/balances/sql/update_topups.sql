-- Known top-ups, each only from the version that was read.
-- arrays, one element a top-up: $1 uuid tenant, $2 uuid top-up, $3 bigint version that was read,
--   $4 bigint version, $5 text status, $6 uuid transaction, $7 text payment, $8 text code,
--   $9 timestamptz updated
UPDATE topups
SET version = news.version, status = news.status, transaction_id = news.transaction_id,
    payment_id = news.payment_id, code = news.code, updated_at = news.updated_at
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::uuid[],
            $7::text[], $8::text[], $9::timestamptz[])
     AS news (tenant_id, topup_id, version_read, version, status, transaction_id, payment_id, code,
              updated_at)
WHERE topups.tenant_id = news.tenant_id
  AND topups.topup_id = news.topup_id
  AND topups.version = news.version_read

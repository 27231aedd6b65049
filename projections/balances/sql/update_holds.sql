-- Known holds, each only from the version that was read.
-- arrays, one element a hold: $1 uuid tenant, $2 uuid hold, $3 bigint version that was read,
--   $4 bigint version, $5 text status, $6 bigint captured, $7 bigint held, $8 timestamptz updated
UPDATE holds
SET version = news.version, status = news.status, captured_amount = news.captured_amount,
    held_amount = news.held_amount, updated_at = news.updated_at
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[],
            $7::bigint[], $8::timestamptz[])
     AS news (tenant_id, hold_id, version_read, version, status, captured_amount, held_amount,
              updated_at)
WHERE holds.tenant_id = news.tenant_id
  AND holds.hold_id = news.hold_id
  AND holds.version = news.version_read

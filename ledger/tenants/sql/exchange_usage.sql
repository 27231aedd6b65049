-- What gateways tell each other of the use of credentials.
-- $1 key_ids text[], $2 units bigint[], $3 ms_ago bigint[]: used here since the last time, how much
-- and when last; $4 key_ids text[]: not used here meanwhile, but known here.
-- Each of them that has ever been used, with the units that all gateways have let through.
-- Rows are written in the order of their keys, so that gateways do not wait for each other in turn.
WITH told AS (
    INSERT INTO credential_usage AS known (key_id, units, last_used_at)
    SELECT here.key_id, here.units, clock_timestamp() - here.ms_ago * interval '1 millisecond'
    FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS here (key_id, units, ms_ago)
    JOIN credentials ON credentials.key_id = here.key_id
    ORDER BY here.key_id
    ON CONFLICT (key_id) DO UPDATE
    SET units = known.units + excluded.units,
        last_used_at = greatest(known.last_used_at, excluded.last_used_at)
    RETURNING key_id, units
)
SELECT key_id, units FROM told
UNION ALL
SELECT key_id, units FROM credential_usage WHERE key_id = ANY ($4::text[])

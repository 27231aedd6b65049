-- Which lists of origins were changed after a position. $1 bigint after this position
SELECT type, schema_version, data
FROM events
WHERE position > $1::bigint
  AND type IN ('tenant.redirect_allowed', 'tenant.redirect_disallowed')

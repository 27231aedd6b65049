-- A page of what references were consumed.
-- $1 uuid tenant and $2 text reference after which the page begins  $3 bigint at most
SELECT tenant_id, reference, fingerprint, position
FROM consumed_references
WHERE (tenant_id, reference) > ($1::uuid, $2::text COLLATE "C")
ORDER BY tenant_id, reference
LIMIT $3::bigint

-- The newest event of each tenant's own stream; a stream without any is left out.
-- $1 uuid[] tenants
SELECT asked.tenant_id, newest.version, newest.hash
FROM unnest($1::uuid[]) AS asked (tenant_id)
CROSS JOIN LATERAL (
    SELECT version, hash
    FROM events
    WHERE events.tenant_id = asked.tenant_id AND events.stream_id = asked.tenant_id
    ORDER BY version DESC
    LIMIT 1
) AS newest

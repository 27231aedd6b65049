-- By which names some events were asked for. $1 bigint[] positions
SELECT position, tenant_id, type, data ->> 'reference' AS reference,
       metadata ->> 'causation_id' AS command_id
FROM events
WHERE position = ANY ($1::bigint[])
ORDER BY position

-- The reference with which a command of this id was decided, if it was, and the time.
-- $1 uuid tenant  $2 text command id, or null
SELECT extract(epoch FROM clock_timestamp())::bigint AS unix_seconds, known.reference
FROM (VALUES (1)) AS one
LEFT JOIN (
    SELECT e.data ->> 'reference' AS reference
    FROM command_outcomes AS o
    JOIN events AS e ON e.position = o.position
    WHERE o.tenant_id = $1::uuid AND o.command_id = $2::text
) AS known ON true

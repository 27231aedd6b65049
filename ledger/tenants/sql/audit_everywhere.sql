-- What was done by administrators, in the order of the log, up to a limit. Read whole from its
-- index and then sorted: in the order of the positions the whole log would be looked at.
-- $1 uuid tenant, or null for all  $2 timestamptz since, or null for all
-- $3 bigint after this position  $4 bigint at most
WITH audited AS MATERIALIZED (
    SELECT tenant_id, position
    FROM events
    WHERE (stream_id = tenant_id OR type IN ('wallet.reviewed', 'wallet.customer_erased'))
      AND tenant_id = coalesce($1::uuid, tenant_id)
      AND position > $3::bigint
      AND ($2::timestamptz IS NULL OR recorded_at >= $2::timestamptz)
    ORDER BY position
    LIMIT $4::bigint
)
SELECT events.position, events.tenant_id, events.stream_id, events.event_id, events.type,
       events.schema_version, events.data, events.metadata, events.recorded_at
FROM audited
JOIN events USING (position)
ORDER BY position

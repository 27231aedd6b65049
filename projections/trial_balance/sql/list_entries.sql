-- An account's entries, newest first, each with the event that it is.
-- $1 uuid tenant  $2 text account  $3 text currency  $4 bigint only positions below this
-- $5 bigint at most
SELECT entry.position, entry.is_debit, entry.other_account, entry.amount, event.stream_id,
       event.version, event.event_id, event.type, event.recorded_at
FROM (
    (SELECT position, true AS is_debit, credit_account AS other_account, amount
     FROM journal_entries
     WHERE tenant_id = $1::uuid AND debit_account = $2::text AND currency = $3::text
       AND position < $4::bigint
     ORDER BY position DESC
     LIMIT $5::bigint)
    UNION ALL
    (SELECT position, false, debit_account, amount
     FROM journal_entries
     WHERE tenant_id = $1::uuid AND credit_account = $2::text AND currency = $3::text
       AND position < $4::bigint
     ORDER BY position DESC
     LIMIT $5::bigint)
    ORDER BY position DESC
    LIMIT $5::bigint
) AS entry
JOIN LATERAL (SELECT * FROM events WHERE events.position = entry.position LIMIT 1) AS event ON true
ORDER BY entry.position DESC

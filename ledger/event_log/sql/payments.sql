-- Of each payment's top-up: the payment that was applied, and this one if it was kept as
-- unapplied. Two look-ups by key, however many payments a top-up has had.
-- $1 uuid[] tenants, $2 uuid[] top-ups, $3 text[] the same as events spell them,
-- $4 text[] payment ids
SELECT asked.tenant_id, asked.event_id, known.payment_id, known.is_applied
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])
     AS asked (tenant_id, event_id, topup_id, payment_id)
CROSS JOIN LATERAL (
    SELECT e.position, (e.data ->> 'payment_id') AS payment_id, true AS is_applied
    FROM events e
    WHERE e.tenant_id = asked.tenant_id AND (e.data ->> 'topup_id') = asked.topup_id
      AND e.type = 'wallet.topped_up'
    UNION ALL
    SELECT e.position, (e.data ->> 'payment_id'), false
    FROM events e
    WHERE e.tenant_id = asked.tenant_id AND (e.data ->> 'topup_id') = asked.topup_id
      AND e.type = 'wallet.topup_unapplied' AND (e.data ->> 'payment_id') = asked.payment_id
) AS known
ORDER BY known.position

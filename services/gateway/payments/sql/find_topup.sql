-- Whose top-up an event made, and what time it is. $1 uuid event
SELECT e.tenant_id, t.environment, m.name AS merchant, now() AS asked_at
FROM events AS e
JOIN tenants AS t USING (tenant_id)
JOIN merchants AS m USING (merchant_id)
WHERE e.event_id = $1::uuid AND e.type = 'wallet.topup_created'

-- Which of the tenants that messages named exist.
-- $1 uuid[]: tenant ids
SELECT tenant_id FROM tenants WHERE tenant_id = ANY ($1)

-- Which keys were destroyed: asked by every process before the vault serves, and few among all.
CREATE INDEX customer_keys_destroyed ON customer_keys (tenant_id, user_id)
    WHERE destroyed_at IS NOT NULL;

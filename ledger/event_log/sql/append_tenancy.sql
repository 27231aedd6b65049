-- What an append changes of merchants, credentials and origins. Comes after it, in its
-- transaction, so that all of it is committed or nothing; in a statement of its own, so that the
-- appends of wallets do not carry its weight.
-- $1 json: an object of arrays of objects
--   merchants: merchant_id, name, live_tenant_id, sandbox_tenant_id
--   credentials: key_id, tenant_id, secret_hash, scopes, position, rate_limit_per_s,
--     rate_limit_burst
--   credential_ends: key_id, revoked_at, expires_at, position; null leaves what there was
--   credential_limits: key_id, rate_limit_per_s, rate_limit_burst, position; of other credentials
--     than credential_ends
--   redirects and removed_redirects: merchant_id, origin
-- $2 timestamptz when the append is recorded
WITH new_merchants AS (
    INSERT INTO merchants (merchant_id, name, created_at)
    SELECT m.merchant_id, m.name, $2::timestamptz
    FROM json_to_recordset($1::json -> 'merchants') AS m (merchant_id uuid, name text)
),
new_tenants AS (
    INSERT INTO tenants (tenant_id, merchant_id, environment)
    SELECT made.tenant_id, m.merchant_id, made.environment
    FROM json_to_recordset($1::json -> 'merchants')
         AS m (merchant_id uuid, live_tenant_id uuid, sandbox_tenant_id uuid)
    CROSS JOIN LATERAL (VALUES (m.live_tenant_id, 'live'), (m.sandbox_tenant_id, 'sandbox'))
         AS made (tenant_id, environment)
),
new_credentials AS (
    INSERT INTO credentials (key_id, tenant_id, secret_hash, scopes, created_at, position,
                             rate_limit_per_s, rate_limit_burst)
    SELECT c.key_id, c.tenant_id, c.secret_hash, c.scopes, $2::timestamptz, c.position,
           c.rate_limit_per_s, c.rate_limit_burst
    FROM json_to_recordset($1::json -> 'credentials')
         AS c (key_id text, tenant_id uuid, secret_hash bytea, scopes text[], position bigint,
               rate_limit_per_s integer, rate_limit_burst integer)
),
ended_credentials AS (
    UPDATE credentials
    SET revoked_at = coalesce(e.revoked_at, credentials.revoked_at),
        expires_at = coalesce(e.expires_at, credentials.expires_at),
        position = e.position
    FROM json_to_recordset($1::json -> 'credential_ends')
         AS e (key_id text, revoked_at timestamptz, expires_at timestamptz, position bigint)
    WHERE credentials.key_id = e.key_id
),
limited_credentials AS (
    UPDATE credentials
    SET rate_limit_per_s = l.rate_limit_per_s, rate_limit_burst = l.rate_limit_burst,
        position = l.position
    FROM json_to_recordset($1::json -> 'credential_limits')
         AS l (key_id text, rate_limit_per_s integer, rate_limit_burst integer, position bigint)
    WHERE credentials.key_id = l.key_id
),
new_redirects AS (
    INSERT INTO redirect_origins (merchant_id, origin, created_at)
    SELECT r.merchant_id, r.origin, $2::timestamptz
    FROM json_to_recordset($1::json -> 'redirects') AS r (merchant_id uuid, origin text)
)
DELETE FROM redirect_origins
USING json_to_recordset($1::json -> 'removed_redirects') AS r (merchant_id uuid, origin text)
WHERE redirect_origins.merchant_id = r.merchant_id AND redirect_origins.origin = r.origin

-- $1 key_id text, $2 tenant_id uuid, $3 secret_hash bytea, $4 scopes text[]: a new credential.
INSERT INTO credentials (key_id, tenant_id, secret_hash, scopes) VALUES ($1, $2, $3, $4)

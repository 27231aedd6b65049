-- $1 key_id text: the credential speaks for nobody any more. Revoking again changes nothing.
UPDATE credentials
SET revoked_at = coalesce(revoked_at, now())
WHERE key_id = $1
RETURNING key_id

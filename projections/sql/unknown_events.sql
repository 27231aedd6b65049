-- Which of these events the log does not have, or has with another hash.
-- $1 bigint[] positions  $2 bytea[] their hashes
SELECT asked.position
FROM unnest($1::bigint[], $2::bytea[]) AS asked (position, hash)
LEFT JOIN events ON events.position = asked.position
WHERE events.hash IS DISTINCT FROM asked.hash
ORDER BY asked.position

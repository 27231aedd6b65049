-- Whether the live projection has folded something that the log does not have.
-- $1 text projection
SELECT EXISTS (
    SELECT FROM live_projection_checkpoints AS checkpoint
    LEFT JOIN events ON events.position = checkpoint.position
    WHERE checkpoint.projection = $1::text
      AND checkpoint.hash IS NOT NULL
      AND checkpoint.hash IS DISTINCT FROM events.hash
)

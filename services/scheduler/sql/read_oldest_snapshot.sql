-- For how many seconds the oldest snapshot of this database has been held, by the start of its
-- transaction, prepared ones too; 0 if there is none. Null where the login may not look into every
-- session: the one that matters could be among the others. This session itself is left out.
SELECT CASE
           WHEN bool_or(is_hidden) THEN NULL
           ELSE coalesce(extract(epoch FROM clock_timestamp() - min(began_at)), 0)
       END::double precision
FROM (
    SELECT query = '<insufficient privilege>' AS is_hidden,
           CASE WHEN backend_xmin IS NOT NULL OR backend_xid IS NOT NULL THEN xact_start END
               AS began_at
    FROM pg_stat_activity
    -- Without a user are only the server's own workers, which hold nothing back for long.
    WHERE datname = current_database() AND usesysid IS NOT NULL AND pid <> pg_backend_pid()
    UNION ALL
    SELECT false, prepared FROM pg_prepared_xacts WHERE database = current_database()
) AS holding

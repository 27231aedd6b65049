-- What a projector's session lives under. Rows and checkpoint are one commit: where a crash
-- of PostgreSQL takes the last of it back, both are back, and the events are folded again; so
-- this commit needs no flush of its own. Plans are by index, always: one that was made while
-- the tables were empty must not scan them for ever.
SELECT set_config('synchronous_commit', 'off', false),
       set_config('enable_seqscan', 'off', false),
       set_config('enable_hashjoin', 'off', false),
       set_config('enable_mergejoin', 'off', false),
       set_config('jit', 'off', false),
       set_config('lock_timeout', '5s', false),
       set_config('idle_in_transaction_session_timeout', '5s', false)

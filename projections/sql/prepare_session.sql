-- What a projector's session lives under. Rows and checkpoint are one commit: where a crash
-- of PostgreSQL takes the last of it back, both are back, and the events are folded again; so
-- this commit needs no flush of its own. Statements are planned anew each time: a plan that
-- was made while the tables were empty takes any index that starts with the tenant, and would
-- read all of the tenant's rows for each wallet, for ever.
SELECT set_config('synchronous_commit', 'off', false),
       set_config('plan_cache_mode', 'force_custom_plan', false),
       set_config('enable_seqscan', 'off', false),
       set_config('enable_hashjoin', 'off', false),
       set_config('enable_mergejoin', 'off', false),
       set_config('jit', 'off', false),
       set_config('lock_timeout', '5s', false),
       set_config('idle_in_transaction_session_timeout', '5s', false)

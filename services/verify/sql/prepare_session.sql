-- Plans by index, always: none may scan a table that grows without end.
SELECT set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false),
       set_config('enable_mergejoin', 'off', false), set_config('jit', 'off', false),
       set_config('default_transaction_read_only', 'on', false)

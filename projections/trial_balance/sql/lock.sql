-- Take the turn to book: the accounts are few, and every process would want the same rows.
SELECT position FROM journal_completeness WHERE is_only FOR UPDATE

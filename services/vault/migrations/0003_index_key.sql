-- By which the index key is known again: an index under it of a value that is nobody's. One row.
CREATE TABLE index_key (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    check_of bytea NOT NULL CHECK (octet_length(check_of) = 32)
);

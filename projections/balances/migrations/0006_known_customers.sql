-- How well a wallet's customer is known. Who it is stands sealed in `identity`, and is gone from
-- here when the customer is erased. Most updates touch none of it.
ALTER TABLE balances
    ADD COLUMN tier text COLLATE "C" CHECK (tier IN ('TIER_ONE', 'TIER_TWO', 'TIER_THREE')),
    ADD COLUMN review text COLLATE "C" CHECK (review IN ('pending', 'approved', 'rejected')),
    ADD COLUMN bank_code text COLLATE "C",
    ADD COLUMN account_number text COLLATE "C",
    ADD COLUMN kyc_updated boolean NOT NULL DEFAULT false,
    ADD COLUMN is_erased boolean NOT NULL DEFAULT false,
    ADD COLUMN identity text,
    ADD CHECK ((account_number IS NULL) = (bank_code IS NULL)),
    ADD CHECK (identity IS NULL OR NOT is_erased);

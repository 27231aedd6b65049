-- What only a top-up's payment has: the top-up, and what the provider calls the payment.
ALTER TABLE transactions
    ADD COLUMN topup_id uuid,
    ADD COLUMN payment_id text;

-- Version 2. BLAKE3 digest of the certificate that the pack carries; empty where it carries none.

ALTER TABLE objects ADD COLUMN certificate TEXT;

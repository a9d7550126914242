-- Version 3. Digest of what an instance holds without its file meta information, which each receiver
-- writes its own way; empty where it is not known.

ALTER TABLE arrivals ADD COLUMN content_digest TEXT;

-- What a post keeps of the words that it was posted with, in the shape of notify/slack/kept.rs, and which state of its incident it shows.

ALTER TABLE outbox ADD COLUMN words TEXT;
ALTER TABLE outbox ADD COLUMN shows TEXT;

-- The search index keeps no text: every document is a message as it was read once, and its number follows the date, so
-- that the newest hits come first. Indexing all messages again goes on in the background.

DROP TABLE search;
CREATE VIRTUAL TABLE search USING fts5 (
  subject, sender, recipients, cc, list, files, marks, body,
  content = '', columnsize = 0, tokenize = "unicode61 remove_diacritics 0"
);

-- Which message a document is. Without a message it is stale: its words stay in the index until that is made again.
CREATE TABLE search_doc (
  doc INTEGER PRIMARY KEY,
  message INTEGER REFERENCES message (id) ON DELETE SET NULL
) STRICT;

CREATE UNIQUE INDEX search_doc_of ON search_doc (message) WHERE message IS NOT NULL;
UPDATE message SET indexed = 0;

-- Whole messages are compressed where that is worth it (raw_bytes.py).
ALTER TABLE raw ADD COLUMN packed INTEGER NOT NULL DEFAULT 0;

-- What a search may ask for besides words.
CREATE INDEX message_unread ON message (sort_date) WHERE unread = 1;
CREATE INDEX message_starred ON message (sort_date) WHERE starred = 1;
CREATE INDEX message_answered ON message (sort_date) WHERE answered = 1;
CREATE INDEX message_forwarded ON message (sort_date) WHERE forwarded = 1;

-- Searches that are kept as folders, in the order of the folder column.
CREATE TABLE saved_search (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  words TEXT NOT NULL,                       -- as typed: dates in it are relative to the day on which it is looked at
  place INTEGER NOT NULL
) STRICT;

-- A first sync writes 10 000 rows, so nothing is kept that no query asks for, and checks are written as they are
-- cheap: SQLite builds a table for every IN (...) of every row.

ALTER TABLE message DROP COLUMN addresses;   -- the people of a message are read from its bytes
DROP INDEX message_by_message_id;
ALTER TABLE account_state DROP COLUMN last_error;

CREATE TABLE remote_2 (
  id INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  uidl BLOB NOT NULL,                        -- opaque bytes of the server; x'' where it gave none
  nth INTEGER NOT NULL DEFAULT 0,            -- tells apart equal messages under one UIDL
  number INTEGER NOT NULL,                   -- its place in the last listing, a hint only; 0: not found there yet
  size INTEGER NOT NULL,                     -- a witness: as LIST says
  fingerprint BLOB NOT NULL,                 -- a witness: hash of the header block; x'' where that was never read
  message INTEGER REFERENCES message (id) ON DELETE SET NULL,
  state TEXT NOT NULL CHECK (
    state = 'kept' OR state = 'trashed' OR state = 'due' OR state = 'sent' OR state = 'gone' OR state = 'absent'
    OR state = 'skipped'
  ),
  due_at INTEGER,                            -- when a trashed message becomes due; NULL: never
  words TEXT NOT NULL DEFAULT ''             -- why it was skipped
) STRICT;

INSERT INTO remote_2
  SELECT id, account, uidl, nth, number, size, fingerprint, message, state, due_at, words FROM remote;
DROP TABLE remote;
ALTER TABLE remote_2 RENAME TO remote;

CREATE INDEX remote_by_uidl ON remote (account, uidl);
CREATE INDEX remote_by_fingerprint ON remote (fingerprint);
CREATE UNIQUE INDEX remote_by_message ON remote (message) WHERE message IS NOT NULL;
CREATE INDEX remote_by_state ON remote (account, state);

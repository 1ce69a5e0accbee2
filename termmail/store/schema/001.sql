-- What termmail knows. The raw bytes are the truth; every column marked (derived) can be made again from them.
-- Times are UTC seconds since 1970, sizes are bytes, truth values are 0 or 1.

CREATE TABLE message (
  id INTEGER PRIMARY KEY AUTOINCREMENT,      -- never given out twice: the screen keeps its cursor by it
  account TEXT NOT NULL,
  folder TEXT NOT NULL,
  received INTEGER NOT NULL,                 -- when it came here
  size INTEGER NOT NULL,                     -- as the server lists it, then as it is
  unread INTEGER NOT NULL DEFAULT 1,
  starred INTEGER NOT NULL DEFAULT 0,
  answered INTEGER NOT NULL DEFAULT 0,
  forwarded INTEGER NOT NULL DEFAULT 0,
  downloaded INTEGER NOT NULL DEFAULT 0,     -- 0: the header block is here; 1: the whole message is
  sort_date INTEGER NOT NULL,                -- (derived) its own date where that makes sense, else received
  sender TEXT NOT NULL,                      -- (derived) as the list shows it
  recipients TEXT NOT NULL,                  -- (derived) the people of To, as the list shows them
  subject TEXT NOT NULL,                     -- (derived)
  message_id TEXT NOT NULL,                  -- (derived) without brackets
  in_reply_to TEXT NOT NULL,                 -- (derived) without brackets
  refs TEXT NOT NULL,                        -- (derived) References, spaces between
  addresses TEXT NOT NULL,                   -- (derived) JSON: {"from": [[name, email], ...], "to", "cc", "reply_to"}
  attachments INTEGER NOT NULL,              -- (derived) how many; 1 for "looks like some" until the body is here
  snippet TEXT NOT NULL DEFAULT '',          -- (derived) first words of the writer
  indexed INTEGER NOT NULL DEFAULT 0         -- (derived) 0: not in search; 1: its header is; 2: its body too
) STRICT;

CREATE INDEX message_list ON message (account, folder, sort_date);
CREATE INDEX message_unread ON message (account, folder, unread) WHERE unread = 1;
CREATE INDEX message_header_only ON message (account, sort_date) WHERE downloaded = 0;
CREATE INDEX message_unindexed ON message (id) WHERE indexed < 1 + downloaded;
CREATE INDEX message_by_message_id ON message (message_id);

-- The header block, or the whole message, byte for byte as received. Never read by a list.
CREATE TABLE raw (
  id INTEGER PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
  complete INTEGER NOT NULL,
  bytes BLOB NOT NULL
) STRICT;

-- What the maildrop holds or held. A row without a message is a tombstone: it keeps a deleted message from
-- being shown as new.
CREATE TABLE remote (
  id INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  uidl BLOB NOT NULL,                        -- opaque bytes of the server; x'' where it gave none
  nth INTEGER NOT NULL DEFAULT 0,            -- tells apart equal messages under one UIDL
  number INTEGER NOT NULL,                   -- its place in the last listing, a hint only; 0: not found there yet
  size INTEGER NOT NULL,                     -- a witness: as LIST says
  fingerprint BLOB NOT NULL,                 -- a witness: hash of the header block; x'' where that was never read
  message INTEGER REFERENCES message (id) ON DELETE SET NULL,
  state TEXT NOT NULL CHECK (state IN ('kept', 'trashed', 'due', 'sent', 'gone', 'absent', 'skipped')),
  due_at INTEGER,                            -- when a trashed message becomes due; NULL: never
  changed INTEGER NOT NULL DEFAULT 0,        -- when the state last changed
  words TEXT NOT NULL DEFAULT ''             -- why it was skipped
) STRICT;

CREATE INDEX remote_by_uidl ON remote (account, uidl);
CREATE INDEX remote_by_fingerprint ON remote (fingerprint);
CREATE UNIQUE INDEX remote_by_message ON remote (message) WHERE message IS NOT NULL;
CREATE INDEX remote_to_delete ON remote (account, state) WHERE state IN ('trashed', 'due', 'sent');

CREATE TABLE draft (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account TEXT NOT NULL,
  recipients TEXT NOT NULL,                  -- To, as typed
  cc TEXT NOT NULL,
  bcc TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  in_reply_to TEXT NOT NULL,
  refs TEXT NOT NULL,                        -- JSON list
  answers INTEGER NOT NULL,
  forwards INTEGER NOT NULL,
  cursor TEXT NOT NULL,
  updated INTEGER NOT NULL,
  version INTEGER NOT NULL DEFAULT 1,        -- counts the saves
  outbox INTEGER                             -- the outbox row that carries it; then it is not in the Drafts list
) STRICT;

CREATE INDEX draft_list ON draft (account, updated) WHERE outbox IS NULL;

CREATE TABLE draft_file (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  draft INTEGER NOT NULL REFERENCES draft (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size INTEGER NOT NULL,
  bytes BLOB NOT NULL
) STRICT;

CREATE INDEX draft_file_of ON draft_file (draft);

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'unsure', 'cancelled')),
  owner TEXT NOT NULL DEFAULT '',            -- who claimed it
  words TEXT NOT NULL DEFAULT '',            -- what happened last, for the reader
  attempts INTEGER NOT NULL DEFAULT 0,
  created INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  sender TEXT NOT NULL,
  recipients TEXT NOT NULL,                  -- JSON list of everyone
  accepted TEXT NOT NULL DEFAULT '[]',       -- JSON list of those who have it
  refused TEXT NOT NULL DEFAULT '{}',        -- JSON: address -> the server's words
  subject TEXT NOT NULL,
  message_id TEXT NOT NULL,
  size INTEGER NOT NULL,
  draft INTEGER NOT NULL DEFAULT 0,
  draft_version INTEGER NOT NULL DEFAULT 0,  -- which save of the draft this is
  message INTEGER,                           -- the Sent copy
  raw BLOB                                   -- what goes on the wire; NULL once it lies in Sent or was cancelled
) STRICT;

CREATE INDEX outbox_waiting ON outbox (account, not_before) WHERE state NOT IN ('sent', 'cancelled');

CREATE TABLE contact (
  email TEXT PRIMARY KEY,                    -- lower case
  name TEXT NOT NULL,
  named INTEGER NOT NULL,                    -- the date of the message that told the name
  written INTEGER NOT NULL,                  -- how many messages went there
  received INTEGER NOT NULL,                 -- how many came from there
  last INTEGER NOT NULL                      -- the date of the newest of them
) STRICT, WITHOUT ROWID;

CREATE TABLE account_state (
  account TEXT PRIMARY KEY,
  stat_count INTEGER,
  stat_size INTEGER,
  last_uidl BLOB,
  last_sync INTEGER,
  last_error TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE VIRTUAL TABLE search USING fts5 (
  subject, sender, recipients, body, tokenize = "unicode61 remove_diacritics 2"
);

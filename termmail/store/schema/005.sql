-- Drafts on an IMAP server: each is a draft here, and what the server has of it is a copy.

ALTER TABLE draft ADD COLUMN message_id TEXT NOT NULL DEFAULT ''; -- of its copies; '' before the first one
ALTER TABLE draft ADD COLUMN upload_at INTEGER;                   -- when the server gets it as it is; NULL: it has it
UPDATE draft SET upload_at = updated;
CREATE INDEX draft_by_message_id ON draft (message_id) WHERE message_id <> '';

CREATE TABLE imap_draft (
  id INTEGER PRIMARY KEY,
  folder INTEGER NOT NULL REFERENCES folder (id),
  uid INTEGER,                               -- NULL: not seen there yet, or its folder has new UIDs
  draft INTEGER REFERENCES draft (id) ON DELETE SET NULL, -- NULL: sent or discarded here, to be expunged there
  version INTEGER NOT NULL,                  -- of the draft, as this copy has it
  message_id TEXT NOT NULL,                  -- compared before the copy is expunged
  fingerprint BLOB NOT NULL,                 -- SHA-256 of its header block, and its size: compared too
  is_lossy INTEGER NOT NULL DEFAULT 0,       -- 1: another program wrote more into it than a draft here holds
  due_at INTEGER NOT NULL DEFAULT 0          -- not to be expunged before
) STRICT;

CREATE UNIQUE INDEX imap_draft_by_uid ON imap_draft (folder, uid) WHERE uid IS NOT NULL;
CREATE INDEX imap_draft_of ON imap_draft (draft);

-- Until now the Drafts of a server was a folder of messages. What is only here goes to the Archive, the rest comes again.
CREATE TEMP TABLE was_draft AS
SELECT p.message, p.folder, f.account, EXISTS (
    SELECT 1 FROM imap_message i WHERE i.message = p.message AND i.folder = p.folder
  ) AS is_there
FROM placement p JOIN folder f ON f.id = p.folder WHERE f.role = 'drafts';
DELETE FROM imap_message WHERE folder IN (SELECT id FROM folder WHERE role = 'drafts');
INSERT OR IGNORE INTO placement (folder, sort_date, message, unread)
SELECT a.id, m.sort_date, m.id, m.unread FROM was_draft w JOIN message m ON m.id = w.message
JOIN folder a ON a.account = w.account AND a.role = 'archive' WHERE w.is_there = 0;
DELETE FROM placement WHERE folder IN (SELECT id FROM folder WHERE role = 'drafts');
DELETE FROM search WHERE rowid IN (
  SELECT w.message FROM was_draft w WHERE w.is_there = 1
    AND NOT EXISTS (SELECT 1 FROM placement p WHERE p.message = w.message)
    AND NOT EXISTS (SELECT 1 FROM imap_message i WHERE i.message = w.message)
);
DELETE FROM message WHERE id IN (
  SELECT w.message FROM was_draft w WHERE w.is_there = 1
    AND NOT EXISTS (SELECT 1 FROM placement p WHERE p.message = w.message)
    AND NOT EXISTS (SELECT 1 FROM imap_message i WHERE i.message = w.message)
);
UPDATE folder SET uidvalidity = NULL, uidnext = NULL, highestmodseq = NULL WHERE role = 'drafts';
DROP TABLE was_draft;

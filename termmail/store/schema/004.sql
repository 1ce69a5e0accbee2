-- IMAP: what each server has, and what differs from it here.

CREATE TABLE imap_account (
  account TEXT PRIMARY KEY,                  -- received by IMAP
  last_sync INTEGER                          -- when the last synchronization ended
) STRICT;

ALTER TABLE folder ADD COLUMN listed_as TEXT; -- IMAP: the name that was shown for server_name; NULL: never listed

-- A message in a folder of the server, as the server last said. The placements and flags of the message are what the
-- user wants: whatever differs from these rows is still to be told to the server.
CREATE TABLE imap_message (
  id INTEGER PRIMARY KEY,
  folder INTEGER NOT NULL REFERENCES folder (id),
  uid INTEGER,                               -- NULL: it has left the folder, and may turn up in another one
  message INTEGER REFERENCES message (id) ON DELETE SET NULL, -- NULL: deleted for good here, to be expunged there
  size INTEGER NOT NULL,                     -- RFC822.SIZE, a witness
  fingerprint BLOB NOT NULL,                 -- hash of the header block, a witness
  flags INTEGER NOT NULL,                    -- a mask (1 unread, 2 starred, 4 answered, 8 forwarded)
  lasting_id INTEGER,                        -- Gmail: X-GM-MSGID, which is that of one message in all folders
  looked_for INTEGER NOT NULL DEFAULT 0,     -- 1: without a UID when a look at every folder ended
  deleted INTEGER NOT NULL DEFAULT 0         -- 1: we marked it as \Deleted, to expunge it
) STRICT;

CREATE UNIQUE INDEX imap_message_by_uid ON imap_message (folder, uid) WHERE uid IS NOT NULL;
CREATE INDEX imap_message_of ON imap_message (message, folder);
CREATE INDEX imap_message_by_fingerprint ON imap_message (fingerprint);
CREATE INDEX imap_message_lasting ON imap_message (lasting_id) WHERE lasting_id IS NOT NULL;
CREATE INDEX imap_message_deleted ON imap_message (folder) WHERE deleted = 1;
CREATE INDEX imap_message_left ON imap_message (folder) WHERE uid IS NULL;
CREATE INDEX imap_message_erased ON imap_message (folder) WHERE message IS NULL;

-- Messages whose flags or folders may differ from what their server has. The triggers below fill it, whatever changes
-- a message; what equals the server again leaves it when it is looked at.
CREATE TABLE imap_pending (
  message INTEGER PRIMARY KEY,
  due_at INTEGER                             -- NULL: not looked at yet
) STRICT;

CREATE TRIGGER imap_flags_changed AFTER UPDATE OF unread, starred, answered, forwarded ON message
WHEN EXISTS (
  SELECT 1 FROM imap_message i WHERE i.message = new.id
    AND i.flags <> new.unread + 2 * new.starred + 4 * new.answered + 8 * new.forwarded
) BEGIN
  INSERT OR IGNORE INTO imap_pending (message) VALUES (new.id);
END;

CREATE TRIGGER imap_placed AFTER INSERT ON placement
WHEN EXISTS (SELECT 1 FROM folder f JOIN imap_account a ON a.account = f.account WHERE f.id = new.folder)
  AND NOT EXISTS (SELECT 1 FROM imap_message i WHERE i.message = new.message AND i.folder = new.folder) BEGIN
  INSERT OR IGNORE INTO imap_pending (message) VALUES (new.message);
END;

CREATE TRIGGER imap_unplaced AFTER DELETE ON placement
WHEN EXISTS (SELECT 1 FROM imap_message i WHERE i.message = old.message AND i.folder = old.folder) BEGIN
  INSERT OR IGNORE INTO imap_pending (message) VALUES (old.message);
END;

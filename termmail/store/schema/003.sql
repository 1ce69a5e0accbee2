-- Folders, placements and the journal of what the user did.

CREATE TABLE folder (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account TEXT NOT NULL,
  name TEXT NOT NULL,                        -- as shown, "/" between levels
  role TEXT NOT NULL CHECK (role IN ('inbox', 'archive', 'drafts', 'sent', 'junk', 'trash', 'all', 'none')),
  server_name BLOB,                          -- the server's name for it; NULL where the folder is only local
  uidvalidity INTEGER,                       -- IMAP: the state of the last synchronization
  uidnext INTEGER,
  highestmodseq INTEGER,
  removed INTEGER NOT NULL DEFAULT 0         -- 1: removed by the user; kept so that undo brings it back
) STRICT;

CREATE UNIQUE INDEX folder_by_name ON folder (account, name) WHERE removed = 0;
CREATE UNIQUE INDEX folder_by_role ON folder (account, role) WHERE role <> 'none';

-- A message in a folder. The list's sort key and the unread flag are copies, kept up to date by the triggers below: a
-- list and its counts are scans of one index, whichever folder it is.
CREATE TABLE placement (
  folder INTEGER NOT NULL REFERENCES folder (id),
  sort_date INTEGER NOT NULL,
  message INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
  unread INTEGER NOT NULL,
  PRIMARY KEY (folder, sort_date, message)
) STRICT, WITHOUT ROWID;

-- Drafts and Outbox are the names of lists: a folder of that name gets another one, which no folder has yet.
CREATE TEMP TABLE renamed AS
  WITH RECURSIVE old (account, name) AS (
    SELECT DISTINCT account, folder FROM message WHERE folder IN ('Drafts', 'Outbox')
  ), tried (account, name, attempt, candidate) AS (
    SELECT account, name, 1, name || ' (imported)' FROM old
    UNION ALL
    SELECT t.account, t.name, attempt + 1, t.name || ' (imported ' || (attempt + 1) || ')' FROM tried t
      WHERE EXISTS (SELECT 1 FROM message m WHERE m.account = t.account AND m.folder = t.candidate)
  )
  SELECT account, name AS old_name, candidate AS new_name, max(attempt) AS attempt FROM tried GROUP BY account, name;

INSERT INTO folder (account, name, role)
  SELECT account,
    coalesce((SELECT new_name FROM renamed r WHERE r.account = one.account AND r.old_name = one.name), name),
    CASE name WHEN 'Inbox' THEN 'inbox' WHEN 'Archive' THEN 'archive' WHEN 'Sent' THEN 'sent' WHEN 'Spam' THEN 'junk'
      WHEN 'Trash' THEN 'trash' ELSE 'none' END
  FROM (
    SELECT DISTINCT account, folder AS name, 9 AS place FROM message
      WHERE folder NOT IN ('Inbox', 'Archive', 'Sent', 'Spam', 'Trash')
    UNION ALL
    SELECT account, name, place FROM (
      SELECT account FROM message UNION SELECT account FROM account_state UNION SELECT account FROM draft
      UNION SELECT account FROM outbox UNION SELECT account FROM remote
    ), (
      SELECT 'Inbox' AS name, 1 AS place UNION ALL SELECT 'Sent', 2 UNION ALL SELECT 'Archive', 3
      UNION ALL SELECT 'Spam', 4 UNION ALL SELECT 'Trash', 5
    )
  ) AS one ORDER BY account, place, name;

INSERT INTO placement (folder, sort_date, message, unread)
  SELECT f.id, m.sort_date, m.id, m.unread FROM message m
    LEFT JOIN renamed r ON r.account = m.account AND r.old_name = m.folder
    JOIN folder f ON f.account = m.account AND f.name = coalesce(r.new_name, m.folder)
  ORDER BY f.id, m.sort_date, m.id;

DROP TABLE renamed;

CREATE UNIQUE INDEX placement_of_message ON placement (message, folder);
CREATE INDEX placement_unread ON placement (folder) WHERE unread = 1;

CREATE TRIGGER placement_follows_message AFTER UPDATE OF unread, sort_date ON message
WHEN old.unread <> new.unread OR old.sort_date <> new.sort_date BEGIN
  UPDATE placement SET unread = new.unread, sort_date = new.sort_date WHERE message = new.id;
END;

DROP INDEX message_list;
DROP INDEX message_unread;
ALTER TABLE message DROP COLUMN folder;

-- Import asks for the messages that have a Message-ID, and so does undo of a send.
CREATE INDEX message_by_message_id ON message (message_id);

-- What the user did, newest last. One key press is one step.
CREATE TABLE step (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  created INTEGER NOT NULL,
  messages INTEGER NOT NULL,                 -- how many messages it changed
  folder INTEGER REFERENCES folder (id),     -- the folder it is about
  name TEXT NOT NULL DEFAULT '',             -- that folder's name, or the subject of the message sent
  old_name TEXT NOT NULL DEFAULT '',         -- of a folder that was renamed
  outbox INTEGER NOT NULL DEFAULT 0,         -- of a send
  state TEXT NOT NULL DEFAULT 'done' CHECK (state IN ('done', 'undone', 'final'))
) STRICT;

-- What a step did to one message. A flag step keeps bit masks (1 unread, 2 starred, 4 answered, 8 forwarded), a move
-- the ids of two folders (0: none).
CREATE TABLE change (
  step INTEGER NOT NULL REFERENCES step (id) ON DELETE CASCADE,
  message INTEGER NOT NULL,
  before INTEGER NOT NULL,
  after INTEGER NOT NULL,
  server_state TEXT NOT NULL DEFAULT '',     -- where the POP3 server stood with it before
  PRIMARY KEY (step, message, before)
) STRICT, WITHOUT ROWID;

-- Completion finds people by the beginning of a word: words of names, and whole addresses, case folded.
CREATE TABLE contact_word (
  word TEXT NOT NULL,
  email TEXT NOT NULL REFERENCES contact (email) ON DELETE CASCADE,
  PRIMARY KEY (word, email)
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO contact_word (word, email) SELECT email, email FROM contact;
INSERT OR IGNORE INTO contact_word (word, email)
  WITH RECURSIVE split (email, word, rest) AS (
    SELECT email, '', casefold(name) || ' ' FROM contact WHERE name <> ''
    UNION ALL
    SELECT email, substr(rest, 1, instr(rest, ' ') - 1), substr(rest, instr(rest, ' ') + 1) FROM split WHERE rest <> ''
  )
  SELECT word, email FROM split WHERE word <> '';

CREATE INDEX contact_rank ON contact (written DESC, received DESC, last DESC, email);

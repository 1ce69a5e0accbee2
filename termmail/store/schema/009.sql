-- Sorting out: snoozed messages, labels, muted conversations, reminders, and rules; and how each is taken back.

-- The list of the folder leaves the message out until then. The message stays where it is: the server knows nothing.
CREATE TABLE snooze (
  message INTEGER PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
  folder INTEGER NOT NULL REFERENCES folder (id),
  until INTEGER NOT NULL
) STRICT;

CREATE INDEX snooze_until ON snooze (until);

-- A message that was sent, and when the user is told that nobody has answered it.
CREATE TABLE reminder (
  message INTEGER PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
  until INTEGER NOT NULL
) STRICT;

CREATE INDEX reminder_until ON reminder (until);

-- The same of a draft, before it is sent.
ALTER TABLE draft ADD COLUMN remind_at INTEGER NOT NULL DEFAULT 0; -- 0: no reminder

-- Messages that came back to the top of a folder: why, and when.
CREATE TABLE returned (
  message INTEGER PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
  folder INTEGER NOT NULL REFERENCES folder (id),
  why TEXT NOT NULL CHECK (why = 'snooze' OR why = 'reminder'),
  at INTEGER NOT NULL
) STRICT;

CREATE TRIGGER returned_leaves AFTER DELETE ON placement BEGIN
  DELETE FROM returned WHERE message = old.message AND folder = old.folder;
END;

-- What came back stays on top when it is read: the place in the list is its own where it differs from the message's date.
DROP TRIGGER placement_follows_message;
CREATE TRIGGER placement_follows_message AFTER UPDATE OF unread, thread ON message
WHEN old.unread <> new.unread OR old.thread <> new.thread BEGIN
  UPDATE placement SET unread = new.unread, thread = new.thread WHERE message = new.id;
END;
CREATE TRIGGER placement_follows_date AFTER UPDATE OF sort_date ON message WHEN old.sort_date <> new.sort_date BEGIN
  UPDATE placement SET sort_date = new.sort_date WHERE message = new.id AND sort_date = old.sort_date;
END;

CREATE TABLE label (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  color INTEGER NOT NULL,                    -- its place among the colours of labels
  keyword TEXT NOT NULL                      -- what it is on IMAP servers
) STRICT;

CREATE UNIQUE INDEX label_by_name ON label (name);
CREATE UNIQUE INDEX label_by_keyword ON label (keyword COLLATE NOCASE);

CREATE TABLE message_label (
  message INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
  label INTEGER NOT NULL REFERENCES label (id) ON DELETE CASCADE,
  PRIMARY KEY (message, label)
) STRICT, WITHOUT ROWID;

CREATE INDEX message_label_of ON message_label (label, message);

-- IMAP: the labels of a message in a folder, as the server last said. What differs from them is still to be told to it.
CREATE TABLE imap_label (
  row INTEGER NOT NULL REFERENCES imap_message (id) ON DELETE CASCADE,
  label INTEGER NOT NULL REFERENCES label (id) ON DELETE CASCADE,
  PRIMARY KEY (row, label)
) STRICT, WITHOUT ROWID;

CREATE INDEX imap_label_of ON imap_label (label);

CREATE TRIGGER imap_labelled AFTER INSERT ON message_label
WHEN EXISTS (
  SELECT 1 FROM imap_message i WHERE i.message = new.message
    AND NOT EXISTS (SELECT 1 FROM imap_label l WHERE l.row = i.id AND l.label = new.label)
) BEGIN
  INSERT OR IGNORE INTO imap_pending (message) VALUES (new.message);
END;

CREATE TRIGGER imap_unlabelled AFTER DELETE ON message_label
WHEN EXISTS (
  SELECT 1 FROM imap_message i JOIN imap_label l ON l.row = i.id WHERE i.message = old.message AND l.label = old.label
) BEGIN
  INSERT OR IGNORE INTO imap_pending (message) VALUES (old.message);
END;

-- What a step did to the tables above: the value of a subject (and object) before and after; NULL: it was not there.
CREATE TABLE mark_change (
  step INTEGER NOT NULL REFERENCES step (id) ON DELETE CASCADE,
  mark TEXT NOT NULL,
  subject INTEGER NOT NULL,
  object INTEGER NOT NULL,
  before INTEGER,
  after INTEGER,
  PRIMARY KEY (step, mark, subject, object)
) STRICT, WITHOUT ROWID;

-- Steps of one key press, or of one run of a rule, are taken back together: those that have the same batch.
ALTER TABLE step ADD COLUMN batch INTEGER NOT NULL DEFAULT 0;

CREATE INDEX message_attachments ON message (sort_date) WHERE attachments > 0;

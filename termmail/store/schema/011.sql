-- A message that lies in two folders is snoozed in each of them to a time of its own, and comes back to each.

DROP TRIGGER returned_leaves;

CREATE TABLE snooze_of_placement (
  message INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
  folder INTEGER NOT NULL REFERENCES folder (id),
  until INTEGER NOT NULL,
  PRIMARY KEY (message, folder)
) STRICT, WITHOUT ROWID;

INSERT INTO snooze_of_placement (message, folder, until) SELECT message, folder, until FROM snooze;
DROP TABLE snooze;
ALTER TABLE snooze_of_placement RENAME TO snooze;
CREATE INDEX snooze_until ON snooze (until);

CREATE TABLE returned_placement (
  message INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
  folder INTEGER NOT NULL REFERENCES folder (id),
  why TEXT NOT NULL CHECK (why = 'snooze' OR why = 'reminder'),
  at INTEGER NOT NULL,
  PRIMARY KEY (message, folder)
) STRICT, WITHOUT ROWID;

INSERT INTO returned_placement (message, folder, why, at) SELECT message, folder, why, at FROM returned;
DROP TABLE returned;
ALTER TABLE returned_placement RENAME TO returned;
CREATE TRIGGER returned_leaves AFTER DELETE ON placement BEGIN
  DELETE FROM returned WHERE message = old.message AND folder = old.folder;
END;

-- 0: the folder of the server takes no such label, so the message has it only here.
ALTER TABLE imap_label ADD COLUMN kept INTEGER NOT NULL DEFAULT 1;
CREATE INDEX imap_label_here ON imap_label (row) WHERE kept = 0;

-- Rules act in the order of their places.
ALTER TABLE rule ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
UPDATE rule SET place = id;

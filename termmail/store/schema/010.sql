-- Rules: what is done with mail as it arrives, and what each rule did.

CREATE TABLE rule (
  id INTEGER PRIMARY KEY AUTOINCREMENT,      -- rules act in this order
  name TEXT NOT NULL,
  query TEXT NOT NULL,                       -- in the search language
  verbs TEXT NOT NULL,                       -- as a person writes them: "label:work, archive"
  active INTEGER NOT NULL DEFAULT 1,
  created INTEGER NOT NULL
) STRICT;

-- Messages that have arrived in an inbox and that no rule has looked at yet.
CREATE TABLE rule_arrival (
  message INTEGER PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE
) STRICT;

-- Messages that a rule can judge only by their body, which is not here yet.
CREATE TABLE rule_waiting (
  message INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
  rule INTEGER NOT NULL REFERENCES rule (id) ON DELETE CASCADE,
  PRIMARY KEY (message, rule)
) STRICT, WITHOUT ROWID;

CREATE TABLE rule_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  rule INTEGER NOT NULL,                     -- may be removed
  name TEXT NOT NULL,
  at INTEGER NOT NULL,
  step INTEGER NOT NULL,                     -- the newest of its steps, which are one batch; 0: it changed nothing
  messages TEXT NOT NULL,                    -- JSON list of ids, the newest 100
  count INTEGER NOT NULL,
  words TEXT NOT NULL                        -- what it did, or why it could not
) STRICT;

-- The rule that took a step by itself: such steps are taken back from the log, not by the undo key.
ALTER TABLE step ADD COLUMN rule INTEGER NOT NULL DEFAULT 0;

-- Conversations. Everything here can be made again from the headers, but for what the user cut and joined by hand.

ALTER TABLE message ADD COLUMN thread INTEGER NOT NULL DEFAULT 0;   -- (derived) its conversation: the id of a message of it
ALTER TABLE placement ADD COLUMN thread INTEGER NOT NULL DEFAULT 0; -- a copy, as sort_date and unread are

CREATE INDEX message_by_thread ON message (thread);

DROP TRIGGER placement_follows_message;
CREATE TRIGGER placement_follows_message AFTER UPDATE OF unread, sort_date, thread ON message
WHEN old.unread <> new.unread OR old.sort_date <> new.sort_date OR old.thread <> new.thread BEGIN
  UPDATE placement SET unread = new.unread, sort_date = new.sort_date, thread = new.thread WHERE message = new.id;
END;

-- The conversation of each Message-ID that a message has or refers to, whether that message is here or not.
CREATE TABLE thread_of_id (
  id_key INTEGER PRIMARY KEY,                -- mail/conversation.key of the Message-ID
  thread INTEGER NOT NULL
) STRICT;

-- Messages by the subject that they have without "Re:", for replies that refer to nothing.
CREATE TABLE thread_subject (
  subject_key INTEGER NOT NULL,              -- of account and subject
  is_bare_reply INTEGER NOT NULL,            -- 1: "Re:" without References and In-Reply-To
  message INTEGER NOT NULL,
  PRIMARY KEY (subject_key, is_bare_reply, message)
) STRICT, WITHOUT ROWID;

-- What the user broke off: a message of this id does not belong to what it refers to.
CREATE TABLE thread_cut (
  id_key INTEGER PRIMARY KEY,
  step INTEGER NOT NULL
) STRICT;

-- What the user joined: the messages of these two ids belong together.
CREATE TABLE thread_join (
  id_key INTEGER NOT NULL,
  other_key INTEGER NOT NULL,
  step INTEGER NOT NULL,
  PRIMARY KEY (id_key, other_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE muted_thread (
  thread INTEGER PRIMARY KEY
) STRICT;

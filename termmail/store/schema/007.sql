-- What was answered to invitations. Whether an answer was sent, and when, is in its row of the outbox.

CREATE TABLE invitation_answer (
  outbox INTEGER PRIMARY KEY,                -- the message with the answer
  account TEXT NOT NULL,
  uid TEXT NOT NULL,                         -- of the event, as its calendar has it
  recurrence_id TEXT NOT NULL,               -- which of a series; '' for all of it
  sequence INTEGER NOT NULL,                 -- of the invitation that was answered
  answer TEXT NOT NULL
) STRICT;

CREATE INDEX invitation_answer_of ON invitation_answer (account, uid);

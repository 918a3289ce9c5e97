"""What this service keeps: its users, and the two tables that let each event take effect once and in order."""

import hashlib
import sqlite3

TABLES = """
    create table if not exists inbox (event_id text primary key, handled_at text not null default current_timestamp);
    create table if not exists sequences (subject_hash text primary key, sequence text not null);
    create table if not exists users (id text primary key, username text not null, email text);
"""

INSERT_INTO_INBOX = "insert into inbox (event_id) values (?) on conflict do nothing"

# SQLite compares text byte by byte, as `sequence` requires: '0000000002.0000000001' is newer than '0000000002'.
ADVANCE_SEQUENCE = """
    insert into sequences (subject_hash, sequence) values (?, ?)
    on conflict (subject_hash) do update set sequence = excluded.sequence where excluded.sequence > sequence
"""

UPSERT_USER = """
    insert into users (id, username, email) values (?, ?, ?)
    on conflict (id) do update set username = excluded.username, email = excluded.email
"""


def hash_of(subject: str) -> str:
    """The key of `sequences`. Its rows outlive the user, to refuse late events, so they must not hold the user's id."""
    return hashlib.sha256(subject.encode()).hexdigest()


class Store:
    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path)
        # Overwrites what is deleted. Must stay out of WAL mode, whose log keeps old pages until it is reused.
        self._db.execute("pragma secure_delete = on")
        self._db.executescript(TABLES)
        with self._db:
            # Longer than an event can wait anywhere. Older repetitions are still refused by their sequence.
            self._db.execute("delete from inbox where handled_at < datetime('now', '-60 days')")

    def apply(self, event: dict) -> str:
        """Applies the event in one transaction and returns 'handled', 'repeated' or 'outdated'."""
        with self._db:
            if self._db.execute(INSERT_INTO_INBOX, (event["id"],)).rowcount == 0:
                return "repeated"
            advance = (hash_of(event["subject"]), event["sequence"])
            is_newest = self._db.execute(ADVANCE_SEQUENCE, advance).rowcount == 1
            return self._take_effect(event, is_newest)

    def _take_effect(self, event: dict, is_newest: bool) -> str:
        subject, data = event["subject"], event["data"]
        # A request is carried out whenever it arrives; a state must not overwrite a newer one.
        if event["type"] == "user.erasure_requested":
            self._db.execute("delete from users where id = ?", (subject,))
        elif event["type"] == "user.export_requested":
            pass
        elif not is_newest:
            return "outdated"
        elif event["type"] == "user.deleted":
            self._db.execute("delete from users where id = ?", (subject,))
        else:
            self._db.execute(UPSERT_USER, (subject, data["username"], data["email"]))
        return "handled"

    def has_known(self, subject: str) -> bool:
        """Whether an event of this user was ever handled here."""
        query = "select 1 from sequences where subject_hash = ?"
        return self._db.execute(query, (hash_of(subject),)).fetchone() is not None

    def data_of(self, subject: str) -> dict | None:
        """All that this service holds of the user."""
        query = "select id, username, email from users where id = ?"
        row = self._db.execute(query, (subject,)).fetchone()
        return None if row is None else dict(zip(("id", "username", "email"), row))

    def scrub(self) -> None:
        """Rewrites the file. `secure_delete` alone misses copies that SQLite left when it moved rows between pages."""
        self._db.execute("vacuum")

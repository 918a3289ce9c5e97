// What this service keeps: its users, and the two tables that let each event take effect once and in order.
import { createHash } from 'node:crypto';
import Database from 'libsql';

export type UserEvent = { id: string; subject: string; sequence: string } & (
  | { type: 'user.created' | 'user.updated'; data: { username: string; email: string | null } }
  | { type: 'user.deleted' }
  | { type: 'user.erasure_requested'; data: { caseId: string } }
  | { type: 'user.export_requested'; data: { caseId: string } }
);

export type Outcome = 'handled' | 'repeated' | 'outdated';

const TABLES = `
  create table if not exists inbox (event_id text primary key, handled_at text not null default current_timestamp);
  create table if not exists sequences (subject_hash text primary key, sequence text not null);
  create table if not exists users (id text primary key, username text not null, email text);
`;

const INSERT_INTO_INBOX = 'insert into inbox (event_id) values (?) on conflict do nothing';

// SQLite compares text byte by byte, as `sequence` requires: '0000000002.0000000001' is newer than '0000000002'.
const ADVANCE_SEQUENCE = `
  insert into sequences (subject_hash, sequence) values (?, ?)
  on conflict (subject_hash) do update set sequence = excluded.sequence where excluded.sequence > sequence`;

const UPSERT_USER = `
  insert into users (id, username, email) values (?, ?, ?)
  on conflict (id) do update set username = excluded.username, email = excluded.email`;

/** The key of `sequences`. Its rows outlive the user, to refuse late events, so they must not hold the user's id. */
const hashOf = (subject: string) => createHash('sha256').update(subject).digest('hex');

export function openStore(path: string) {
  const db = new Database(path, { timeout: 5000 });
  // Overwrites what is deleted. Must stay out of WAL mode, whose log keeps old pages until it is reused.
  db.exec('pragma secure_delete = on');
  db.exec(TABLES);
  // Longer than an event can wait anywhere. Older repetitions are still refused by their sequence.
  db.exec("delete from inbox where handled_at < datetime('now', '-60 days')");

  const changes = (sql: string, ...values: (string | null)[]) => db.prepare(sql).run(...values).changes;

  function takeEffect(event: UserEvent, isNewest: boolean): Outcome {
    // A request is carried out whenever it arrives; a state must not overwrite a newer one.
    if (event.type === 'user.erasure_requested') {
      changes('delete from users where id = ?', event.subject);
    } else if (event.type !== 'user.export_requested') {
      if (!isNewest) return 'outdated';
      if (event.type === 'user.deleted') changes('delete from users where id = ?', event.subject);
      else changes(UPSERT_USER, event.subject, event.data.username, event.data.email);
    }
    return 'handled';
  }

  return {
    /** Applies the event in one transaction. */
    apply: db.transaction((event: UserEvent): Outcome => {
      if (changes(INSERT_INTO_INBOX, event.id) === 0) return 'repeated';
      const isNewest = changes(ADVANCE_SEQUENCE, hashOf(event.subject), event.sequence) === 1;
      return takeEffect(event, isNewest);
    }).immediate,

    /** Whether an event of this user was ever handled here. */
    hasKnown: (subject: string): boolean =>
      db.prepare('select 1 from sequences where subject_hash = ?').get(hashOf(subject)) !== undefined,

    /** All that this service holds of the user. */
    dataOf(subject: string): { id: string; username: string; email: string | null } | null {
      const row = db.prepare('select username, email from users where id = ?').raw().get(subject);
      if (!Array.isArray(row)) return null;
      const [username, email] = row;
      return { id: subject, username, email };
    },

    /** Rewrites the file. `secure_delete` alone misses copies that SQLite left when it moved rows between pages. */
    scrub: () => db.exec('vacuum'),
  };
}

export type Store = ReturnType<typeof openStore>;

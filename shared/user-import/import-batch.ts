import { foldCase } from '../characters';
import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { NOBODY } from '../events/origin';
import { appendEvents } from '../outbox/event-store';
import { insertPasswords } from '../passwords/password-store';
import { sequenceOf } from '../users/sequence';
import type { ImportedUser } from './import-line';
import { findHolders, insertNewUsers } from './import-store';

export interface NumberedUser {
  line: number;
  user: ImportedUser;
}

export interface Problem {
  line: number;
  message: string;
}

/** Inserts new users with their `user.created`. Separates existing users from those whose names are taken. */
export async function importBatch(
  tx: Tx,
  ctx: Context,
  users: NumberedUser[],
): Promise<{ imported: number; existing: Problem[]; taken: Problem[] }> {
  const now = ctx.now();
  const rows = users.map(({ line, user }) => ({
    line,
    ...user,
    id: ctx.newId(),
    createdAt: user.createdAt ?? now,
  }));
  const created = await insertNewUsers(tx, rows);
  const hashes = new Map(rows.map(({ id, passwordHash }) => [id, passwordHash]));
  await insertPasswords(
    tx,
    created.flatMap(({ id }) => {
      const hash = hashes.get(id);
      return hash === undefined ? [] : [{ userId: id, password: { hash } }];
    }),
  );
  await appendEvents(
    tx,
    ctx,
    'relay',
    created.map((user) => ({
      type: 'user.created' as const,
      subject: user.id,
      sequence: sequenceOf(user.version),
      data: user,
      origin: NOBODY,
    })),
  );

  const createdIds = new Set(created.map(({ id }) => id));
  const left = rows.filter(({ id }) => !createdIds.has(id));
  const existing: Problem[] = [];
  const taken: Problem[] = [];
  if (left.length > 0) {
    const { byUsername, byEmail } = await findHolders(tx, left);
    for (const { line, username, email } of left) {
      const holder = byUsername.get(foldCase(username));
      const emailHolder = email === null ? holder : byEmail.get(foldCase(email));
      if (holder !== undefined && holder === emailHolder) {
        existing.push({ line, message: 'skipped: this user already exists' });
      } else {
        const name = holder === undefined ? 'email' : 'username';
        taken.push({ line, message: `${name} is taken by another user` });
      }
    }
  }
  return { imported: created.length, existing, taken };
}

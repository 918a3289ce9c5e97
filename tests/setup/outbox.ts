import { sql } from 'kysely';
import { uuidv7 } from 'uuidv7';
import type { TestContext } from './context';

/**
 * A backlog as registrations during an outage leave it: for each user `user.created`, then as many changes more.
 * @returns the users' ids
 */
export async function fillOutbox(ctx: TestContext, users: number, changes = 0): Promise<string[]> {
  const ids = Array.from({ length: users }, () => uuidv7());
  await sql`
    insert into outbox (id, type, subject, sequence, time, data)
    select gen_random_uuid(), case when version = 1 then 'user.created' else 'user.email_verified' end,
      id, lpad(version::text, 10, '0'), now(),
      case when version = 1
        then jsonb_build_object('id', id, 'username', 'user', 'email', null, 'role', 'user',
          'createdAt', '2026-11-20T10:00:00.000Z')
        else jsonb_build_object('id', id) end
    from generate_series(1, ${changes + 1}::int) as version, unnest(${ids}::uuid[]) as id
    order by version`.execute(ctx.db);
  return ids;
}

export async function countUnsent(ctx: TestContext): Promise<number> {
  const row = await ctx.db
    .selectFrom('outbox')
    .select((eb) => eb.fn.countAll<string>().as('n'))
    .where('published_at', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

/** Makes everything that waits for its next attempt, or is claimed, due now: the time that passes, passed. */
export async function makeDue(ctx: TestContext): Promise<void> {
  // Around the rows that a relay is at: it takes them in another order, and both would wait for each other.
  await sql`
    update outbox set available_at = now()
    where id in (select id from outbox where published_at is null for update skip locked)`.execute(ctx.db);
}

/** @returns the subjects whose events arrived out of order */
export function inversions(events: Record<string, unknown>[]): string[] {
  const last = new Map<string, string>();
  const wrong = new Set<string>();
  for (const event of events) {
    const subject = String(event['subject']);
    const sequence = String(event['sequence']);
    if (sequence <= (last.get(subject) ?? '')) wrong.add(subject);
    last.set(subject, sequence);
  }
  return [...wrong];
}

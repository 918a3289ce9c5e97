import { type RawBuilder, sql } from 'kysely';
import type { Tx } from '../db/connection';
import type { EventType, UserEvent } from '../events/catalog';

/** Unique as a username has to be for some consumers, valid as one, and nobody's: the user id without hyphens. */
const NO_NAMES = sql`jsonb_build_object('username', replace(subject::text, '-', ''), 'email', null)`;
/** Which fields changed is not personal; what they held is. */
const NO_VALUES = sql`jsonb_build_object('changes', (
  select coalesce(jsonb_object_agg(field, '{"from": null, "to": null}'::jsonb), '{}')
  from jsonb_object_keys(data -> 'changes') as field))`;
const NO_ADDRESSES = sql`jsonb_build_object('from', null, 'to', null)`;
const UNCHANGED = sql`data`;

/** In the place of the error of a dead letter. */
export const ERASED_ERROR = 'Erased with the user whom it was about';

/** What is left of each type's data. Every type says so, that none with personal data can be forgotten. */
const WITHOUT_PERSON: Record<EventType, RawBuilder<unknown>> = {
  'user.created': sql`data || ${NO_NAMES}`,
  'user.updated': sql`data || ${NO_NAMES} || ${NO_VALUES}`,
  'user.deleted': UNCHANGED,
  'user.erasure_requested': UNCHANGED,
  'user.erasure_completed': UNCHANGED,
  'user.export_requested': UNCHANGED,
  'user.export_ready': UNCHANGED,
  'user.email_verified': UNCHANGED,
  'user.email_change_requested': UNCHANGED,
  'user.email_changed': sql`data || ${NO_ADDRESSES}`,
  'user.password_changed': UNCHANGED,
  'user.password_removed': UNCHANGED,
  'user.suspended': UNCHANGED,
  'user.restored': UNCHANGED,
  'user.role_changed': UNCHANGED,
  'user.factor_added': UNCHANGED,
  'user.factor_removed': UNCHANGED,
  'user.passkey_added': UNCHANGED,
  'user.passkey_removed': UNCHANGED,
  'user.recovery_codes_created': UNCHANGED,
  'user.recovery_code_used': UNCHANGED,
  'user.verification_requested': UNCHANGED,
  'user.password_reset_requested': UNCHANGED,
  'user.login_code_requested': UNCHANGED,
  'session.created': UNCHANGED,
  'session.elevated': UNCHANGED,
  'session.revoked': UNCHANGED,
  'session.reuse_detected': UNCHANGED,
  'webhook.disabled': UNCHANGED,
};

/**
 * Strips a user's personal data from the stored events. Events that are not sent yet stay in their place, so that
 * consumers still see the user come and go, without ever learning who it was. The addresses and user agents from
 * which the user acted go too, from events about others as well; an administrator's own stay.
 */
export async function eraseFromEvents(tx: Tx, userId: string): Promise<void> {
  const withoutPerson = dataWithoutPerson();
  await sql`
    update events set
      data = ${withoutPerson},
      address = case when actor_id is null or actor_id = subject then null else address end,
      user_agent = case when actor_id is null or actor_id = subject then null else user_agent end
    where subject = ${userId}`.execute(tx);
  await sql`
    update events set address = null, user_agent = null
    where actor_id = ${userId} and actor_id <> subject`.execute(tx);
  // What a consumer or a database says of a failure may quote what it was about.
  await sql`
    update event_history set error = null
    where error is not null
    and event_id = any(array(select id from events where subject = ${userId} and type <> 'user.deleted'))`.execute(
    tx,
  );
  await sql`
    update dead_letters set error = ${ERASED_ERROR}
    where subject = ${userId} and event ->> 'type' is distinct from 'user.deleted'`.execute(tx);
  await sql`update dispatch set last_error = null where subject = ${userId} and last_error is not null`.execute(
    tx,
  );
  // Copies that went astray.
  for (const [table, key] of [
    ['dead_letters', 'id'],
    ['dispatch', 'position'],
  ] as const) {
    await sql`
      update ${sql.table(table)} as copy set event = copy.event || jsonb_build_object('data', erased.data)
      from (
        select key, ${withoutPerson} as data from (
          select ${sql.ref(key)} as key, subject, event ->> 'type' as type, event -> 'data' as data
          from ${sql.table(table)} where subject = ${userId} and event is not null
        ) as own
      ) as erased
      where copy.${sql.ref(key)} = erased.key`.execute(tx);
  }
  // What is no event to this version, and has a subject all the same. Its data could be anything.
  await sql`
    update dead_letters set body = convert_to((convert_from(body, 'UTF8')::jsonb - 'data')::text, 'UTF8')
    where subject = ${userId} and event is null`.execute(tx);
}

/**
 * Keeps those of the subjects that are users until the transaction ends, and waits for deletions under way. For writers of
 * what may quote a user: a deletion that began earlier is visible to the next statement, and a later one finds and
 * erases what was written. Has to be a statement of its own, because one that waits keeps its old view of other tables.
 * @returns those that are users
 */
export async function holdUsers(tx: Tx, subjects: string[]): Promise<Set<string>> {
  const { rows } = await sql<{ id: string }>`
    select id from users where id = any(${subjects}::uuid[]) order by id for key share`.execute(tx);
  return new Set(rows.map(({ id }) => id));
}

/** Those of the subjects that are no users, or none any more. The others are held, see `holdUsers`. */
export async function findMissingUsers(tx: Tx, subjects: string[]): Promise<Set<string>> {
  const living = await holdUsers(tx, subjects);
  return new Set(subjects.filter((subject) => !living.has(subject)));
}

/** Whether an error may quote a person's data from the event. The subject of `webhook.disabled` is a webhook. */
export function mayQuotePerson({ type }: UserEvent): boolean {
  return type !== 'user.deleted' && type !== 'webhook.disabled';
}

/** Whether it was a user who has been deleted, as far back as the event log goes. */
export async function wasDeleted(tx: Tx, subject: string): Promise<boolean> {
  const { rows } = await sql`
    select from events where subject = ${subject} and type = 'user.deleted' limit 1`.execute(tx);
  return rows.length > 0;
}

/** As `eraseFromEvents` leaves stored events: for copies that come, or come back, after their user was deleted. */
export async function withoutPerson(tx: Tx, event: UserEvent): Promise<UserEvent> {
  const { rows } = await sql<{ data: object }>`
    select ${dataWithoutPerson()} as data
    from (values (${event.type}::text, ${event.subject}::uuid, ${JSON.stringify(event.data)}::jsonb))
      as event (type, subject, data)`.execute(tx);
  return { ...event, data: rows[0]?.data } as UserEvent;
}

function dataWithoutPerson(): RawBuilder<unknown> {
  const cases = Object.entries(WITHOUT_PERSON).map(([type, data]) => sql`when ${type} then ${data}`);
  return sql`case type ${sql.join(cases, sql` `)} end`;
}

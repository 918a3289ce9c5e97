import { sql } from 'kysely';
import type { Tx } from '../db/connection';

/** An upper bound for the queries: the byte limits of the lists allow fewer. */
const MAX_ROWS = 5_000;

/** The user's sessions, ended ones too as long as they are kept, newest first. */
export async function listStoredSessions(tx: Tx, userId: string) {
  const rows = await tx
    .selectFrom('sessions')
    .select(['id', 'created_at', 'last_used_at', 'expires_at', 'revoked_at', 'amr', 'address', 'user_agent'])
    .where('user_id', '=', userId)
    .orderBy('created_at', 'desc')
    .limit(MAX_ROWS)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    createdAt: row.created_at.toISOString(),
    lastUsedAt: row.last_used_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    revokedAt: row.revoked_at?.toISOString() ?? null,
    amr: row.amr,
    address: row.address,
    userAgent: row.user_agent,
  }));
}

interface OriginRow {
  type: string;
  time: Date;
  address: string | null;
  user_agent: string | null;
  detail: unknown;
}

const entryOf = ({ type, time, address, user_agent, detail }: OriginRow) => ({
  type,
  time: time.toISOString(),
  address,
  userAgent: user_agent,
  detail,
});

/** An administrator's identity, address and user agent are not the user's data (GDPR, article 15 (4)). */
const isOwnAct = sql`(actor_id is null or actor_id = subject)`;
const ORIGIN = sql`case when ${isOwnAct} then address end as address, case when ${isOwnAct} then user_agent end as user_agent`;

/** What the audit log has about the user, newest first. */
export async function listAuditAbout(tx: Tx, userId: string) {
  const { rows } = await sql<OriginRow>`
    select type, time, ${ORIGIN}, details - 'nameHash' as detail from audit_log
    where subject = ${userId} order by time desc, event_id desc limit ${MAX_ROWS}`.execute(tx);
  return rows.map(entryOf);
}

/** What the event log has about the user, newest first. */
export async function listEventsAbout(tx: Tx, userId: string) {
  const { rows } = await sql<OriginRow>`
    select type, time, ${ORIGIN}, data as detail from events
    where subject = ${userId} order by position desc limit ${MAX_ROWS}`.execute(tx);
  return rows.map(entryOf);
}

/** Which mails were sent to the user, as far as they are recorded, newest first. */
export async function listMailsTo(tx: Tx, userId: string) {
  const { rows } = await sql<{ at: Date; template: string | null }>`
    select history.at, history.detail ->> 'template' as template
    from events join event_history as history on history.event_id = events.id
    where events.subject = ${userId} and history.kind = 'mail_sent' and history.consumer = 'emails'
    order by history.at desc limit ${MAX_ROWS}`.execute(tx);
  return rows.map(({ at, template }) => ({ sentAt: at.toISOString(), template }));
}

/** What receivers of webhooks answered to events about the user, where the answer repeats one of these texts, newest first. */
export async function listEchoes(tx: Tx, userId: string, texts: string[]) {
  const { rows } = await sql<{ type: string; at: string; response: string }>`
    select delivery.type, attempt ->> 'startedAt' as at, attempt ->> 'response' as response
    from events join webhook_deliveries as delivery on delivery.event_id = events.id,
      jsonb_array_elements(delivery.attempt_log) as attempt
    where events.subject = ${userId}
      and exists (select from unnest(${texts}::text[]) as text where strpos(attempt ->> 'response', text) > 0)
    order by delivery.event_id desc limit ${MAX_ROWS}`.execute(tx);
  return rows;
}

/** Addresses that the user had and can restore, and those that links in mails are for. */
export async function listOtherAddresses(tx: Tx, userId: string) {
  const former = await tx
    .selectFrom('former_emails')
    .select(['address', 'restorable_until'])
    .where('user_id', '=', userId)
    .execute();
  const links = await tx
    .selectFrom('email_tokens')
    .select(['address', 'purpose', 'created_at', 'expires_at'])
    .where('user_id', '=', userId)
    .orderBy('created_at', 'desc')
    .execute();
  return {
    formerAddresses: former.map((row) => ({
      address: row.address,
      restorableUntil: row.restorable_until.toISOString(),
    })),
    mailLinks: links.map((row) => ({
      address: row.address,
      purpose: row.purpose,
      createdAt: row.created_at.toISOString(),
      expiresAt: row.expires_at.toISOString(),
    })),
  };
}

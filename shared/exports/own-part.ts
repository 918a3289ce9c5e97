import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { listFactorRows } from '../factors/factor-store';
import { countRecoveryCodes } from '../factors/recovery-code-store';
import { listPasskeyRows } from '../passkeys/passkey-store';
import { findPassword } from '../passwords/password-store';
import type { User } from '../users/user';
import { userResponse } from '../users/user-response';
import type { JsonObject } from './export-case';
import {
  listAuditAbout,
  listEchoes,
  listEventsAbout,
  listMailsTo,
  listOtherAddresses,
  listStoredSessions,
} from './own-part-store';

/** Of each list that grows with time. Together they fit in a part. */
const MAX_BYTES = {
  sessions: 150_000,
  auditEntries: 350_000,
  events: 350_000,
  mails: 50_000,
  webhookResponses: 100_000,
};

/**
 * Collects all that this service stores about a user, whom the caller has locked. Omits password hashes, factor secrets and
 * tokens, and the reason of a suspension, which is for administrators. A list that is too long keeps its newest entries, and
 * `truncated` names it.
 */
export async function collectOwnPart(tx: Tx, ctx: Context, user: User): Promise<JsonObject> {
  const texts = [user.id, user.username, user.email, user.pendingEmail, user.displayName];
  const growing = {
    sessions: await listStoredSessions(tx, user.id),
    auditEntries: await listAuditAbout(tx, user.id),
    events: await listEventsAbout(tx, user.id),
    mails: await listMailsTo(tx, user.id),
    webhookResponses: await listEchoes(
      tx,
      user.id,
      texts.filter((text) => text !== null),
    ),
  };
  const truncated: string[] = [];
  const lists = Object.entries(growing).map(([name, entries]: [string, object[]]) => {
    const kept = firstOf(entries, MAX_BYTES[name as keyof typeof growing]);
    if (kept.length < entries.length) truncated.push(name);
    return [name, kept];
  });
  return {
    profile: userResponse(ctx, user),
    hasPassword: (await findPassword(tx, user.id)) !== null,
    factors: await listFactorRows(tx, user.id),
    recoveryCodes: await countRecoveryCodes(tx, user.id),
    passkeys: await listPasskeyRows(tx, user.id),
    ...(await listOtherAddresses(tx, user.id)),
    ...Object.fromEntries(lists),
    truncated,
  };
}

function firstOf(entries: object[], maxBytes: number): object[] {
  let bytes = 0;
  const end = entries.findIndex((entry) => {
    bytes += Buffer.byteLength(JSON.stringify(entry)) + 1;
    return bytes > maxBytes;
  });
  return end === -1 ? entries : entries.slice(0, end);
}

import * as v from 'valibot';
import { appendAuditEntry } from '../audit/audit-store';
import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import type { Caller } from '../sessions/authenticate';
import { getUserToActFor } from '../users/assert-may-act-for';
import type { User } from '../users/user';
import type { Export, JsonObject } from './export-case';
import { findExport, listParts } from './export-store';
import { openPart } from './part';

const ExportId = v.pipe(v.string(), v.uuid());

/** Who asks, and whether they may for other users. */
export interface Asker {
  caller: Caller;
  mayForOthers: boolean;
}

/**
 * An export, without its data.
 * @throws DomainError `not_found`, also for an export that is none of the asker's business; `forbidden` if its user has
 * permissions that the asker lacks
 */
export async function getExport(ctx: Context, asker: Asker, id: string): Promise<Export> {
  return (await find(ctx, asker, id)).found;
}

async function find(
  ctx: Context,
  { caller, mayForOthers }: Asker,
  id: string,
): Promise<{ found: Export; user: User }> {
  const found = v.is(ExportId, id) ? await findExport(ctx.db, id, ctx.now()) : null;
  // Like an unknown one, so that nobody learns which exports there are.
  if (!found || (found.userId !== caller.user.id && !mayForOthers))
    throw new DomainError('not_found', { detail: 'Export not found' });
  return { found, user: await getUserToActFor(ctx, caller, found.userId) };
}

/** All that was collected, as it is downloaded. */
export interface ExportDocument {
  exportedAt: string;
  user: { id: string; username: string };
  /** By the name of the holder: what it holds, `{ url }` to get it from there, or null if it holds nothing. */
  parts: Record<string, JsonObject | null>;
  /** The holders that have not answered in time. */
  missing: string[];
}

/**
 * What an export has collected. Each download is in the audit log.
 * @throws DomainError `export_pending` while answers can still come in time, `unavailable` without the key that sealed it, or
 * as `getExport` does
 */
export async function getExportData(
  ctx: Context,
  asker: Asker,
  id: string,
  origin: Origin,
): Promise<ExportDocument> {
  const { found, user } = await find(ctx, asker, id);
  if (found.state === 'pending') throw new DomainError('export_pending');
  const stored = await listParts(ctx.db, id);
  const parts = stored.map(({ holder, part }) => [holder, part && openPart(ctx, id, holder, part)]);
  await appendAuditEntry(ctx.db, {
    id: ctx.newId(),
    type: 'export.fetched',
    subject: user.id,
    time: ctx.now(),
    origin,
    details: { caseId: id },
  });
  return {
    exportedAt: ctx.now().toISOString(),
    user: { id: user.id, username: user.username },
    parts: Object.fromEntries(parts),
    missing: found.receipts.flatMap(({ holder, receivedAt }) => (receivedAt === null ? [holder] : [])),
  };
}

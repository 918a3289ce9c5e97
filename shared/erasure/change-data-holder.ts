import { isDeepStrictEqual } from 'node:util';
import { recordAdminAction } from '../audit/record-admin-action';
import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { hashToken, newOpaqueToken } from '../tokens/opaque-token';
import { type DataHolder, HOLDER_KEY_PREFIX, type HolderSettings } from './data-holder';
import {
  deleteDataHolderRow,
  isAwaited,
  lockDataHolder,
  setHolderKey,
  upsertDataHolder,
} from './data-holder-store';
import { withdrawRequests } from './overdue-store';

/**
 * Creates a data holder or replaces its settings. Cases that are open already keep theirs, but their requests go to the new
 * queue: those that wait to be sent to the old one are withdrawn.
 * @throws DomainError `version_mismatch`
 */
export async function putDataHolder(
  ctx: Context,
  name: string,
  settings: HolderSettings,
  versions: number[] | null,
  origin: Origin,
): Promise<{ holder: DataHolder; created: boolean }> {
  return ctx.db.transaction().execute(async (tx) => {
    const before = await lockDataHolder(tx, name);
    assertVersion(before, versions);
    if (before && isDeepStrictEqual(settingsOf(before), settings)) return { holder: before, created: false };
    const holder = await upsertDataHolder(tx, name, settings, ctx.now());
    if (before?.queue && before.queue !== holder.queue) await withdrawRequests(tx, name, before.queue);
    await recordAdminAction(tx, ctx, origin, {
      type: before ? 'data_holder.changed' : 'data_holder.created',
      details: {
        name,
        ...(before && { contactChanged: before.contact !== holder.contact }),
        before: before && audited(before),
        after: audited(holder),
      },
    });
    return { holder, created: !before };
  });
}

/** @throws DomainError `not_found`, `version_mismatch`, or `holder_awaited` while an open case awaits its answer */
export async function deleteDataHolder(
  ctx: Context,
  name: string,
  versions: number[] | null,
  origin: Origin,
): Promise<void> {
  await ctx.db.transaction().execute(async (tx) => {
    const holder = await lockExisting(tx, name);
    assertVersion(holder, versions);
    if (await isAwaited(tx, name)) throw new DomainError('holder_awaited');
    await deleteDataHolderRow(tx, name);
    await recordAdminAction(tx, ctx, origin, {
      type: 'data_holder.deleted',
      details: { name, before: audited(holder), after: null },
    });
  });
}

/**
 * Creates a key with which the holder answers by HTTP; an earlier one stops working. Only its hash is stored.
 * @throws DomainError `not_found`
 */
export async function createHolderKey(
  ctx: Context,
  name: string,
  origin: Origin,
): Promise<DataHolder & { key: string }> {
  const key = `${HOLDER_KEY_PREFIX}${newOpaqueToken()}`;
  const holder = await ctx.db.transaction().execute(async (tx) => {
    await lockExisting(tx, name);
    await recordAdminAction(tx, ctx, origin, { type: 'data_holder.key_created', details: { name } });
    return setHolderKey(tx, name, hashToken(key), ctx.now());
  });
  return { ...holder, key };
}

async function lockExisting(tx: Tx, name: string): Promise<DataHolder> {
  const holder = await lockDataHolder(tx, name);
  if (!holder) throw new DomainError('not_found', { detail: 'Data holder not found' });
  return holder;
}

function assertVersion(holder: DataHolder | null, versions: number[] | null): void {
  if (!versions || (holder && versions.includes(holder.version))) return;
  throw new DomainError('version_mismatch', {
    detail: 'The data holder has changed since you read it. Read it again and repeat the change',
    ...(holder && { headers: { etag: `"${holder.version}"` } }),
  });
}

function settingsOf({ contact, deadlineSeconds, queue }: DataHolder): HolderSettings {
  return { contact, deadlineSeconds, queue };
}

/** Without the contact, which may be a person's address: entries are permanent. */
function audited({ deadlineSeconds, queue, hasKey }: DataHolder) {
  return { deadlineSeconds, queue, hasKey };
}

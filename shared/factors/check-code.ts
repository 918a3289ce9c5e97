import type { Context } from '../context/context';
import type { Tx } from '../db/connection';
import type { Origin } from '../events/origin';
import { appendEvent } from '../outbox/event-store';
import { takeMinorSequence } from '../users/sequence';
import { findSealed, useStep } from './factor-store';
import type { FactorCode } from './fields';
import { hashRecoveryCode } from './recovery-code';
import { countRecoveryCodes, hasRecoveryCode, useRecoveryCode } from './recovery-code-store';
import { openSecret, sealSecret } from './sealed-secret';
import { matchStep } from './totp';

/** Uses up a code in the transaction of what it is for. Returns false if it was used meanwhile. */
export type UseCode = (tx: Tx) => Promise<boolean>;

/** Checks a code without using it up. @returns how to use it up, or null if it is wrong or was used */
export function checkCode(
  ctx: Context,
  userId: string,
  { type, code }: FactorCode,
  origin: Origin,
): Promise<UseCode | null> {
  return type === 'totp' ? checkTotp(ctx, userId, code) : checkRecoveryCode(ctx, userId, code, origin);
}

async function checkTotp(ctx: Context, userId: string, typed: string): Promise<UseCode | null> {
  // Apps show a space in the middle.
  const code = typed.replace(/\s/g, '');
  const now = ctx.now();
  for (const { id, secret, lastStep } of await findSealed(ctx.db, userId, 'confirmed')) {
    const { plain, isCurrent } = openSecret(ctx, secret, id);
    const step = matchStep(plain, code, now, lastStep);
    if (step === null) continue;
    const resealed = isCurrent ? null : sealSecret(ctx, plain, id);
    return (tx) => useStep(tx, id, { step, now, secret: resealed });
  }
  return null;
}

async function checkRecoveryCode(
  ctx: Context,
  userId: string,
  code: string,
  origin: Origin,
): Promise<UseCode | null> {
  const hash = hashRecoveryCode(code);
  if (!(await hasRecoveryCode(ctx.db, userId, hash))) return null;
  return async (tx) => {
    const sequence = await takeMinorSequence(tx, userId);
    if (sequence === null || !(await useRecoveryCode(tx, userId, hash))) return false;
    await appendEvent(tx, ctx, 'relay', {
      type: 'user.recovery_code_used',
      subject: userId,
      sequence,
      data: { id: userId, remaining: await countRecoveryCodes(tx, userId) },
      origin: { ...origin, actorId: userId },
    });
    return true;
  };
}

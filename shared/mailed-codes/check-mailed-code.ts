import type { Context } from '../context/context';
import { DomainError } from '../errors';
import type { Origin } from '../events/origin';
import { isKnownPlace } from '../passwords/check-login';
import { findForLogin, type LoginRecord } from '../passwords/password-store';
import { addressBlock } from '../rate-limits/address-block';
import type { FirstFactorProof } from '../sessions/proof';
import type { MailedCode } from './fields';
import { proveMailedCode } from './prove-mailed-code';

/** A login with the right code. `onSignIn` of a proof uses it up. */
export interface CheckedCode {
  proof: FirstFactorProof;
  /**
   * The same for the user's current state.
   * @throws DomainError `invalid_token` if the user has another address by now, or was deleted
   */
  recheck(): Promise<FirstFactorProof>;
}

/** Checks a mailed code of somebody who logs in. @throws DomainError as `proveMailedCode` does */
export async function checkMailedCode(ctx: Context, sent: MailedCode, origin: Origin): Promise<CheckedCode> {
  const block = addressBlock(origin.address);
  const find = async (userId: string | null) => {
    // Also looked up if there is none, which takes the same time.
    const record = await findForLogin(ctx.db, { id: userId ?? ctx.newId() });
    return record && { ...record, isKnownPlace: isKnownPlace(record, block) };
  };
  const { found, assertMailedTo, use } = await proveMailedCode(ctx, sent, { place: { block }, find }, origin);
  const proofOf = ({ user, rolePermissions, hash, factors }: LoginRecord): FirstFactorProof => {
    assertMailedTo(user);
    return { user, rolePermissions, hash, factors, at: ctx.now(), amr: ['otp'], onSignIn: use };
  };
  const recheck = async () => {
    const current = await findForLogin(ctx.db, { id: found.user.id });
    if (!current) throw new DomainError('invalid_token');
    return proofOf(current);
  };
  return { proof: proofOf(found), recheck };
}

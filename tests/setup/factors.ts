import { base32 } from '@otplib/plugin-base32-scure';
import { crypto } from '@otplib/plugin-crypto-node';
import { generateSync } from '@otplib/totp';
import { handler as addTotp } from '../../functions/factors/add-totp';
import { handler as confirmTotp } from '../../functions/factors/confirm-totp';
import { handler as createRecoveryCodes } from '../../functions/factors/create-recovery-codes';
import type { TestContext } from './context';
import { call } from './http';
import type { Person } from './people';

/** The code that an authenticator app shows. */
export function codeOf(secret: string, at: Date): string {
  return generateSync({ crypto, base32, secret, epoch: Math.floor(at.getTime() / 1000) });
}

export function later(ctx: TestContext, seconds: number): void {
  ctx.clock.now = new Date(ctx.clock.now.getTime() + seconds * 1000);
}

export interface Authenticator {
  factorId: string;
  secret: string;
  /** The code of now. After each use, the next one is due. */
  code(): string;
}

/** Sets up an authenticator app, and moves the clock to the next code. */
export async function addAuthenticator(ctx: TestContext, { accessToken }: Person): Promise<Authenticator> {
  const own = { method: 'POST', params: { id: 'me' }, token: accessToken };
  const { body } = await call(addTotp, ctx, own);
  const code = () => codeOf(body.secret, ctx.clock.now);
  const confirmed = await call(confirmTotp, ctx, { ...own, body: { code: code() } });
  if (confirmed.status !== 200) throw new Error(`Not confirmed: ${JSON.stringify(confirmed.body)}`);
  later(ctx, 30);
  return { factorId: body.factorId, secret: body.secret, code };
}

export async function recoveryCodes(ctx: TestContext, { accessToken }: Person): Promise<string[]> {
  const own = { method: 'POST', params: { id: 'me' }, token: accessToken };
  const { status, body } = await call(createRecoveryCodes, ctx, own);
  if (status !== 201) throw new Error(`No codes: ${JSON.stringify(body)}`);
  return body.codes;
}

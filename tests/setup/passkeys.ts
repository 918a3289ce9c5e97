import { handler as loginPasskey } from '../../functions/auth/login-passkey';
import { handler as loginOptions } from '../../functions/auth/passkey-login-options';
import { handler as addPasskey } from '../../functions/factors/add-passkey';
import { handler as passkeyOptions } from '../../functions/factors/passkey-options';
import { type Algorithm, type Misbehaviour, SoftwareAuthenticator } from './authenticator';
import type { TestContext } from './context';
import { call } from './http';
import type { TestReply } from './http-event';

const own = ({ accessToken: token }: { accessToken: string }) => ({
  method: 'POST',
  params: { id: 'me' },
  token,
});

/** The options for a new passkey of this user. */
export async function creationOptions(ctx: TestContext, person: { accessToken: string }) {
  const { status, body } = await call(passkeyOptions, ctx, own(person));
  if (status !== 200) throw new Error(`No options: ${JSON.stringify(body)}`);
  return body.options;
}

/** The options for a login, which are the same for everybody. */
export async function requestOptions(ctx: TestContext) {
  return (await call(loginOptions, ctx, { method: 'POST' })).body.options;
}

export const register = (
  ctx: TestContext,
  person: { accessToken: string },
  credential: object,
  name?: string,
): Promise<TestReply> =>
  call(addPasskey, ctx, { ...own(person), body: { credential, ...(name !== undefined && { name }) } });

export interface OwnPasskey {
  id: string;
  authenticator: SoftwareAuthenticator;
}

/** Registers a passkey in an authenticator of its own. */
export async function addOwnPasskey(
  ctx: TestContext,
  person: { accessToken: string },
  algorithm?: Algorithm,
): Promise<OwnPasskey> {
  const authenticator = new SoftwareAuthenticator(algorithm);
  const credential = authenticator.register(await creationOptions(ctx, person));
  const { status, body } = await register(ctx, person, credential);
  if (status !== 201) throw new Error(`Not registered: ${JSON.stringify(body)}`);
  return { id: body.id, authenticator };
}

/** A fresh assertion. */
export async function assertionOf(
  ctx: TestContext,
  { authenticator }: Pick<OwnPasskey, 'authenticator'>,
  wrong?: Misbehaviour,
) {
  return authenticator.authenticate(await requestOptions(ctx), wrong);
}

export const logInWith = (ctx: TestContext, assertion: object, address?: string): Promise<TestReply> =>
  call(loginPasskey, ctx, {
    method: 'POST',
    body: { assertion },
    ...(address !== undefined && { address }),
  });

import { bearer, post, type Session } from './api';

/** Where the service accepts passkeys: under another name of it they would be refused. */
const hosts = document.body.dataset['passkeyHosts']?.split(' ') ?? [];

/** Browsers offer passkeys on pages over TLS and on this machine only. */
export const hasPasskeys = hosts.includes(location.host) && 'PublicKeyCredential' in globalThis;

/** Whether the browser lists passkeys where it fills in usernames. */
export async function canSuggestPasskeys(): Promise<boolean> {
  return hasPasskeys && ((await PublicKeyCredential.isConditionalMediationAvailable?.()) ?? false);
}

/** A browser asks for one passkey at a time. */
let asking: AbortController | undefined;

export function stopAsking(): void {
  asking?.abort();
}

/**
 * Asks for a passkey: at once, or, if it is only suggested, when the person chooses one in the autofill of the username.
 * @returns the assertion, as the API takes it
 * @throws DOMException if the person declines, or another passkey is asked for
 */
export async function askForPasskey({ isSuggestion = false } = {}): Promise<unknown> {
  stopAsking();
  const controller = new AbortController();
  asking = controller;
  const { options } = await post<{ options: PublicKeyCredentialRequestOptionsJSON }>('login/passkey/options');
  const { challenge, rpId, timeout } = options;
  const credential = await navigator.credentials.get({
    publicKey: {
      challenge: fromBase64url(challenge),
      userVerification: 'required',
      ...(rpId !== undefined && { rpId }),
      ...(timeout !== undefined && { timeout }),
    },
    signal: controller.signal,
    ...(isSuggestion && { mediation: 'conditional' }),
  });
  if (!(credential instanceof PublicKeyCredential)) throw declined();
  const { response } = credential;
  if (!(response instanceof AuthenticatorAssertionResponse)) throw declined();
  return {
    ...identityOf(credential),
    response: {
      clientDataJSON: toBase64url(response.clientDataJSON),
      authenticatorData: toBase64url(response.authenticatorData),
      signature: toBase64url(response.signature),
      userHandle: response.userHandle && toBase64url(response.userHandle),
    },
  };
}

/** Creates a passkey for the session's user and registers it. @throws DOMException if the person declines, or ApiError */
export async function addPasskey(session: Session): Promise<void> {
  stopAsking();
  const { options } = await post<{ options: PublicKeyCredentialCreationOptionsJSON }>(
    'users/me/passkeys/options',
    undefined,
    bearer(session),
  );
  const { challenge, user, rp, pubKeyCredParams, timeout, excludeCredentials = [] } = options;
  const credential = await navigator.credentials.create({
    publicKey: {
      challenge: fromBase64url(challenge),
      rp,
      user: { ...user, id: fromBase64url(user.id) },
      pubKeyCredParams: pubKeyCredParams.map(({ alg }) => ({ type: 'public-key', alg })),
      excludeCredentials: excludeCredentials.map(({ id }) => ({ type: 'public-key', id: fromBase64url(id) })),
      authenticatorSelection: {
        residentKey: 'required',
        requireResidentKey: true,
        userVerification: 'required',
      },
      ...(timeout !== undefined && { timeout }),
    },
  });
  if (!(credential instanceof PublicKeyCredential)) throw declined();
  const { response } = credential;
  if (!(response instanceof AuthenticatorAttestationResponse)) throw declined();
  const sent = {
    ...identityOf(credential),
    response: {
      clientDataJSON: toBase64url(response.clientDataJSON),
      attestationObject: toBase64url(response.attestationObject),
      transports: response.getTransports(),
    },
  };
  await post('users/me/passkeys', { credential: sent }, bearer(session));
}

const identityOf = ({ id, type }: PublicKeyCredential) => ({ id, rawId: id, type });

const declined = () => new DOMException('No passkey', 'NotAllowedError');

// By hand, because older browsers and some password managers lack `toJSON` and `parseRequestOptionsFromJSON`.

function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function toBase64url(bytes: ArrayBuffer): string {
  const binary = String.fromCharCode(...new Uint8Array(bytes));
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

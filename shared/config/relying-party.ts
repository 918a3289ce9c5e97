import { parseOrigin } from './origins';
import { itemsOf } from './values';

/** An Android app's origin: the SHA-256 of the certificate that signs it. */
const ANDROID_APP = /^android:apk-key-hash:[A-Za-z0-9_-]{43}$/;
/** As URLs write them: nothing else ends in a number. */
const ADDRESS = /^\[|\.\d+$/;

/**
 * Parses the origins that may use passkeys: as for CORS, and Android apps.
 * @throws Error for an origin that can never match
 */
export function parsePasskeyOrigins(text: string): string[] {
  const written = itemsOf(text);
  if (written.includes('*')) throw new Error('must list every origin: * is not allowed');
  return written.map((origin) => (ANDROID_APP.test(origin) ? origin : parseSecureOrigin(origin)));
}

/** Browsers offer passkeys in secure contexts only, and to no IP address (WebAuthn level 3, section 5.1.3). */
function parseSecureOrigin(text: string): string {
  const origin = parseOrigin(text);
  const { protocol, hostname } = new URL(origin);
  if (ADDRESS.test(hostname) || (protocol === 'http:' && !/(^|\.)localhost$/.test(hostname)))
    throw new Error('must be origins with https, or http on localhost, and without IP addresses');
  return origin;
}

/** Parses a relying party id (WebAuthn level 3, section 4): a domain, without scheme and port. */
export function parseRelyingPartyId(text: string): string {
  const url = `https://${text.trim()}`;
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  if (!/^[a-z0-9.-]+$/.test(host) || ADDRESS.test(host) || `https://${host}/` !== new URL(url).href)
    throw new Error('must be a domain such as example.com, without a scheme, a port or a path');
  return host;
}

/** Whom passkeys are for: the id that they are bound to, and the origins of the pages and apps that may use them. */
export function relyingPartyOf(env: {
  PASSKEY_RP_ID?: string | undefined;
  PASSKEY_ORIGINS: string[];
  PUBLIC_URL: string;
}): { id: string; origins: string[] } | { problem: string } {
  const origins = env.PASSKEY_ORIGINS.length > 0 ? env.PASSKEY_ORIGINS : [new URL(env.PUBLIC_URL).origin];
  const hosts = origins.filter((origin) => /^https?:/.test(origin)).map((origin) => new URL(origin).hostname);
  const id = env.PASSKEY_RP_ID ?? hosts[0];
  if (id === undefined) {
    return {
      problem: 'PASSKEY_RP_ID is missing: PASSKEY_ORIGINS has no web page whose host could be the default',
    };
  }
  // Browsers refuse all others (HTML standard, "is a registrable domain suffix of or is equal to").
  const strange = hosts.find((host) => host !== id && !host.endsWith(`.${id}`));
  if (strange !== undefined) {
    return {
      problem: `PASSKEY_RP_ID must be the host name of every origin in PASSKEY_ORIGINS (by default, of PUBLIC_URL), or a domain above it; ${strange} is not within ${id}`,
    };
  }
  return { id, origins };
}

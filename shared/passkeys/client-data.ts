import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { CeremonyError } from './ceremony-error';

/** Client data (WebAuthn level 3, section 5.8.1). Members that come later are ignored, as it says. */
const ClientData = v.object({
  type: v.string(),
  challenge: v.string(),
  origin: v.string(),
  crossOrigin: v.optional(v.boolean()),
  topOrigin: v.optional(v.string()),
});

/** Who asks for passkeys: the id that they are bound to, and the origins of the pages and apps that may use them. */
export interface RelyingParty {
  id: string;
  origins: readonly string[];
}

/** What is signed of the client data, and the challenge in it, which the caller takes. */
export interface CheckedClientData {
  challenge: string;
  hash: Buffer;
}

/** @throws CeremonyError for another ceremony, an origin that is not listed, or a page in a frame of another origin */
export function checkClientData(
  bytes: Buffer,
  type: 'webauthn.create' | 'webauthn.get',
  { origins }: RelyingParty,
): CheckedClientData {
  const data = parse(bytes);
  if (data.type !== type) throw new CeremonyError(`The client data is not of type ${type}`);
  // Compared as text: `https://example.com.evil.test` and `https://example.com:444` are other origins.
  if (!origins.includes(data.origin)) throw new CeremonyError('The origin is not one of PASSKEY_ORIGINS');
  // A page that frames ours could have its visitors confirm with it.
  if (data.crossOrigin || data.topOrigin !== undefined) {
    throw new CeremonyError('Passkeys cannot be used in a frame of another origin');
  }
  return { challenge: data.challenge, hash: createHash('sha256').update(bytes).digest() };
}

function parse(bytes: Buffer): v.InferOutput<typeof ClientData> {
  try {
    return v.parse(ClientData, JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch {
    throw new CeremonyError('The client data is not well-formed');
  }
}

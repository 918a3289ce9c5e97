import { randomBytes } from 'node:crypto';
import { base32 } from '@otplib/plugin-base32-scure';
import { crypto } from '@otplib/plugin-crypto-node';
import { verifySync } from '@otplib/totp';
import { generateTOTP } from '@otplib/uri';
import { renderSVG } from 'uqr';

/** What authenticator apps support without exception: HMAC-SHA-1, six digits, 30 seconds (RFC 6238, section 1.2). */
const STEP_SECONDS = 30;
/** RFC 4226, section 4, recommends 160 bits. */
const SECRET_BYTES = 20;

export interface NewSecret {
  bytes: Buffer;
  /** In base32. */
  secret: string;
  uri: string;
  /** The URI as a QR code: an SVG document. */
  qrCode: string;
}

/**
 * A new secret, as an authenticator app takes it.
 * @param appName what the app shows as the issuer, without colons
 * @param label what the app shows as the account: a username, which has no colon
 */
export function newSecret(appName: string, label: string): NewSecret {
  // A colon separates issuer and account. Neither may contain one, not even encoded (Key URI Format, "Label").
  const issuer = appName.replace(/\s*:[\s:]*/g, ' ').trim();
  const bytes = randomBytes(SECRET_BYTES);
  const secret = base32.encode(bytes, { padding: false });
  const uri = generateTOTP({ issuer, label, secret });
  return { bytes, secret, uri, qrCode: renderSVG(uri) };
}

/**
 * Compares a code with those of the current time step, the one before and the one after (RFC 6238, section 5.2), for
 * clocks that are half a minute off.
 * @param lastStep the step of the last code that was used: a code works once
 * @returns the code's step, or null if it is wrong or was used
 */
export function matchStep(secret: Buffer, code: string, now: Date, lastStep: number | null): number | null {
  if (!/^\d{6}$/.test(code)) return null;
  const epoch = Math.floor(now.getTime() / 1000);
  const result = verifySync({ crypto, secret, token: code, epoch, epochTolerance: STEP_SECONDS });
  if (!result.valid || !('timeStep' in result)) return null;
  return lastStep !== null && result.timeStep <= lastStep ? null : result.timeStep;
}

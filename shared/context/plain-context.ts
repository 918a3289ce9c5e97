import { uuidv7 } from 'uuidv7';
import { type Config, readConfig } from '../config';
import { createLog, type Log } from '../log';
import { isGuessable } from '../tokens/token-keys';

/** The part of the context that needs no server. */
export interface PlainContext {
  config: Config;
  /** A UUIDv7 (RFC 9562), which sorts by time, so that new rows are at the end of their indexes. */
  newId(): string;
  log: Log;
}

let container: PlainContext | undefined;

/** For functions without data access, so that their bundles contain no database driver. */
export function plainContext(): PlainContext {
  container ??= createPlainContext(readConfig());
  return container;
}

export function createPlainContext(config: Config, log: Log = createLog(config.logLevel)): PlainContext {
  const { signingKey, previousKeys } = config.tokens;
  if ([signingKey, ...previousKeys].some(isGuessable)) {
    log.warn(
      'JWT_SECRET (or a secret in JWT_PREVIOUS_KEYS) has too few different characters and can be guessed',
    );
  }
  return { config, newId: uuidv7, log };
}

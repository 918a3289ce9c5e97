import { uuidv7 } from 'uuidv7';
import { type Config, readConfig } from '../config';
import { createLog, type Log } from '../log';
import { isGuessable } from '../tokens/token-keys';

/** What every function has: the part of the context that needs no server. */
export interface PlainContext {
  config: Config;
  /** A UUIDv7 (RFC 9562): sorts by time, so that new rows land at the end of their indexes. */
  newId(): string;
  log: Log;
}

let container: PlainContext | undefined;

/** The container's, for functions that touch no data: their bundles carry no database driver. */
export function plainContext(): PlainContext {
  container ??= createPlainContext(readConfig());
  return container;
}

export function createPlainContext(config: Config, log: Log = createLog(config.logLevel)): PlainContext {
  const { signingKey, previousKeys } = config.tokens;
  if ([signingKey, ...previousKeys].some(isGuessable)) {
    log.warn(
      'JWT_SECRET (or one in JWT_PREVIOUS_KEYS) has too few different characters: anybody could guess it',
    );
  }
  return { config, newId: uuidv7, log };
}

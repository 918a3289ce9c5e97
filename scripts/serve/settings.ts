import * as v from 'valibot';
import { ConfigError } from '../../shared/config';
import { parseHost } from '../../shared/config/servers';
import { parsed } from '../../shared/config/values';

/** The parts of the service. A process runs all of them by default; several processes can divide them. */
export const PARTS = ['http', 'relay', 'poller', 'webhooks', 'purge', 'erasures'] as const;
export type Part = (typeof PARTS)[number];

const MAX_PROCESSES = 64;

const Settings = v.object({
  SERVE: v.optional(
    v.pipe(
      v.string(),
      v.transform((text) => text.split(',').map((part) => part.trim())),
      v.array(v.picklist(PARTS, `must be a list of ${PARTS.join(', ')}`)),
      v.minLength(1),
    ),
    PARTS.join(),
  ),
  HOST: v.optional(parsed((text) => parseHost(text).replace(/^\[|\]$/g, ''))),
  /** 0: any free port. */
  PORT: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,5}$/, 'must be a port number'),
      v.transform(Number),
      v.maxValue(65_535, 'must be a port number'),
    ),
    '3000',
  ),
  WEB_CONCURRENCY: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\d{1,2}$/, `must be a number from 1 to ${MAX_PROCESSES}`),
      v.transform(Number),
      v.minValue(1, 'must be at least 1'),
      v.maxValue(MAX_PROCESSES, `must be at most ${MAX_PROCESSES}`),
    ),
    '1',
  ),
});

export interface ServeSettings {
  parts: Set<Part>;
  /** Undefined: every interface. */
  host: string | undefined;
  port: number;
  processes: number;
}

/**
 * Reads the variables of `serve`; an empty variable counts as missing.
 * @param parts from the command line; they replace SERVE
 * @throws ConfigError naming every wrong variable
 */
export function readServeSettings(environment: NodeJS.ProcessEnv, parts?: string): ServeSettings {
  const given = { ...environment, ...(parts && { SERVE: parts }) };
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''));
  const result = v.safeParse(Settings, present);
  if (!result.success)
    throw new ConfigError(result.issues.map((issue) => `${v.getDotPath(issue)} ${issue.message}`));
  const { SERVE, HOST, PORT, WEB_CONCURRENCY } = result.output;
  return { parts: new Set(SERVE), host: HOST, port: PORT, processes: WEB_CONCURRENCY };
}

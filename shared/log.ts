export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFields = Record<string, unknown>;

/** Writes one JSON object per line: `time`, `level`, `message`, the bound fields, the line's own fields. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A new log that adds these fields to every line. */
  child(fields: LogFields): Log;
  /** Adds fields to all later lines of this log, such as the id of the authenticated user. */
  bind(fields: LogFields): void;
}

// Fields with these names are redacted: they hold secrets or personal data.
const SECRET = /pass(?!key)|secret|token|hash|authorization|cookie|e-?mail|^body$/i;
// Credentials in connection strings, which drivers repeat in their error messages. The length is bounded because the
// expression starts again at every word; unbounded, a long text would take quadratic time.
const URL_CREDENTIALS = /\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@]{1,2000}@/gi;

/** At once: a Lambda container may be frozen as soon as it has answered. */
let writeLine = (line: string): void => void process.stdout.write(`${line}\n`);

/** Replaces how the lines of this process are written. */
export function useLineWriter(other: (line: string) => void): void {
  writeLine = other;
}

export function createLog(
  level: LogLevel,
  write: (line: string) => void = (line) => writeLine(line),
  bound: LogFields = {},
): Log {
  const threshold = LOG_LEVELS.indexOf(level);
  const fields = { ...bound };
  const line = (lineLevel: LogLevel) => (message: string, extra?: LogFields) => {
    if (LOG_LEVELS.indexOf(lineLevel) < threshold) return;
    const entry = { time: new Date().toISOString(), level: lineLevel, message, ...fields, ...extra };
    write(JSON.stringify(entry, redact).replace(URL_CREDENTIALS, '$1***@'));
  };
  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    child: (more) => createLog(level, write, { ...fields, ...more }),
    bind: (more) => void Object.assign(fields, more),
  };
}

function redact(key: string, value: unknown): unknown {
  if (value !== null && value !== undefined && SECRET.test(key)) return '[redacted]';
  if (value instanceof Error) return describeError(value);
  return value;
}

/** An error as log fields. Omits all other properties: drivers attach rows, parameters and configuration to errors. */
function describeError(error: Error): LogFields {
  const code = 'code' in error ? error.code : undefined;
  return {
    name: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    stack: error.stack,
    ...(error.cause instanceof Error ? { cause: describeError(error.cause) } : {}),
  };
}

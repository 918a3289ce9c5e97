export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFields = Record<string, unknown>;

/** Writes one JSON object per line: `time`, `level`, `message`, the bound fields, the line's own fields. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log of its own that adds these fields to every line. */
  child(fields: LogFields): Log;
  /** Adds fields to the rest of this log's lines, such as who turned out to be calling. */
  bind(fields: LogFields): void;
}

// A field by one of these names holds a secret or a person's data, whatever the caller meant by logging it.
const SECRET = /pass(word)?|secret|token|hash|authorization|cookie|e-?mail|^body$/i;
// Credentials inside connection strings, which drivers like to repeat in their error messages. Of bounded length: at
// every word of a long text the expression starts anew, and must not read on to the end.
const URL_CREDENTIALS = /\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@]{1,2000}@/gi;

export function createLog(
  level: LogLevel,
  write: (line: string) => void = (line) => void process.stdout.write(`${line}\n`),
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

/** An error as log fields. Drivers hang rows, parameters and configurations on theirs: those stay out. */
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

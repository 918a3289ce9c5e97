/** What to do, by the error code of Node.js (network) or PostgreSQL (five characters). */
const HINTS: Record<string, string> = {
  '42P01': 'Run first: npm run migrate',
  '28P01': 'Check the user and password in DATABASE_URL',
  '3D000': 'Check the database name in DATABASE_URL, or create that database',
  ECONNREFUSED: 'Is the server running, and is DATABASE_URL right?',
  ENOTFOUND: 'Is the host in DATABASE_URL right?',
};

/** An error as a message for a person at a terminal: what happened, why, and what to do. */
export function explain(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const chain = error.cause instanceof Error ? [error, error.cause] : [error];
  const hint = chain.map((one) => ('code' in one ? HINTS[String(one.code)] : undefined)).find(Boolean);
  const told = chain.map(messageOf).filter((message, i, all) => i === 0 || !all[0]?.includes(message));
  return told.join(': ') + (hint === undefined ? '' : `. ${hint}`);
}

/** If several addresses refuse a connection, Node.js puts the details into the parts of an AggregateError. */
function messageOf(error: Error): string {
  return error.message || (error instanceof AggregateError && String(error.errors[0])) || error.name;
}

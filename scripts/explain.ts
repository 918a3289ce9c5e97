/** What to do, by what Node.js (the network) or PostgreSQL (five characters) calls the trouble. */
const HINTS: Record<string, string> = {
  '42P01': 'Run first: npm run migrate',
  '28P01': 'Look at the user and password in DATABASE_URL',
  '3D000': 'Look at the database name in DATABASE_URL, or create that database',
  ECONNREFUSED: 'Is the server running, and is DATABASE_URL right?',
  ENOTFOUND: 'Is the host in DATABASE_URL right?',
};

/** An error for whoever has started something by hand: what happened, why, and what to do. */
export function explain(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const chain = error.cause instanceof Error ? [error, error.cause] : [error];
  const hint = chain.map((one) => ('code' in one ? HINTS[String(one.code)] : undefined)).find(Boolean);
  const told = chain.map(messageOf).filter((message, i, all) => i === 0 || !all[0]?.includes(message));
  return told.join(': ') + (hint === undefined ? '' : `. ${hint}`);
}

/** Of a connection refused by several addresses, Node.js puts everything into the parts. */
function messageOf(error: Error): string {
  return error.message || (error instanceof AggregateError && String(error.errors[0])) || error.name;
}

import { outboxBacklog } from '../events/outbox';
import type { BrokerContext } from '../events/publisher';
import { within } from '../within';

const CHECK_TIMEOUT_MS = 2_000;

export interface Health {
  /** `degraded`: users can register, and their events wait for the broker. */
  status: 'ok' | 'degraded' | 'down';
  database: 'up' | 'down';
  /** `blocked`: it answers, but an alarm (memory, disk) keeps it from taking messages. */
  broker: 'up' | 'blocked' | 'down';
  outbox: { pending: number; oldestSeconds: number } | null;
}

/** Asks the database and the broker, side by side, each for at most two seconds. Never throws. */
export async function checkHealth(ctx: BrokerContext): Promise<Health> {
  const [outbox, broker] = await Promise.all([checkDatabase(ctx), checkBroker(ctx)]);
  const database = outbox ? 'up' : 'down';
  const status = database === 'down' ? 'down' : broker === 'up' ? 'ok' : 'degraded';
  return { status, database, broker, outbox };
}

async function checkDatabase(ctx: BrokerContext): Promise<Health['outbox']> {
  const backlog = outboxBacklog(ctx.db).catch((error: unknown) => {
    ctx.log.error('The database cannot be reached', { error });
    return null;
  });
  return within(CHECK_TIMEOUT_MS, backlog, null);
}

async function checkBroker(ctx: BrokerContext): Promise<Health['broker']> {
  const state = ctx.broker.open(CHECK_TIMEOUT_MS).then(
    (connection) => (connection.blocked ? 'blocked' : 'up'),
    (error: unknown) => {
      ctx.log.warn('The broker cannot be reached', { error });
      return 'down' as const;
    },
  );
  return within(CHECK_TIMEOUT_MS, state, 'down' as const);
}

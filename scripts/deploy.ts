// `npm run deploy -- --stage prod`: runs all checks, migrates with the new code, and then updates the stack. If a step
// fails, the previous version keeps serving. See docs/operations.md.
import { parseArgs } from 'node:util';
import { assertRoomToReserve, checkSecret, findStack, whoAmI } from './deploy/checks';
import { migrate } from './deploy/migrate';
import { packageService, readService, runServerless } from './deploy/run-serverless';
import { explain } from './explain';

const USAGE = 'Usage: npm run deploy -- --stage STAGE [--region REGION] [--param NAME=VALUE]… [--check]';

// As in local/start.ts: the SDK's warning about Node.js 20 concerns this machine, not the deployed functions.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

async function main(): Promise<void> {
  const { stage, check, flags } = readArguments();
  const service = await readService(flags);
  const { region } = service;
  const account = await whoAmI(region);
  const secretVersion = await checkSecret(service);
  const stack = await findStack(service);
  await assertRoomToReserve(service);
  const place = `${service.name} in account ${account}, ${region}`;
  console.log(`All checks passed for ${place}.`);
  if (check) return;

  // A changed variable makes Lambda replace containers that hold the old secret.
  const withSecret = [...flags, '--param', `secretVersion=${secretVersion}`];
  const directory = await packageService(withSecret);
  if (stack === 'none') {
    await runServerless(['deploy', ...withSecret, '--package', directory]);
    console.log(await migrate(service, directory));
  } else {
    console.log(await migrate(service, directory));
    await runServerless(['deploy', ...withSecret, '--package', directory]);
  }
  console.log(`Deployed ${place}. To roll back: npx sls rollback --stage ${stage} --timestamp …`);
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        stage: { type: 'string' },
        region: { type: 'string' },
        param: { type: 'string', multiple: true, default: [] },
        check: { type: 'boolean', default: false },
      },
    });
    const { stage, region, param, check } = values;
    // No default stage: forgetting it must not deploy to production.
    if (stage === undefined) throw new Error('The stage is missing.');
    const flags = ['--stage', stage, ...param.flatMap((one) => ['--param', one])];
    return { stage, check, flags: region === undefined ? flags : [...flags, '--region', region] };
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  }
}

main().catch((error: unknown) => {
  console.error(explain(error));
  process.exitCode = 1;
});

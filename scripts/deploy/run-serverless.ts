import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import * as v from 'valibot';
import { ROOT } from '../function-files';
import { type Parameters, readParameters } from './parameters';

/** A service as it will be deployed: serverless.yml for one stage. */
export interface ResolvedService {
  /** The stack's name too, such as `rollcall-prod`. */
  name: string;
  region: string;
  parameters: Parameters;
  /** The functions' variables, without secrets. */
  variables: Record<string, string>;
  /** The sum of the functions' reserved concurrency. */
  reserved: number;
}

const Printed = v.object({
  service: v.string(),
  provider: v.object({
    stage: v.string(),
    region: v.string(),
    environment: v.record(v.string(), v.unknown()),
  }),
  custom: v.object({ deployment: v.record(v.string(), v.unknown()) }),
  functions: v.record(v.string(), v.object({ reservedConcurrency: v.optional(v.number(), 0) })),
});

/** @throws Error with the message of the framework, or of our check of the parameters */
export async function readService(flags: string[]): Promise<ResolvedService> {
  const text = await serverless(['print', '--format', 'json', ...flags], 'collect');
  const { service, provider, custom, functions } = v.parse(
    Printed,
    JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)),
  );
  const variables = Object.entries(provider.environment).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return {
    name: `${service}-${provider.stage}`,
    region: provider.region,
    parameters: readParameters(custom.deployment),
    variables: Object.fromEntries(variables),
    reserved: Object.values(functions).reduce((sum, { reservedConcurrency }) => sum + reservedConcurrency, 0),
  };
}

/** Packages the built functions. @returns the folder with the template and the archives */
export async function packageService(flags: string[]): Promise<string> {
  const directory = join(ROOT, '.serverless-deploy');
  await serverless(['package', ...flags, '--package', directory], 'show');
  return directory;
}

export async function runServerless(args: string[]): Promise<void> {
  await serverless(args, 'show');
}

async function serverless(args: string[], output: 'show' | 'collect'): Promise<string> {
  const script = join(ROOT, 'node_modules/serverless/bin/serverless.js');
  const child = spawn(process.execPath, [script, ...args], {
    cwd: ROOT,
    stdio: ['inherit', output === 'show' ? 'inherit' : 'pipe', output === 'show' ? 'inherit' : 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (bytes: Buffer) => (stdout += bytes));
  child.stderr?.on('data', (bytes: Buffer) => (stderr += bytes));
  await once(child, 'close');
  if (child.exitCode === 0) return stdout;
  if (output === 'show') throw new Error(`sls ${args[0]} failed: see above.`);
  // The error message without its heading; the framework writes its own notices to the other stream.
  throw new Error(stdout.replace(/^\s*Error:\n/, '').trim() || stderr.trim());
}

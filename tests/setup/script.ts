import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { VARIABLES } from '../../shared/config/environment';
import type { TestContext } from './context';

export interface ScriptResult {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** A script as a process of its own, on the test's database and with nothing else configured. */
export function startScript(
  ctx: TestContext,
  script: string,
  args: string[],
  environment: Record<string, string> = {},
): { child: ChildProcess; result: Promise<ScriptResult> } {
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      // Set, if only to nothing, so that neither this shell nor a .env has a say.
      ...Object.fromEntries(VARIABLES.map((name) => [name, ''])),
      DATABASE_URL: ctx.config.database.url,
      PASSWORD_HASH: 'bcrypt',
      BCRYPT_COST: '4',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  const result = once(child, 'close').then(() => ({ exitCode: child.exitCode, ...output }));
  return { child, result };
}

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { ROOT } from '../../scripts/function-files';
import { httpEvent, type TestRequest } from './http-event';

/** For functions that touch no data: nothing is there. */
const ENVIRONMENT = {
  DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
  RABBITMQ_URL: 'amqp://127.0.0.1:1',
  JWT_SECRET: 'a secret of the tests, long enough',
  APP_NAME: 'Ours & <Theirs>',
  LOG_LEVEL: 'silent',
};

/** Runs a function's bundle, with the files beside it, in a process of its own, as a container does. */
export async function runBundle(
  name: string,
  request: TestRequest = {},
  environment: Record<string, string> = {},
): Promise<APIGatewayProxyStructuredResultV2> {
  const script = `require(process.argv[1]).handler(${JSON.stringify(httpEvent(request))})
    .then((result) => process.stdout.write(JSON.stringify(result)))`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['-e', script, join(ROOT, 'dist', name, 'index.cjs')],
    { env: { ...ENVIRONMENT, ...environment }, maxBuffer: 4 * 1024 * 1024 },
  );
  return JSON.parse(stdout);
}

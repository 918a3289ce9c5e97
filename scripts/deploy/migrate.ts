import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  InvokeCommand,
  LambdaClient,
  TooManyRequestsException,
  UpdateFunctionCodeCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import type { ResolvedService } from './run-serverless';

/** As long as the function itself may take. */
const TIMEOUT_MS = 900_000;

/**
 * Brings the new code to the function `migrate`, which serves nobody, and runs it. All other functions stay as they are.
 * @returns what it has done
 * @throws Error where the migration failed: nothing was changed then, and the version before goes on serving
 */
export async function migrate({ name, region }: ResolvedService, directory: string): Promise<string> {
  const FunctionName = `${name}-migrate`;
  const client = new LambdaClient({ region });
  const ZipFile = await readFile(join(directory, 'migrate.zip'));
  await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }));
  await waitUntilFunctionUpdatedV2({ client, maxWaitTime: 120 }, { FunctionName });

  // Once: a call that has timed out here may be at work there.
  const patient = new LambdaClient({
    region,
    maxAttempts: 1,
    requestHandler: { requestTimeout: TIMEOUT_MS },
  });
  const answer = await patient.send(new InvokeCommand({ FunctionName })).catch((error: unknown) => {
    if (error instanceof TooManyRequestsException)
      throw new Error('A migration is running already: nothing was changed. Try again when it has ended.');
    throw error;
  });
  const text = Buffer.from(answer.Payload ?? []).toString('utf8');
  if (answer.FunctionError)
    throw new Error(`${messageIn(text)}\nThe version before this one goes on serving.`);
  const { applied }: { applied: string[] } = JSON.parse(text);
  return applied.length > 0 ? `Migrated: ${applied.join(', ')}` : 'The schema is up to date.';
}

function messageIn(payload: string): string {
  try {
    const { errorMessage }: { errorMessage?: string } = JSON.parse(payload);
    return `The migration failed: ${errorMessage ?? payload}`;
  } catch {
    return `The migration failed: ${payload}`;
  }
}

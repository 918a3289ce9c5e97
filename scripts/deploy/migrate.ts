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

/** The function's own time limit. */
const TIMEOUT_MS = 900_000;

/**
 * Replaces the code of the function `migrate`, which serves no requests, and runs it. All other functions stay as they are.
 * @returns a line about the result
 * @throws Error if the migration failed: nothing was changed then, and the previous version keeps serving
 */
export async function migrate({ name, region }: ResolvedService, directory: string): Promise<string> {
  const FunctionName = `${name}-migrate`;
  const client = new LambdaClient({ region });
  const ZipFile = await readFile(join(directory, 'migrate.zip'));
  await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile }));
  await waitUntilFunctionUpdatedV2({ client, maxWaitTime: 120 }, { FunctionName });

  // Without retries: a call that timed out here may still be running there.
  const patient = new LambdaClient({
    region,
    maxAttempts: 1,
    requestHandler: { requestTimeout: TIMEOUT_MS },
  });
  const answer = await patient.send(new InvokeCommand({ FunctionName })).catch((error: unknown) => {
    if (error instanceof TooManyRequestsException)
      throw new Error('A migration is already running: nothing was changed. Try again when it has ended.');
    throw error;
  });
  const text = Buffer.from(answer.Payload ?? []).toString('utf8');
  if (answer.FunctionError) throw new Error(`${messageIn(text)}\nThe previous version keeps serving.`);
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

import {
  InvokeCommand,
  LambdaClient,
  RequestTooLargeException,
  TooManyRequestsException,
} from '@aws-sdk/client-lambda';
import type { Config } from '../config';

/**
 * - `answered`: the function's own answer, parsed
 * - `failed`: the function ran and threw, answered with no JSON, or was asked too much at once
 * - `unavailable`: it did not run: throttled, or Lambda could not be reached
 */
export type InvokeOutcome =
  | { kind: 'answered'; payload: unknown }
  | { kind: 'failed'; reason: string }
  | { kind: 'unavailable'; reason: string };

/**
 * Runs another function and waits for its answer, for as long as that takes: the caller holds the clock. Never throws.
 * @param abandoned aborts when nobody waits for the answer any more
 */
export type Invoke = (
  functionName: string,
  payload: unknown,
  abandoned?: AbortSignal,
) => Promise<InvokeOutcome>;

export function createInvoke(config: Config['lambda']): Invoke {
  const client = new LambdaClient({
    // The caller knows what may be repeated; the client does not.
    maxAttempts: 1,
    ...(config.endpoint && {
      endpoint: config.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    }),
  });
  return async (functionName, payload, abandoned) => {
    try {
      const response = await client.send(
        new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(JSON.stringify(payload)) }),
        { ...(abandoned && { abortSignal: abandoned }) },
      );
      const text = Buffer.from(response.Payload ?? []).toString('utf8');
      if (response.FunctionError) return { kind: 'failed', reason: errorMessage(text) };
      return { kind: 'answered', payload: text === '' ? null : JSON.parse(text) };
    } catch (error) {
      if (error instanceof SyntaxError)
        return { kind: 'failed', reason: 'the function answered with no JSON' };
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof RequestTooLargeException) return { kind: 'failed', reason };
      return {
        kind: 'unavailable',
        reason: error instanceof TooManyRequestsException ? 'throttled' : reason,
      };
    }
  };
}

function errorMessage(payload: string): string {
  try {
    const error: unknown = JSON.parse(payload);
    if (typeof error === 'object' && error !== null && 'errorMessage' in error)
      return String(error.errorMessage);
  } catch {
    // Not JSON: the text itself is all there is.
  }
  return payload.slice(0, 500);
}

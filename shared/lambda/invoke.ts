import {
  InvokeCommand,
  LambdaClient,
  RequestTooLargeException,
  TooManyRequestsException,
} from '@aws-sdk/client-lambda';
import type { Config } from '../config';

/**
 * - `answered`: the function's parsed response
 * - `failed`: the function threw or did not return JSON, or the payload was too large
 * - `unavailable`: the function did not run: throttled, or Lambda could not be reached
 */
export type InvokeOutcome =
  | { kind: 'answered'; payload: unknown }
  | { kind: 'failed'; reason: string }
  | { kind: 'unavailable'; reason: string };

/**
 * Invokes a function and waits for its response. Has no timeout: the caller sets one. Never throws.
 * @param abandoned aborts when the caller stops waiting
 */
export type Invoke = (
  functionName: string,
  payload: unknown,
  abandoned?: AbortSignal,
) => Promise<InvokeOutcome>;

export function createInvoke(config: Config['lambda']): Invoke {
  const client = new LambdaClient({
    // The caller decides what may be retried.
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
        return { kind: 'failed', reason: 'the response of the function is not JSON' };
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
    // Not JSON: use the text itself.
  }
  return payload.slice(0, 500);
}

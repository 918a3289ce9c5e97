import { createLog } from '../log';
import { addSecrets, awsAccess, secretId } from './environment';
import { getSecret } from './get-secret';

const TIMEOUT_MS = 3_000;

/**
 * Completes the configuration of a deployed stage: secrets are not variables of the function, but read from Secrets Manager
 * once per container, at its start. Does nothing without `SECRET_ID`, for example on a single machine.
 */
export function withSecrets<E, R>(handler: (event: E) => Promise<R>): (event: E) => Promise<R> {
  const id = secretId();
  if (id === undefined) return handler;
  // Starts immediately, because Lambda gives a starting container more CPU.
  let loaded = load(id);
  return async (event) => {
    if (!(await loaded)) {
      loaded = load(id);
      await loaded;
    }
    // If that failed, the function reports the invalid configuration itself.
    return handler(event);
  };
}

async function load(id: string): Promise<boolean> {
  try {
    addSecrets(await getSecret(awsAccess(), id, TIMEOUT_MS));
    return true;
  } catch (error) {
    createLog('error').error(
      `The secret ${id} could not be read. In a VPC, access to Secrets Manager needs a VPC endpoint or a NAT gateway.`,
      { error },
    );
    return false;
  }
}

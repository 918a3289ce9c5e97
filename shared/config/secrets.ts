import { createLog } from '../log';
import { addSecrets, awsAccess, secretId } from './environment';
import { getSecret } from './get-secret';

const TIMEOUT_MS = 3_000;

/**
 * Completes the configuration of a deployed stage: what is secret is no variable of the function but read from Secrets
 * Manager, once in a container's life, at its start. Without `SECRET_ID`, as on one machine, there is nothing to do.
 */
export function withSecrets<E, R>(handler: (event: E) => Promise<R>): (event: E) => Promise<R> {
  const id = secretId();
  if (id === undefined) return handler;
  // At once: while a container starts, Lambda gives it a whole processor.
  let loaded = load(id);
  return async (event) => {
    if (!(await loaded)) {
      loaded = load(id);
      await loaded;
    }
    // Where that failed, the function says that its configuration is not complete, in its own way.
    return handler(event);
  };
}

async function load(id: string): Promise<boolean> {
  try {
    addSecrets(await getSecret(awsAccess(), id, TIMEOUT_MS));
    return true;
  } catch (error) {
    createLog('error').error(
      `The secret ${id} could not be read. In a VPC, Secrets Manager needs an endpoint or a NAT gateway.`,
      { error },
    );
    return false;
  }
}

import type { Parameters } from './parameters';

/** The variables that hold a secret. In a deployed stage they come only from Secrets Manager. */
export const SECRET_VARIABLES = [
  'DATABASE_URL',
  'RABBITMQ_URL',
  'RABBITMQ_PASS',
  'JWT_SECRET',
  'JWT_PRIVATE_KEY',
  'JWT_PREVIOUS_KEYS',
  'ENCRYPTION_KEYS',
  'SMTP_URL',
];

/** Local variables, which must not reach the cloud. */
const LOCAL_VARIABLES = ['LAMBDA_ENDPOINT'];

/**
 * The functions' variables for a deployed stage. Drops secrets from the deployer's shell or .env, so that none can get into
 * the template, and empty values, because Lambda accepts 4 KB in all.
 */
export function deployedEnvironment(
  environment: Record<string, unknown>,
  { secret, secretVersion }: Pick<Parameters, 'secret' | 'secretVersion'>,
): Record<string, unknown> {
  const dropped = new Set([...SECRET_VARIABLES, ...LOCAL_VARIABLES]);
  const plain = Object.entries(environment).filter(([name, value]) => value !== '' && !dropped.has(name));
  return {
    METRICS: 'on',
    ...Object.fromEntries(plain),
    SECRET_ID: secret,
    // No code reads it. When a variable changes, Lambda replaces all containers, and new ones read the new secret.
    ...(secretVersion && { SECRET_VERSION: secretVersion }),
  };
}

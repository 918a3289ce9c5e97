import type { Parameters } from './parameters';

/** The variables that hold a secret. In a deployed stage they come from Secrets Manager, and from nowhere else. */
export const SECRET_VARIABLES = [
  'DATABASE_URL',
  'RABBITMQ_URL',
  'RABBITMQ_PASS',
  'JWT_SECRET',
  'JWT_PRIVATE_KEY',
  'JWT_PREVIOUS_KEYS',
  'SMTP_URL',
];

/** Of no use in the cloud, where Lambda is at its own address. */
const LOCAL_VARIABLES = ['LAMBDA_ENDPOINT'];

/**
 * The functions' variables for a deployed stage. What the deployer's shell or .env says of a secret is dropped, so that
 * none can get into the template; what is empty is dropped too, because Lambda takes 4 KB in all.
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
    // Read by nobody. A variable that changes has Lambda replace all containers, and new ones read the new secret.
    ...(secretVersion && { SECRET_VERSION: secretVersion }),
  };
}

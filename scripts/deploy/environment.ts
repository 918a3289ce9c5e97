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
  { secret, secretKeys, secretVersion }: Pick<Parameters, 'secret' | 'secretKeys' | 'secretVersion'>,
): Record<string, unknown> {
  const dropped = new Set([...SECRET_VARIABLES, ...LOCAL_VARIABLES, ...secretKeys]);
  const plain = Object.entries(environment).filter(([name, value]) => value !== '' && !dropped.has(name));
  // As a function of CloudFormation and no string: `sls deploy function`, which would set the reference itself as the
  // value, leaves an environment with such an object as it is.
  const version = secretVersion === undefined ? '' : `::${secretVersion}`;
  const references = secretKeys.map((key) => [
    key,
    { 'Fn::Sub': `{{resolve:secretsmanager:${secret}:SecretString:${key}${version}}}` },
  ]);
  return { METRICS: 'on', ...Object.fromEntries([...plain, ...references]) };
}

import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { readConfig } from '../../shared/config';
import { addSecrets } from '../../shared/config/environment';
import type { ResolvedService } from './run-serverless';

/** The concurrency that AWS requires to stay unreserved in an account. */
const MIN_UNRESERVED = 100;

/** Lambda's Node.js 24, whatever Node.js deploys. */
const DEPLOYED_RUNTIME = { argon2: true };

/** @returns the account's number. @throws Error if there are no credentials, or AWS refuses them */
export async function whoAmI(region: string): Promise<string> {
  try {
    const { Account } = await new STSClient({ region }).send(new GetCallerIdentityCommand({}));
    return String(Account);
  } catch (error) {
    if (nameOf(error) === 'CredentialsProviderError')
      throw new Error('There are no AWS credentials. Set AWS_PROFILE, or log in: aws sso login');
    throw new Error(`AWS refuses these credentials: ${messageOf(error)}`);
  }
}

/**
 * Reads the stage's secret and validates the whole configuration as the functions will have it.
 * @returns the version of the secret. @throws Error naming what is missing or wrong, and no value
 */
export async function checkSecret({ region, parameters, variables }: ResolvedService): Promise<string> {
  const { secret } = parameters;
  const values = await new SecretsManagerClient({ region })
    .send(new GetSecretValueCommand({ SecretId: secret }))
    .catch((error: unknown) => {
      throw new Error(
        nameOf(error) === 'ResourceNotFoundException'
          ? `There is no secret ${secret} in ${region}. Create it, with a JSON object that has DATABASE_URL, RABBITMQ_URL, JWT_SECRET`
          : `The secret ${secret} cannot be read: ${messageOf(error)}`,
      );
    });
  const environment = { ...variables };
  try {
    addSecrets(values.SecretString ?? '', environment);
  } catch {
    // Omit the parser's message: it quotes the text.
    throw new Error(`The secret ${secret} is not a JSON object of strings`);
  }
  const config = readConfig(environment, DEPLOYED_RUNTIME);
  if (config.mail.smtpUrl !== 'off' && !variables['PUBLIC_URL'])
    throw new Error(
      'PUBLIC_URL is missing: links in mails lead there. (Or send none: SMTP_URL off, in the secret)',
    );
  return String(values.VersionId);
}

/** @throws Error if the stack is in a state that cannot be updated */
export async function findStack({ name, region }: ResolvedService): Promise<'none' | 'there'> {
  try {
    const found = await new CloudFormationClient({ region }).send(
      new DescribeStacksCommand({ StackName: name }),
    );
    const status = found.Stacks?.[0]?.StackStatus ?? '';
    // A change set that was never executed: the stack has a name and no resources.
    if (status === 'REVIEW_IN_PROGRESS') return 'none';
    if (status.endsWith('_IN_PROGRESS'))
      throw new Error(`A deployment of ${name} is under way (${status}): wait until it ends`);
    if (status === 'ROLLBACK_COMPLETE' || status.endsWith('_FAILED'))
      throw new Error(`The stack ${name} is in ${status}: see docs/operations.md, "A stack that is stuck"`);
    return 'there';
  } catch (error) {
    if (nameOf(error) === 'ValidationError' && messageOf(error).includes('does not exist')) return 'none';
    throw error;
  }
}

/** @throws Error if the account's quota is too small for the concurrency that the stage reserves */
export async function assertRoomToReserve({ region, reserved, name }: ResolvedService): Promise<void> {
  if (reserved === 0) return;
  const { AccountLimit } = await new LambdaClient({ region }).send(new GetAccountSettingsCommand({}));
  const quota = AccountLimit?.ConcurrentExecutions ?? 0;
  if (quota >= reserved + MIN_UNRESERVED) return;
  throw new Error(
    `${name} reserves ${reserved} of the account's ${quota} concurrent executions, and AWS requires ${MIN_UNRESERVED} unreserved. Request an increase (Service Quotas, Lambda), or set reservedConcurrency to false.`,
  );
}

const nameOf = (error: unknown) => (error instanceof Error ? error.name : '');
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

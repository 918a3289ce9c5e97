import { createHash, createHmac } from 'node:crypto';

/** AWS region and credentials. */
export interface AwsAccess {
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
  /** Replaces the default endpoint of Secrets Manager. */
  endpoint?: string | undefined;
}

const SERVICE = 'secretsmanager';
const CONTENT_TYPE = 'application/x-amz-json-1.1';
const TARGET = 'secretsmanager.GetSecretValue';

/**
 * Reads the current version of a secret. Does not use the SDK, which takes far longer to load than the request itself;
 * every container does this once.
 * @throws Error with the message of Secrets Manager, or a timeout
 */
export async function getSecret(access: AwsAccess, secretId: string, timeoutMs: number): Promise<string> {
  const suffix = access.region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const url = new URL(access.endpoint ?? `https://${SERVICE}.${access.region}.${suffix}`);
  const body = JSON.stringify({ SecretId: secretId });
  const answer = await post(url, signedHeaders(access, url.host, body, new Date()), body, timeoutMs);
  const json: { SecretString?: string; __type?: string; message?: string; Message?: string } = JSON.parse(
    answer.body,
  );
  if (answer.status !== 200 || json.SecretString === undefined) {
    const reason = [json.__type, json.message ?? json.Message].filter(Boolean).join(': ');
    throw new Error(`Secrets Manager responded with ${answer.status}: ${reason || 'no message'}`);
  }
  return json.SecretString;
}

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
export function signedHeaders(
  { region, accessKeyId, secretAccessKey, sessionToken }: AwsAccess,
  host: string,
  body: string,
  now: Date,
): Record<string, string> {
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const date = time.slice(0, 8);
  // Sorted by name, as the signature requires.
  const headers: Record<string, string> = {
    'content-type': CONTENT_TYPE,
    host,
    'x-amz-date': time,
    ...(sessionToken && { 'x-amz-security-token': sessionToken }),
    'x-amz-target': TARGET,
  };
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const canonical = ['POST', '/', '', lines.join(''), names, sha256(body)].join('\n');
  const scope = `${date}/${region}/${SERVICE}/aws4_request`;
  const key = [date, region, SERVICE, 'aws4_request'].reduce<string | Buffer>(
    (previous, part) => createHmac('sha256', previous).update(part).digest(),
    `AWS4${secretAccessKey}`,
  );
  const signature = createHmac('sha256', key)
    .update(['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n'))
    .digest('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...headers, authorization };
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

async function post(url: URL, headers: Record<string, string>, body: string, timeoutMs: number) {
  // Loaded only when used: without Secrets Manager, nothing has to wait for it.
  const { request } = url.protocol === 'http:' ? await import('node:http') : await import('node:https');
  const signal = AbortSignal.timeout(timeoutMs);
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const outgoing = request(url, { method: 'POST', headers, signal }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

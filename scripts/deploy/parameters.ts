import * as v from 'valibot';

const text = v.pipe(v.union([v.string(), v.number(), v.boolean()], 'must be text'), v.transform(String));
const optional = v.pipe(
  v.optional(text, ''),
  v.transform((value) => value.trim() || undefined),
);
const matching = (pattern: RegExp, what: string) =>
  v.pipe(
    optional,
    v.check((value) => value === undefined || pattern.test(value), `must be ${what}`),
  );
const listOf = (pattern: RegExp, what: string) =>
  v.pipe(
    v.optional(text, ''),
    v.transform((value) =>
      value
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== ''),
    ),
    v.check((items) => items.every((item) => pattern.test(item)), `must be ${what}, separated by commas`),
  );
const flag = v.pipe(
  text,
  v.picklist(['true', 'false'], 'must be true or false'),
  v.transform((value) => value === 'true'),
);
const count = v.pipe(text, v.regex(/^[1-9]\d{0,5}$/, 'must be a whole number above 0'), v.transform(Number));

/** The retention times that CloudWatch accepts, in days. */
const RETENTIONS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

const Parameters = v.object({
  secret: v.pipe(text, v.regex(/^[\w/+=.@:-]+$/, 'must be the name or the ARN of a secret')),
  secretVersion: matching(/^[\w-]{32,64}$/, 'the version id of the secret'),
  securityGroupIds: listOf(/^sg-[0-9a-f]+$/, 'ids such as sg-0a1b2c'),
  subnetIds: listOf(/^subnet-[0-9a-f]+$/, 'ids such as subnet-0a1b2c'),
  domainName: matching(/^([a-z0-9-]+\.)+[a-z]{2,}$/, 'a domain name'),
  certificateArn: matching(
    /^arn:aws[\w-]*:acm:[\w-]+:\d{12}:certificate\/[\w-]+$/,
    'the ARN of an ACM certificate',
  ),
  hostedZoneId: matching(/^Z[A-Z0-9]+$/, 'the id of a Route 53 zone'),
  alarmEmail: matching(/^[^@\s]+@[^@\s]+$/, 'an email address'),
  amazonMqArn: matching(
    /^arn:aws[\w-]*:mq:[\w-]+:\d{12}:broker:[\w-]+:b-[\w-]+$/,
    'the ARN of an Amazon MQ broker',
  ),
  amazonMqSecretArn: matching(
    /^arn:aws[\w-]*:secretsmanager:[\w-]+:\d{12}:secret:\S+$/,
    'the ARN of a secret with username and password',
  ),
  tracing: v.pipe(text, v.picklist(['xray', 'off'], 'must be xray or off')),
  logRetentionDays: v.pipe(
    count,
    v.check((days) => RETENTIONS.includes(days), `must be one of ${RETENTIONS.join(', ')}`),
  ),
  accessLogs: flag,
  throttleRate: count,
  throttleBurst: count,
  reservedConcurrency: flag,
});

export type Parameters = v.InferOutput<typeof Parameters>;

/** Parameters that need another one to work. */
const NEEDS: [keyof Parameters, keyof Parameters][] = [
  ['securityGroupIds', 'subnetIds'],
  ['subnetIds', 'securityGroupIds'],
  ['domainName', 'certificateArn'],
  ['certificateArn', 'domainName'],
  ['hostedZoneId', 'domainName'],
  ['amazonMqArn', 'amazonMqSecretArn'],
  ['amazonMqSecretArn', 'amazonMqArn'],
];

/**
 * Validates a stage's parameters, which serverless.yml collects in `custom.deployment`.
 * @throws Error naming every parameter that is missing or wrong
 */
export function readParameters(raw: Record<string, unknown>): Parameters {
  const result = v.safeParse(Parameters, raw);
  const problems = (result.issues ?? []).map((issue) => `${v.getDotPath(issue)} ${issue.message}`);
  const given = (name: keyof Parameters) => String(raw[name] ?? '').trim() !== '';
  for (const [needing, needed] of NEEDS)
    if (given(needing) && !given(needed)) problems.push(`${needed} is missing: ${needing} needs it`);
  if (result.success && problems.length === 0) return result.output;
  throw new Error(
    `The parameters of this stage are wrong:\n${problems.map((line) => `  ${line}`).join('\n')}`,
  );
}

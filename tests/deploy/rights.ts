import { basename } from 'node:path';
import { functionFiles } from '../../scripts/function-files';
import type { Template, TemplateResource } from '../setup/package';

interface Statement {
  Action: string | string[];
  Resource: unknown;
}

/** The sum of a role's inline policies, which IAM does not raise. */
const MAX_POLICY_BYTES = 10_240;

const NETWORK_INTERFACES = [
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
];

/**
 * Least privilege: each role may do what every function that has it does, no more and no less, and the API's role may
 * invoke what its integrations call. @param bundles the code of each function @returns what is wrong, in words
 */
export function checkRights(template: Template, bundles: Map<string, string>): string[] {
  const ofType = (type: string) =>
    Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);
  const roles = ofType('AWS::IAM::Role');
  const integrations = ofType('AWS::ApiGatewayV2::Integration');
  return [
    ...ofType('AWS::Lambda::Function').flatMap(([id, resource]) => {
      const role = arnTarget(resource.Properties['Role']);
      return compare(id, usedRights(id, resource, template, bundles), rightsOf(template, role));
    }),
    ...[
      ...new Set(integrations.map(([, { Properties }]) => arnTarget(Properties['CredentialsArn']))),
    ].flatMap((role) => {
      const called = integrations.filter(
        ([, { Properties }]) => arnTarget(Properties['CredentialsArn']) === role,
      );
      const targets = called.map(([, { Properties }]) => Properties['IntegrationUri']);
      return compare('The API', on(targets, 'lambda:InvokeFunction'), rightsOf(template, role));
    }),
    ...ofType('AWS::Lambda::Permission').flatMap(([id, { Properties }]) =>
      Properties['Principal'] === 'apigateway.amazonaws.com' ? [`${id}: the API has a role for that`] : [],
    ),
    ...roles.flatMap(([id, { Properties }]) => {
      const bytes = JSON.stringify(resolve(Properties['Policies'], template)).length;
      return bytes <= MAX_POLICY_BYTES ? [] : [`${id}: ${bytes} bytes of policies: a role holds 10,240`];
    }),
  ];
}

/** What a function does that takes a right: by its configuration, and by the calls in its code. */
function usedRights(
  id: string,
  { Properties }: TemplateResource,
  template: Template,
  bundles: Map<string, string>,
): string[] {
  const bundle = bundles.get(functionName(Properties)) ?? '';
  const variables: Record<string, string> = Properties['Environment'].Variables;
  const queues = Object.values(template.Resources).find(
    ({ Type, Properties: mapping }) =>
      Type === 'AWS::Lambda::EventSourceMapping' && arnTarget(mapping['FunctionName']) === id,
  )?.Properties;
  const group = Properties['LoggingConfig']?.LogGroup?.Ref;
  return [
    ...on([{ 'Fn::GetAtt': [group, 'Arn'] }], 'logs:CreateLogStream', 'logs:PutLogEvents'),
    ...on([Properties['KmsKeyArn']], 'kms:Decrypt'),
    ...(bundle.includes('secretsmanager.GetSecretValue')
      ? on([secretArn(variables['SECRET_ID'])], 'secretsmanager:GetSecretValue')
      : []),
    ...(bundle.includes('@aws-sdk/client-lambda') ? on(consumers(template), 'lambda:InvokeFunction') : []),
    ...(Properties['TracingConfig']?.Mode === 'Active'
      ? on(['*'], 'xray:PutTraceSegments', 'xray:PutTelemetryRecords')
      : []),
    ...(Properties['VpcConfig'] || queues ? on(['*'], ...NETWORK_INTERFACES) : []),
    ...(Properties['VpcConfig']
      ? on(['*'], 'ec2:AssignPrivateIpAddresses', 'ec2:UnassignPrivateIpAddresses')
      : []),
    ...(queues
      ? [
          ...on(['*'], 'ec2:DescribeSecurityGroups', 'ec2:DescribeVpcs'),
          ...on([queues['EventSourceArn']], 'mq:DescribeBroker'),
          ...on([queues['SourceAccessConfigurations'][0].URI], 'secretsmanager:GetSecretValue'),
        ]
      : []),
  ];
}

function rightsOf(template: Template, role: string | undefined): string[] {
  const policies: { PolicyDocument: { Statement: Statement[] } }[] =
    template.Resources[role ?? '']?.Properties['Policies'] ?? [];
  return policies
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .flatMap(({ Action, Resource }) => on([Resource].flat(), ...[Action].flat()));
}

const on = (resources: unknown[], ...actions: string[]) =>
  actions.flatMap((action) => resources.map((resource) => `${action} on ${JSON.stringify(resource)}`));

function compare(id: string, used: string[], allowed: string[]): string[] {
  return [
    ...used.filter((right) => !allowed.includes(right)).map((right) => `${id} may not ${right}`),
    ...allowed.filter((right) => !used.includes(right)).map((right) => `${id} never uses ${right}`),
  ];
}

function consumers(template: Template): unknown[] {
  const names = [...functionFiles().values()]
    .filter((file) => /[\\/]consumers[\\/]/.test(file))
    .map((file) => basename(file, '.ts'));
  return Object.entries(template.Resources)
    .filter(
      ([, { Type, Properties }]) =>
        Type === 'AWS::Lambda::Function' && names.includes(functionName(Properties)),
    )
    .map(([id]) => ({ 'Fn::GetAtt': [id, 'Arn'] }));
}

const functionName = (properties: TemplateResource['Properties']) =>
  String(properties['Handler']).split('/')[1] ?? '';

const secretArn = (name = '') => ({
  'Fn::Sub': `arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${name}-??????`,
});

/** The resource whose ARN it is. */
function arnTarget(value: unknown): string | undefined {
  const text = JSON.stringify(value ?? null);
  return /\{"Fn::GetAtt":\["(\w+)","Arn"\]\}/.exec(text)?.[1];
}

/** With ARNs as long as they are in the cloud, in the region of the longest name. */
function resolve(value: unknown, template: Template): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, template));
  if (typeof value !== 'object' || value === null) return value;
  const target = arnTarget(value);
  if (target !== undefined && Object.keys(value)[0]?.startsWith('Fn::')) {
    const name = template.Resources[target]?.Properties['FunctionName'] ?? target;
    return `arn:aws:lambda:ap-southeast-1:123456789012:function:${name}${'Fn::Join' in value ? ':live' : ''}`;
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item, template)]));
}

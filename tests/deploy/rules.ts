import { httpFunctions } from '../../scripts/openapi/routes';
import type { Template, TemplateResource } from '../setup/package';

/** Where AWS has nothing narrower than `*`, and why. */
const ANY_RESOURCE: Record<string, string> = {
  'xray:PutTraceSegments': 'X-Ray has no resources that a trace could go to',
  'xray:PutTelemetryRecords': 'the same',
  'ec2:CreateNetworkInterface': 'Lambda makes it: its id is not known before',
  'ec2:DeleteNetworkInterface': 'the same',
  'ec2:AssignPrivateIpAddresses': 'the same',
  'ec2:UnassignPrivateIpAddresses': 'the same',
  'ec2:DescribeNetworkInterfaces': 'ec2:Describe* takes no resource',
  'ec2:DescribeSecurityGroups': 'ec2:Describe* takes no resource',
  'ec2:DescribeSubnets': 'ec2:Describe* takes no resource',
  'ec2:DescribeVpcs': 'ec2:Describe* takes no resource',
};
/** A stack holds 500. The remaining thirty are some nine endpoints: time to move functions to a second stack. */
const MAX_RESOURCES = 470;
/** On average: a function, its integration and its route are three, and the share of alarms and of what is there once. */
const MAX_RESOURCES_PER_FUNCTION = 3.75;
const MAX_METRICS_PER_ALARM = 10;
const MAX_ENVIRONMENT_BYTES = 4_096;
const ONE_VCPU_MB = 1_769;

interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
}

/** The project's own rules for every template. @returns what is wrong, in words */
export function checkRules(template: Template, hashing: string[]): string[] {
  const resources = Object.entries(template.Resources);
  const ofType = (type: string) => resources.filter(([, resource]) => resource.Type === type);
  const functions = ofType('AWS::Lambda::Function');
  const perFunction = resources.length / functions.length;
  return [
    ...(resources.length > MAX_RESOURCES
      ? [`${resources.length} resources: ${MAX_RESOURCES} at most, because a stack holds 500`]
      : []),
    ...(perFunction > MAX_RESOURCES_PER_FUNCTION
      ? [`${perFunction.toFixed(2)} resources per function: ${MAX_RESOURCES_PER_FUNCTION} at most`]
      : []),
    ...ofType('AWS::IAM::Role').flatMap(checkRole),
    ...functions.flatMap(([id, resource]) => checkFunction(id, resource, hashing, template)),
    ...functions.flatMap(([id, resource]) => checkAlarmed(id, resource, template)),
    ...ofType('AWS::CloudWatch::Alarm').flatMap(checkAlarm),
    ...ofType('AWS::Logs::LogGroup').flatMap(([id, { Properties }]) => [
      ...(Properties['RetentionInDays'] ? [] : [`${id}: kept for ever`]),
      ...(Properties['KmsKeyId'] ? [] : [`${id}: not encrypted with the stage's key`]),
    ]),
    ...ofType('AWS::SNS::Topic').flatMap(([id, { Properties }]) =>
      Properties['KmsMasterKeyId'] ? [] : [`${id}: not encrypted`],
    ),
    ...ofType('AWS::KMS::Key').flatMap(([id, { Properties }]) =>
      Properties['EnableKeyRotation'] ? [] : [`${id}: never rotated`],
    ),
    ...ofType('AWS::S3::Bucket').flatMap(([id, { Properties }]) => [
      ...(Properties['BucketEncryption'] ? [] : [`${id}: not encrypted`]),
      ...(Properties['PublicAccessBlockConfiguration']?.RestrictPublicBuckets
        ? []
        : [`${id}: may be public`]),
    ]),
    ...ofType('AWS::ApiGatewayV2::Stage').flatMap(([id, { Properties }]) =>
      Properties['DefaultRouteSettings']?.ThrottlingRateLimit ? [] : [`${id}: not throttled`],
    ),
  ];
}

function checkRole([id, { Properties }]: [string, TemplateResource]): string[] {
  if (Properties['ManagedPolicyArns']) return [`${id}: a managed policy allows more than the function does`];
  const policies: { PolicyDocument: { Statement: Statement[] } }[] = Properties['Policies'] ?? [];
  return policies
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ Action, Resource }) => {
      const actions = [Action].flat();
      const any = [Resource].flat().includes('*');
      return [
        ...actions.filter((action) => action.includes('*')).map((action) => `${id}: any action: ${action}`),
        ...actions
          .filter((action) => any && !(action in ANY_RESOURCE))
          .map((action) => `${id}: any resource for ${action}`),
      ];
    });
}

function checkFunction(
  id: string,
  { Properties }: TemplateResource,
  hashing: string[],
  template: Template,
): string[] {
  const name = String(Properties['Handler']).split('/')[1] ?? '';
  const variables: Record<string, unknown> = Properties['Environment']?.Variables ?? {};
  const bytes = Object.entries(variables)
    // A reference counts as the longest secret that one should have there.
    .map(([key, value]) => key.length + (typeof value === 'string' ? value.length : 300))
    .reduce((sum, size) => sum + size, 0);
  const group = template.Resources[Properties['LoggingConfig']?.LogGroup?.Ref];
  return [
    ...(Properties['Runtime'] === 'nodejs24.x' ? [] : [`${id}: runs on ${Properties['Runtime']}`]),
    ...(String(Properties['Architectures']) === 'arm64' ? [] : [`${id}: is not for arm64`]),
    ...(Properties['KmsKeyArn'] ? [] : [`${id}: variables not encrypted with the stage's key`]),
    ...(bytes <= MAX_ENVIRONMENT_BYTES ? [] : [`${id}: ${bytes} bytes of variables: Lambda takes 4 KB`]),
    ...(group?.Type === 'AWS::Logs::LogGroup' ? [] : [`${id}: no log group`]),
    ...(hashing.includes(name) && Properties['MemorySize'] !== ONE_VCPU_MB
      ? [
          `${id}: hashes passwords with ${Properties['MemorySize']} MB, and not with one vCPU (${ONE_VCPU_MB})`,
        ]
      : []),
  ];
}

function checkAlarm([id, { Properties }]: [string, TemplateResource]): string[] {
  const metrics = [Properties['Metrics'] ?? []].flat().filter(({ MetricStat }) => MetricStat);
  return [
    ...(metrics.length <= MAX_METRICS_PER_ALARM
      ? []
      : [`${id}: ${metrics.length} metrics: an alarm takes 10`]),
    ...(String(Properties['AlarmDescription']).length <= 1_024 ? [] : [`${id}: its description is too long`]),
  ];
}

/** Errors and throttles of the function, in an alarm that tells somebody, and says which function it is. */
function checkAlarmed(id: string, { Properties }: TemplateResource, template: Template): string[] {
  const functionName = String(Properties['Handler']).split('/')[1] ?? '';
  const alarms = Object.values(template.Resources).filter(
    ({ Type, Properties: alarm }) => Type === 'AWS::CloudWatch::Alarm' && alarm['AlarmActions']?.length > 0,
  );
  return ['Errors', 'Throttles'].flatMap((metric) => {
    const watched = alarms.some(({ Properties: alarm }) =>
      alarm['Metrics']?.some(
        ({
          MetricStat,
        }: {
          MetricStat?: { Metric: { MetricName: string; Dimensions: { Value: unknown }[] } };
        }) =>
          MetricStat?.Metric.MetricName === metric &&
          MetricStat.Metric.Dimensions[0]?.Value === Properties['FunctionName'] &&
          new RegExp(`\\b10* ${functionName}\\b`).test(alarm['AlarmDescription']),
      ),
    );
    return watched ? [] : [`${id}: nobody is told of its ${metric}`];
  });
}

/** What the template serves and the OpenAPI document does not have, and the other way round. */
export async function checkRoutes(
  template: Template,
  paths: Record<string, Record<string, unknown>>,
): Promise<string[]> {
  const served = Object.values(template.Resources)
    .filter(({ Type }) => Type === 'AWS::ApiGatewayV2::Route')
    .map(({ Properties }) => String(Properties['RouteKey']))
    .filter((key) => key !== '$default');
  // A route for any method is that of GET, and of HEAD with it.
  const ofGet = served.flatMap((key) => {
    if (key.startsWith('ANY ')) return [key.replace('ANY', 'GET'), key.replace('ANY', 'HEAD')];
    return [key];
  });
  const gets = ofGet.filter((key) => key.startsWith('GET '));
  const methods = ['get', 'post', 'put', 'patch', 'delete'];
  const documented = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations)
      .filter((method) => methods.includes(method))
      .map((method) => `${method.toUpperCase()} ${path}`),
  );
  const configured = (await httpFunctions()).flatMap(({ routes }) =>
    routes.map(({ method, path }) => `${method} ${path}`),
  );
  return [
    ...documented.filter((route) => !ofGet.includes(route)).map((route) => `${route} is not served`),
    ...ofGet
      .filter((route) => !documented.includes(route.replace(/^HEAD /, 'GET ')))
      .map((route) => `${route} is not documented`),
    ...configured.filter((route) => !ofGet.includes(route)).map((route) => `${route} is configured only`),
    ...gets
      .filter((route) => !ofGet.includes(route.replace('GET', 'HEAD')))
      .map((route) => `${route} answers no HEAD: write it as ANY`),
    ...served.flatMap((any) =>
      served.filter((other) => takes(any, other)).map((other) => `${any} may take ${other}`),
    ),
  ];
}

/** Whether a route for any method is one that API Gateway may prefer to another's method, for its more exact path. */
function takes(any: string, other: string): boolean {
  const [method, path = ''] = any.split(' ');
  const [otherMethod, pattern = ''] = other.split(' ');
  if (method !== 'ANY' || otherMethod === 'ANY' || path === pattern) return false;
  return new RegExp(`^${pattern.replace(/\{\w+\}/g, '[^/]+')}$`).test(path);
}

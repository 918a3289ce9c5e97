import type { Parameters } from './parameters';
import { arnOf, type Naming, type Resource, type Resources, type Service, sub } from './service';

export interface Statement {
  Effect: 'Allow';
  Action: string[];
  Resource: unknown;
}

/** A right that only some functions need. Functions with the same rights share a role. */
interface Right {
  title: string;
  holders: string[];
  statements: Statement[];
}

/** The functions that call the consumers. */
const CALL_CONSUMERS = ['poll-queues'];

/**
 * Assigns roles: functions that need the same rights share one, and no role has a right that its functions do not use.
 * @param stage the prefix of all names, such as `rollcall-prod`
 * @returns the roles
 */
export function assignRoles(
  service: Service,
  stage: string,
  naming: Naming,
  consumers: string[],
  parameters: Parameters,
): Resources {
  const rights = rightsOfSome(naming, consumers, parameters);
  const roles: Resources = {};
  for (const [name, definition] of Object.entries(service.functions)) {
    const own = rights.filter(({ holders }) => holders.includes(name));
    const id = `${own.map(({ title }) => title).join('') || 'Function'}Role`;
    definition.role = id;
    roles[id] ??= role('lambda.amazonaws.com', `What functions of ${stage} may do`, [
      ...rightsOfAll(parameters),
      ...own.flatMap(({ statements }) => statements),
    ]);
  }
  return roles;
}

/** @param assumedBy the service of AWS that acts with these rights */
export function role(assumedBy: string, description: string, statements: Statement[]): Resource {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      Description: description,
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { Service: assumedBy }, Action: 'sts:AssumeRole' }],
      },
      Policies: [{ PolicyName: 'rights', PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
    },
  };
}

function rightsOfAll({ secret, subnetIds, tracing }: Parameters): Statement[] {
  return [
    // This ARN ends with `:*`, which covers the group's streams.
    allow(['logs:CreateLogStream', 'logs:PutLogEvents'], arnOf('FunctionLogGroup')),
    allow(['kms:Decrypt'], arnOf('EncryptionKey')),
    allow(
      ['secretsmanager:GetSecretValue'],
      // Secrets Manager appends six characters to a name.
      secret.startsWith('arn:')
        ? secret
        : sub(
            `arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${secret}-??????`,
          ),
    ),
    ...(subnetIds.length > 0 ? [IN_A_VPC] : []),
    ...(tracing === 'xray' ? [TRACED] : []),
  ];
}

function rightsOfSome(
  naming: Naming,
  consumers: string[],
  { amazonMqArn, amazonMqSecretArn }: Parameters,
): Right[] {
  const invokeConsumers: Right = {
    title: 'InvokeConsumers',
    holders: CALL_CONSUMERS,
    statements: [
      allow(
        ['lambda:InvokeFunction'],
        consumers.map((consumer) => arnOf(naming.getLambdaLogicalId(consumer))),
      ),
    ],
  };
  if (!amazonMqArn || !amazonMqSecretArn) return [invokeConsumers];
  const readQueues: Right = {
    title: 'ReadQueues',
    holders: consumers,
    statements: [
      allow(['mq:DescribeBroker'], amazonMqArn),
      allow(['secretsmanager:GetSecretValue'], amazonMqSecretArn),
      MAPPED_FROM_AMAZON_MQ,
    ],
  };
  return [invokeConsumers, readQueues];
}

function allow(actions: string[], resource: unknown): Statement {
  return { Effect: 'Allow', Action: actions, Resource: resource };
}

// Lambda creates and deletes network interfaces on the function's behalf, before their ids are known, and the Describe
// actions accept no resource. The same holds for the two below. tests/deploy/rules.ts lists these exceptions.
const IN_A_VPC = allow(
  [
    'ec2:CreateNetworkInterface',
    'ec2:DeleteNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:AssignPrivateIpAddresses',
    'ec2:UnassignPrivateIpAddresses',
  ],
  '*',
);

const TRACED = allow(['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], '*');

const MAPPED_FROM_AMAZON_MQ = allow(
  [
    'ec2:CreateNetworkInterface',
    'ec2:DeleteNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSecurityGroups',
    'ec2:DescribeSubnets',
    'ec2:DescribeVpcs',
  ],
  '*',
);

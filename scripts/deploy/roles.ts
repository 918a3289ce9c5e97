import type { Parameters } from './parameters';
import { arnOf, type Naming, type Resource, type Service, sub } from './service';

export interface Statement {
  Effect: 'Allow';
  Action: string[];
  Resource: unknown;
}

/** The functions that call the consumers. The others call no AWS service but for their secret. */
const CALL_CONSUMERS = ['poll-queues'];

/** One role per function, with what that function does and nothing that another one does. */
export function roleOf(
  name: string,
  service: Service,
  naming: Naming,
  consumers: string[],
  parameters: Parameters,
): Resource {
  const definition = service.functions[name];
  const { secret } = parameters;
  const statements: Statement[] = [
    {
      Effect: 'Allow',
      Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      // The group is the function's own; what its streams are called is Lambda's business.
      Resource: sub(
        `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:/aws/lambda/${definition?.name}:*`,
      ),
    },
    { Effect: 'Allow', Action: ['kms:Decrypt'], Resource: arnOf('EncryptionKey') },
    {
      Effect: 'Allow',
      Action: ['secretsmanager:GetSecretValue'],
      // Secrets Manager adds six characters of its own to a name.
      Resource: secret.startsWith('arn:')
        ? secret
        : sub(
            `arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${secret}-??????`,
          ),
    },
  ];
  if (CALL_CONSUMERS.includes(name)) {
    const resources = consumers.map((consumer) => arnOf(naming.getLambdaLogicalId(consumer)));
    statements.push({ Effect: 'Allow', Action: ['lambda:InvokeFunction'], Resource: resources });
  }
  if (parameters.subnetIds.length > 0) statements.push(IN_A_VPC);
  if (parameters.tracing === 'xray') statements.push(TRACED);
  const { amazonMqArn, amazonMqSecretArn } = parameters;
  if (amazonMqArn && amazonMqSecretArn && consumers.includes(name)) {
    statements.push(
      { Effect: 'Allow', Action: ['mq:DescribeBroker'], Resource: amazonMqArn },
      { Effect: 'Allow', Action: ['secretsmanager:GetSecretValue'], Resource: amazonMqSecretArn },
      MAPPED_FROM_AMAZON_MQ,
    );
  }
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      Description: `What ${definition?.name} may do`,
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
        ],
      },
      Policies: [
        { PolicyName: 'function', PolicyDocument: { Version: '2012-10-17', Statement: statements } },
      ],
    },
  };
}

// Lambda makes and deletes network interfaces in the function's name, before their ids are known; and what describes
// them takes no resource at all. The same of the two below. tests/deploy/rules.ts lists these exceptions.
const IN_A_VPC: Statement = {
  Effect: 'Allow',
  Action: [
    'ec2:CreateNetworkInterface',
    'ec2:DeleteNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:AssignPrivateIpAddresses',
    'ec2:UnassignPrivateIpAddresses',
  ],
  Resource: '*',
};

const TRACED: Statement = {
  Effect: 'Allow',
  Action: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
  Resource: '*',
};

const MAPPED_FROM_AMAZON_MQ: Statement = {
  Effect: 'Allow',
  Action: [
    'ec2:CreateNetworkInterface',
    'ec2:DeleteNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSecurityGroups',
    'ec2:DescribeSubnets',
    'ec2:DescribeVpcs',
  ],
  Resource: '*',
};

import { ACCESS_LOG_PREFIX, accessLogGroup } from './access-log';
import type { Parameters } from './parameters';
import { arnOf, type Resource, type Resources, sub } from './service';

const FUNCTION_LOG_PREFIX = '/aws/lambda/';

/** The resources that a stage has once: its key, its logs, the topic of its alarms, and its domain if it has one. */
export function stageResources(stage: string, parameters: Parameters): Resources {
  return {
    EncryptionKey: encryptionKey(stage),
    AlarmTopic: {
      Type: 'AWS::SNS::Topic',
      Properties: {
        TopicName: `${stage}-alarms`,
        KmsMasterKeyId: { Ref: 'EncryptionKey' },
        ...(parameters.alarmEmail && {
          Subscription: [{ Protocol: 'email', Endpoint: parameters.alarmEmail }],
        }),
      },
    },
    FunctionLogGroup: {
      Type: 'AWS::Logs::LogGroup',
      Properties: {
        LogGroupName: `${FUNCTION_LOG_PREFIX}${stage}-functions`,
        RetentionInDays: parameters.logRetentionDays,
        KmsKeyId: arnOf('EncryptionKey'),
      },
    },
    ...accessLogGroup(stage, parameters),
    ...customDomain(parameters),
  };
}

/**
 * One key per stage, for logs, variables and alarms. AWS's own key is unsuitable for the last two: anyone who may view a
 * function could read its variables, and CloudWatch could not publish to the topic.
 */
function encryptionKey(stage: string): Resource {
  const allow = (principal: object, actions: string[], condition?: object) => ({
    Effect: 'Allow',
    Principal: principal,
    Action: actions,
    // In a key's policy, `*` means this key.
    Resource: '*',
    ...(condition && { Condition: condition }),
  });
  return {
    Type: 'AWS::KMS::Key',
    Properties: {
      Description: `Logs, variables and alarms of ${stage}`,
      EnableKeyRotation: true,
      PendingWindowInDays: 30,
      KeyPolicy: {
        Version: '2012-10-17',
        Statement: [
          // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation fills it in
          allow({ AWS: sub('arn:${AWS::Partition}:iam::${AWS::AccountId}:root') }, ['kms:*']),
          allow(
            // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation fills it in
            { Service: sub('logs.${AWS::Region}.${AWS::URLSuffix}') },
            [
              'kms:Encrypt',
              'kms:Decrypt',
              'kms:ReEncryptFrom',
              'kms:ReEncryptTo',
              'kms:GenerateDataKey',
              'kms:GenerateDataKeyWithoutPlaintext',
              'kms:DescribeKey',
            ],
            {
              ArnLike: {
                'kms:EncryptionContext:aws:logs:arn': [FUNCTION_LOG_PREFIX, ACCESS_LOG_PREFIX].map((prefix) =>
                  sub(
                    `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:${prefix}${stage}-*`,
                  ),
                ),
              },
            },
          ),
          // No condition on the account: if CloudWatch did not pass it to KMS, alarms would be lost silently.
          allow({ Service: 'cloudwatch.amazonaws.com' }, ['kms:Decrypt', 'kms:GenerateDataKey']),
        ],
      },
    },
  };
}

function customDomain({ domainName, certificateArn, hostedZoneId }: Parameters): Resources {
  if (!domainName || !certificateArn) return {};
  const attribute = (name: string) => ({ 'Fn::GetAtt': ['ApiDomain', name] });
  return {
    ApiDomain: {
      Type: 'AWS::ApiGatewayV2::DomainName',
      Properties: {
        DomainName: domainName,
        DomainNameConfigurations: [
          { CertificateArn: certificateArn, EndpointType: 'REGIONAL', SecurityPolicy: 'TLS_1_2' },
        ],
      },
    },
    ApiDomainMapping: {
      Type: 'AWS::ApiGatewayV2::ApiMapping',
      Properties: { ApiId: { Ref: 'HttpApi' }, DomainName: { Ref: 'ApiDomain' }, Stage: '$default' },
      DependsOn: ['HttpApiStage'],
    },
    ...(hostedZoneId && {
      ApiDomainRecord: {
        Type: 'AWS::Route53::RecordSet',
        Properties: {
          HostedZoneId: hostedZoneId,
          Name: domainName,
          Type: 'A',
          AliasTarget: {
            DNSName: attribute('RegionalDomainName'),
            HostedZoneId: attribute('RegionalHostedZoneId'),
          },
        },
      },
    }),
  };
}

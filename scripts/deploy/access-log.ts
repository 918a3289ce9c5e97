import type { Parameters } from './parameters';
import { arnOf, type Resources } from './service';

/** The fields that the API logs of each request, also of those that reach no function: throttled, too large, no route. */
const FIELDS = {
  time: '$context.requestTimeEpoch',
  address: '$context.identity.sourceIp',
  method: '$context.httpMethod',
  // The route, not the path, and no user agent: the gateway escapes nothing, so a client could forge fields.
  route: '$context.routeKey',
  status: '$context.status',
  bytes: '$context.responseLength',
  ms: '$context.responseLatency',
  requestId: '$context.requestId',
  // The request id in START and REPORT of the function's log.
  lambdaRequestId: '$context.integration.requestId',
  error: '$context.error.responseType',
};

/** Log groups with this prefix share one resource policy per account; it would otherwise grow with each log group. */
export const ACCESS_LOG_PREFIX = '/aws/vendedlogs/';

/** The log group of the access log, if the stage has one. */
export function accessLogGroup(stage: string, parameters: Parameters): Resources {
  if (!parameters.accessLogs) return {};
  return {
    AccessLogGroup: {
      Type: 'AWS::Logs::LogGroup',
      Properties: {
        LogGroupName: `${ACCESS_LOG_PREFIX}${stage}-access`,
        RetentionInDays: parameters.logRetentionDays,
        KmsKeyId: arnOf('EncryptionKey'),
      },
    },
  };
}

/** The API's settings for it. */
export function accessLogSettings(parameters: Parameters) {
  if (!parameters.accessLogs) return {};
  return { AccessLogSettings: { DestinationArn: arnOf('AccessLogGroup'), Format: JSON.stringify(FIELDS) } };
}

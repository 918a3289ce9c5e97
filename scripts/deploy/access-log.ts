import type { Parameters } from './parameters';
import { arnOf, type Resources } from './service';

/** What the API logs of each request, and of those that reach no function: throttled, too large, without a route. */
const FIELDS = {
  time: '$context.requestTimeEpoch',
  address: '$context.identity.sourceIp',
  method: '$context.httpMethod',
  // The route and not the path, and no user agent: the gateway escapes nothing, and a client could forge fields.
  route: '$context.routeKey',
  status: '$context.status',
  bytes: '$context.responseLength',
  ms: '$context.responseLatency',
  requestId: '$context.requestId',
  // As in START and REPORT of the function's own log.
  lambdaRequestId: '$context.integration.requestId',
  error: '$context.error.responseType',
};

/** Vended logs share one policy of the account by this prefix, which else grows with each log group. */
export const ACCESS_LOG_PREFIX = '/aws/vendedlogs/';

/** The log group of the access log, where the stage has one. */
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

/** The API's side of it. */
export function accessLogSettings(parameters: Parameters) {
  if (!parameters.accessLogs) return {};
  return { AccessLogSettings: { DestinationArn: arnOf('AccessLogGroup'), Format: JSON.stringify(FIELDS) } };
}

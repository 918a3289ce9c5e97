import { DEAD_LETTERS } from '../../shared/broker/topology';
import { ConfigError } from '../../shared/config';
import { parseOrigins } from '../../shared/config/origins';
import { corsHeaders, preflightHeaders } from '../../shared/http/cors';
import { functionFiles } from '../function-files';
import { accessLogSettings } from './access-log';
import { stageAlarms } from './alarms';
import { dashboard } from './dashboard';
import { deployedEnvironment } from './environment';
import { functionAlarms } from './function-alarms';
import { type Parameters, readParameters } from './parameters';
import { assignRoles } from './roles';
import { arnOf, type Naming, type Service } from './service';
import { stageResources } from './stage-resources';
import { takeTrailingSlashes } from './trailing-slashes';

/**
 * Completes the service before it is compiled: adds what follows from its functions and its stage's parameters.
 * @throws Error naming every parameter that is missing or wrong
 */
export function completeService(service: Service, stageName: string, naming: Naming): void {
  const parameters = readParameters(service.custom.deployment);
  const stage = `${service.service}-${stageName}`;
  const names = Object.keys(service.functions);
  const areas = functionsByArea(names);
  const consumers = areas.get('consumers') ?? [];

  completeProvider(service, parameters);
  if (parameters.amazonMqArn && parameters.amazonMqSecretArn) {
    triggerByAmazonMq(service, consumers, parameters.amazonMqArn, parameters.amazonMqSecretArn);
  }
  const roles = assignRoles(service, stage, naming, consumers, parameters);
  for (const name of service.custom.aliases) {
    const definition = service.functions[name];
    if (definition) definition.versionFunction = true;
  }
  for (const definition of Object.values(service.functions)) {
    // Keeps the framework from creating a log group per function: all log to the stage's group.
    definition.disableLogs = true;
    if (!parameters.reservedConcurrency) delete definition.reservedConcurrency;
    if (definition.events.some(({ schedule }) => schedule)) {
      // No retries: the next run starts a minute later.
      definition.maximumRetryAttempts = 0;
      definition.maximumEventAge = 60;
    }
  }

  const given = service.resources ?? {};
  service.resources = {
    ...given,
    Resources: {
      ...given.Resources,
      ...stageResources(stage, parameters),
      ...takeTrailingSlashes(service, naming),
      ...roles,
      ...stageAlarms(stage, parameters.amazonMqArn === undefined),
      ...functionAlarms(service, stage, areas),
      Dashboard: dashboard(stage),
    },
    extensions: {
      ...given.extensions,
      HttpApiStage: {
        Properties: {
          DefaultRouteSettings: {
            ThrottlingRateLimit: parameters.throttleRate,
            ThrottlingBurstLimit: parameters.throttleBurst,
            DetailedMetricsEnabled: false,
          },
          ...accessLogSettings(parameters),
        },
      },
      ...Object.fromEntries(
        names.map((name) => [
          naming.getLambdaLogicalId(name),
          { Properties: { LoggingConfig: { LogGroup: { Ref: 'FunctionLogGroup' } } } },
        ]),
      ),
    },
  };
}

/** The functions of each folder of `functions/`, in the order of serverless.yml. */
function functionsByArea(names: string[]): Map<string, string[]> {
  const files = functionFiles();
  const areas = new Map<string, string[]>();
  for (const name of names) {
    const area = files.get(name)?.split(/[\\/]/)[1] ?? 'other';
    areas.set(area, [...(areas.get(area) ?? []), name]);
  }
  return areas;
}

function completeProvider({ provider }: Service, parameters: Parameters): void {
  const { securityGroupIds, subnetIds } = parameters;
  const origins = readOrigins(String(provider.environment['CORS_ORIGINS'] ?? ''));
  provider.environment = deployedEnvironment(provider.environment, parameters);
  provider.kmsKeyArn = arnOf('EncryptionKey');
  if (subnetIds.length > 0) provider.vpc = { securityGroupIds, subnetIds };
  if (parameters.tracing === 'xray') provider.tracing = { lambda: true };
  // Otherwise the API would have a second address that bypasses a firewall, limit or log in front of the first.
  if (parameters.domainName) provider.httpApi['disableDefaultEndpoint'] = true;
  if (origins.length > 0) provider.httpApi['cors'] = gatewayCors(origins);
}

function readOrigins(text: string): string[] {
  try {
    return parseOrigins(text);
  } catch (error) {
    throw new ConfigError([`CORS_ORIGINS ${error instanceof Error ? error.message : error}`]);
  }
}

/** The gateway answers preflights as the functions would, without an invocation. */
function gatewayCors(allowedOrigins: string[]) {
  const preflight = preflightHeaders();
  const exposed = corsHeaders(['*'], 'https://any.invalid')['access-control-expose-headers'];
  return {
    allowedOrigins,
    allowedHeaders: list(preflight['access-control-allow-headers']),
    allowedMethods: list(preflight['access-control-allow-methods']),
    exposedResponseHeaders: list(exposed),
    maxAge: Number(preflight['access-control-max-age']),
  };
}

const list = (text = '') => text.split(',').map((item) => item.trim());

/** Lambda's own event source mapping instead of the poller. The consumers are the same functions. */
function triggerByAmazonMq(service: Service, consumers: string[], arn: string, basicAuthArn: string): void {
  const { environment } = service.provider;
  const prefix = String(environment['QUEUE_PREFIX'] || 'rollcall');
  const virtualHost = String(environment['RABBITMQ_VHOST'] || '/');
  for (const [name, definition] of Object.entries(service.functions)) {
    if (consumers.includes(name)) {
      // As in shared/broker/topology.ts: the only queue whose name differs from its function's.
      const queue = `${prefix}.${name === DEAD_LETTERS ? 'dead_letters' : name}`;
      const rabbitmq = { arn, basicAuthArn, queue, virtualHost, batchSize: 100 };
      definition.events.push({ rabbitmq });
    }
    if (name !== 'poll-queues') continue;
    for (const { schedule } of definition.events) if (schedule) schedule.enabled = false;
  }
}

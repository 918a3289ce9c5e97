/** The parts of the framework's service that this plugin reads and completes. */
export interface Service {
  service: string;
  provider: {
    environment: Record<string, unknown>;
    vpc?: { securityGroupIds: string[]; subnetIds: string[] };
    tracing?: { lambda: boolean };
    kmsKeyArn?: unknown;
    httpApi: Record<string, unknown>;
  };
  functions: Record<string, ServiceFunction>;
  custom: { deployment: Record<string, unknown>; aliases: string[] };
  resources?: { Resources?: Resources; extensions?: Record<string, { Properties: Record<string, unknown> }> };
}

export interface ServiceFunction {
  name: string;
  role?: string;
  disableLogs?: boolean;
  events: FunctionEvent[];
  reservedConcurrency?: number;
  maximumRetryAttempts?: number;
  maximumEventAge?: number;
  /** Set when functions are compiled. */
  versionFunction?: boolean;
  versionLogicalId?: string;
  targetAlias?: { name: string; logicalId: string };
}

export interface FunctionEvent {
  httpApi?: unknown;
  schedule?: { rate: string[] | string; enabled?: boolean };
  rabbitmq?: { arn: string; basicAuthArn: string; queue: string; virtualHost: string; batchSize: number };
}

/** The framework's names for a function's resources in the template. */
export interface Naming {
  getNormalizedFunctionName(name: string): string;
  getLambdaLogicalId(name: string): string;
  getHttpApiRouteLogicalId(routeKey: string): string;
  getHttpApiIntegrationLogicalId(functionName: string): string;
  getLambdaHttpApiPermissionLogicalId(functionName: string): string;
}

export interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
  DependsOn?: string | string[];
}
export type Resources = Record<string, Resource>;

export const sub = (text: string) => ({ 'Fn::Sub': text });
export const arnOf = (logicalId: string) => ({ 'Fn::GetAtt': [logicalId, 'Arn'] });

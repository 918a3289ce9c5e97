import type { Naming, Resources, Service } from './service';

/**
 * For API Gateway, /path and /path/ are two routes. The framework gives both the same logical id, so the second would replace
 * the first. This removes routes with a trailing slash before the framework compiles them. @returns their resources
 */
export function takeTrailingSlashes({ functions }: Service, naming: Naming): Resources {
  const taken: Resources = {};
  for (const [name, definition] of Object.entries(functions)) {
    const ids = new Set<string>();
    const slashed = (httpApi: unknown) => typeof httpApi === 'string' && httpApi.endsWith('/');
    for (const { httpApi } of definition.events) {
      if (typeof httpApi === 'string' && !slashed(httpApi)) ids.add(naming.getHttpApiRouteLogicalId(httpApi));
    }
    definition.events = definition.events.filter(({ httpApi }) => {
      if (typeof httpApi !== 'string' || !slashed(httpApi)) return true;
      const id = naming.getHttpApiRouteLogicalId(httpApi);
      if (!ids.has(id)) return true;
      const integration = naming.getHttpApiIntegrationLogicalId(name);
      taken[`${id}TrailingSlash`] = {
        Type: 'AWS::ApiGatewayV2::Route',
        Properties: {
          ApiId: { Ref: 'HttpApi' },
          RouteKey: httpApi,
          Target: { 'Fn::Join': ['/', ['integrations', { Ref: integration }]] },
        },
        DependsOn: [integration],
      };
      return false;
    });
  }
  return taken;
}

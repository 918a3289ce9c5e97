import type { Naming, Resources, Service } from './service';

/** What the API calls, of the functions that have it. A canary moves its weights: see docs/operations.md. */
const ALIAS = 'live';

/**
 * Gives functions an alias and has the API call that, between the compiling of functions, which have versions then, and
 * of events. The framework has aliases of its own for provisioned concurrency only, and finds these in the same way.
 */
export function addAliases(service: Service, template: { Resources: Resources }, naming: Naming): void {
  const { aliases } = service.custom;
  for (const name of aliases) {
    const definition = service.functions[name];
    if (!definition?.versionLogicalId) throw new Error(`custom.aliases names ${name}, which is no function`);
    const logicalId = `${naming.getNormalizedFunctionName(name)}Alias`;
    definition.targetAlias = { name: ALIAS, logicalId };
    template.Resources[logicalId] = {
      Type: 'AWS::Lambda::Alias',
      Properties: {
        FunctionName: definition.name,
        FunctionVersion: { 'Fn::GetAtt': [definition.versionLogicalId, 'Version'] },
        Name: ALIAS,
      },
      DependsOn: [definition.versionLogicalId],
    };
  }
}

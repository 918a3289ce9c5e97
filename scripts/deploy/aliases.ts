import type { Naming, Resources, Service } from './service';

/** The alias that the API calls. A canary changes its weights: see docs/operations.md. */
const ALIAS = 'live';

/**
 * Gives functions an alias for the API to call. Runs between the compilation of functions, when versions exist, and of
 * events. The framework creates aliases only for provisioned concurrency, and finds these in the same way.
 */
export function addAliases(service: Service, template: { Resources: Resources }, naming: Naming): void {
  const { aliases } = service.custom;
  for (const name of aliases) {
    const definition = service.functions[name];
    if (!definition?.versionLogicalId)
      throw new Error(`custom.aliases names ${name}, which is not a function`);
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

import { role } from './roles';
import { arnOf, type Naming, type Resources, type Service } from './service';

const ROLE = 'ApiRole';

/**
 * Gives the API one role to invoke its functions, and removes the permission that the framework adds to each of them. Call
 * it after the events are compiled: the role may invoke the targets of the integrations, some of which are aliases.
 */
export function invokeByRole(service: Service, template: { Resources: Resources }, naming: Naming): void {
  const targets: unknown[] = [];
  for (const name of Object.keys(service.functions)) {
    const integration = template.Resources[naming.getHttpApiIntegrationLogicalId(name)];
    if (!integration) continue;
    targets.push(integration.Properties['IntegrationUri']);
    integration.Properties['CredentialsArn'] = arnOf(ROLE);
    // With DependsOn, CloudFormation waits until IAM has propagated the role. A reference alone does not wait, and the
    // API would answer 500 meanwhile.
    integration.DependsOn = [integration.DependsOn ?? [], ROLE].flat();
    delete template.Resources[naming.getLambdaHttpApiPermissionLogicalId(name)];
  }
  template.Resources[ROLE] = role('apigateway.amazonaws.com', 'Which functions the API may invoke', [
    { Effect: 'Allow', Action: ['lambda:InvokeFunction'], Resource: targets },
  ]);
}

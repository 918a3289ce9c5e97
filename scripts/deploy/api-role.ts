import { role } from './roles';
import { arnOf, type Naming, type Resources, type Service } from './service';

const ROLE = 'ApiRole';

/**
 * Lets the API invoke its functions by one role, and removes the permission that the framework gives to each of them.
 * Call it when the events are compiled: the role may invoke what the integrations call, which is an alias for some.
 */
export function invokeByRole(service: Service, template: { Resources: Resources }, naming: Naming): void {
  const targets: unknown[] = [];
  for (const name of Object.keys(service.functions)) {
    const integration = template.Resources[naming.getHttpApiIntegrationLogicalId(name)];
    if (!integration) continue;
    targets.push(integration.Properties['IntegrationUri']);
    integration.Properties['CredentialsArn'] = arnOf(ROLE);
    // CloudFormation waits until IAM knows the role everywhere only where DependsOn names it; the reference does not
    // make it wait, and the API would answer 500 meanwhile.
    integration.DependsOn = [integration.DependsOn ?? [], ROLE].flat();
    delete template.Resources[naming.getLambdaHttpApiPermissionLogicalId(name)];
  }
  template.Resources[ROLE] = role('apigateway.amazonaws.com', 'Which functions the API may invoke', [
    { Effect: 'Allow', Action: ['lambda:InvokeFunction'], Resource: targets },
  ]);
}

import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import type { Property, PropertyType, Resource } from '@aws-cdk/service-spec-types';
import type { Template, TemplateResource } from '../setup/package';

const spec = loadAwsServiceSpecSync();
const PSEUDO_PARAMETER = /^AWS::(AccountId|Region|Partition|URLSuffix|StackName|StackId)$/;
type Json = Record<string, unknown>;

/** Holds a template to the schemas that AWS publishes for CloudFormation. @returns what is wrong, in words */
export function checkAgainstSchemas(template: Template): string[] {
  return Object.entries(template.Resources).flatMap(([id, resource]) => {
    const schema = schemaOf(resource.Type);
    if (!schema) return [`${id}: there is no ${resource.Type}`];
    const problems = [
      ...checkProperties(resource.Properties ?? {}, schema.properties, id),
      ...checkReferences(resource, template, id),
    ];
    const dependencies = [resource.DependsOn ?? []].flat();
    const dangling = dependencies.filter((name) => !(name in template.Resources));
    return [...problems, ...dangling.map((name) => `${id}: depends on ${name}, which is not there`)];
  });
}

function schemaOf(type: string): Resource | undefined {
  return spec.lookup('resource', 'cloudFormationType', 'equals', type)[0];
}

function checkProperties(value: Json, properties: Record<string, Property>, path: string): string[] {
  const missing = Object.entries(properties).filter(([name, { required }]) => required && !(name in value));
  const unknown = Object.keys(value).filter((name) => !(name in properties));
  return [
    ...missing.map(([name]) => `${path}: ${name} is missing`),
    ...unknown.map((name) => `${path}: there is no property ${name}`),
    ...Object.entries(value).flatMap(([name, item]) => {
      const property = properties[name];
      return property ? checkValue(item, property.type, `${path}.${name}`) : [];
    }),
  ];
}

function checkValue(value: unknown, type: PropertyType, path: string): string[] {
  // What CloudFormation computes has no type before it has done so.
  if (isIntrinsic(value)) return [];
  const wrong = (expected: string) => [`${path}: ${JSON.stringify(value)} is not ${expected}`];
  switch (type.type) {
    case 'string':
    case 'date-time':
      if (typeof value !== 'string') return wrong('text');
      if (type.type === 'string' && type.allowedValues && !type.allowedValues.includes(value))
        return wrong(`one of ${type.allowedValues}`);
      return [];
    case 'number':
      return typeof value === 'number' ? [] : wrong('a number');
    case 'integer':
      return Number.isInteger(value) ? [] : wrong('a whole number');
    case 'boolean':
      return typeof value === 'boolean' ? [] : wrong('true or false');
    case 'json':
      return typeof value === 'object' || typeof value === 'string' ? [] : wrong('JSON');
    case 'null':
      return value === null ? [] : wrong('null');
    case 'array':
      if (!Array.isArray(value)) return wrong('a list');
      return value.flatMap((item, index) => checkValue(item, type.element, `${path}.${index}`));
    case 'map':
      if (!isObject(value)) return wrong('an object');
      return Object.entries(value).flatMap(([name, item]) =>
        checkValue(item, type.element, `${path}.${name}`),
      );
    case 'tag':
      return isObject(value) && 'Key' in value && 'Value' in value ? [] : wrong('a tag');
    case 'ref':
      if (!isObject(value)) return wrong('an object');
      return checkProperties(value, spec.get('typeDefinition', type.reference.$ref).properties, path);
    case 'union': {
      const tries = type.types.map((one) => checkValue(value, one, path));
      return tries.find((problems) => problems.length === 0) ?? tries[0] ?? [];
    }
  }
}

/** Ref, Fn::GetAtt and Fn::Sub, wherever they are. */
function checkReferences(value: unknown, template: Template, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => checkReferences(item, template, path));
  if (!isObject(value)) return [];
  const found: [logicalId: string, attribute?: string][] = [];
  if (typeof value['Ref'] === 'string') found.push([value['Ref']]);
  const getAtt = value['Fn::GetAtt'];
  if (Array.isArray(getAtt)) found.push([String(getAtt[0]), String(getAtt[1])]);
  const sub = value['Fn::Sub'];
  if (typeof sub === 'string') {
    for (const [, name = ''] of sub.matchAll(/\$\{([^!}]+)\}/g)) {
      const [id = '', attribute] = name.split('.');
      found.push(attribute === undefined ? [id] : [id, attribute]);
    }
  }
  return [
    ...found.flatMap(([id, attribute]) => checkReference(id, attribute, template, path)),
    ...Object.values(value).flatMap((item) => checkReferences(item, template, path)),
  ];
}

function checkReference(
  id: string,
  attribute: string | undefined,
  template: Template,
  path: string,
): string[] {
  if (PSEUDO_PARAMETER.test(id)) return [];
  const target: TemplateResource | undefined = template.Resources[id];
  if (!target) return [`${path}: refers to ${id}, which is not there`];
  const attributes = schemaOf(target.Type)?.attributes ?? {};
  return attribute === undefined || attribute in attributes ? [] : [`${path}: ${id} has no ${attribute}`];
}

function isIntrinsic(value: unknown): boolean {
  if (!isObject(value)) return false;
  const [key, ...others] = Object.keys(value);
  return others.length === 0 && key !== undefined && (key === 'Ref' || key.startsWith('Fn::'));
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

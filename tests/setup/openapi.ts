import { join } from 'node:path';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { functionFiles, ROOT } from '../../scripts/function-files';
import document from '../../shared/openapi/openapi.json';
import type { TestReply } from './http-event';

const MAX_SHOWN = 2000;

interface Response {
  $ref?: string;
  headers?: Record<string, unknown>;
  content?: Record<string, unknown>;
}

interface Operation {
  operationId: string;
  responses: Record<string, Response>;
}

/** An operation in the document, and where. */
export interface Documented {
  method: string;
  path: string;
  operation: Operation;
}

const paths: Record<string, Record<string, Operation>> = document.paths;
const responses: Record<string, Response> = document.components.responses;

export const documented: Documented[] = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
);

const ajv = addFormats(new Ajv2020({ strict: false, allErrors: true })).addSchema(
  closed(document),
  'openapi',
);

/** Fails where the document does not say that this operation may answer this. */
export function expectDocumented(
  { method, path, operation }: Documented,
  reply: TestReply,
  isHead = false,
): void {
  const name = `${method.toUpperCase()} ${path}`;
  const pointer = ['paths', path, method, 'responses', String(reply.status)];
  const response = operation.responses[reply.status];
  if (!response) {
    throw new Error(
      `${name} answered ${reply.status} ${reply.body?.code ?? ''}, which openapi.json does not know`,
    );
  }
  const shared = response.$ref?.slice('#/components/responses/'.length);
  const { headers = {}, content = {} } = shared === undefined ? response : (responses[shared] ?? {});

  for (const header of Object.keys(document.components.headers)) {
    const said = reply.headers[header];
    const usual = header === 'cache-control' && said === 'no-store';
    if (said !== undefined && !usual && !headers[header]) {
      throw new Error(`${name} answered ${reply.status} with ${header}, which openapi.json does not know`);
    }
  }

  const mediaType = reply.headers['content-type']?.split(';')[0] ?? '';
  if (reply.body === undefined && Object.keys(content).length === 0) return;
  if (!content[mediaType]) {
    throw new Error(
      `${name} answered ${reply.status} with ${mediaType || 'no'} content, unlike openapi.json`,
    );
  }
  if (isHead) {
    if (reply.body !== undefined) throw new Error(`HEAD ${path} answered with content`);
    return;
  }
  const root = shared === undefined ? pointer : ['components', 'responses', shared];
  const validate = ajv.getSchema(
    `openapi#/${[...root, 'content', mediaType, 'schema'].map(pointerToken).join('/')}`,
  );
  if (!validate) throw new Error(`openapi.json has no schema for ${name}, ${reply.status}`);
  if (!validate(reply.body)) {
    throw new Error(
      `${name} answered ${reply.status}, unlike openapi.json: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(reply.body).slice(0, MAX_SHOWN)}`,
    );
  }
}

/** As above, by what was requested. What the document does not have, the service has to answer with 404. */
export function expectRouteDocumented(method: string, path: string, reply: TestReply): void {
  const isHead = method === 'HEAD';
  const found = findDocumented(isHead ? 'GET' : method, path);
  if (found) {
    expectDocumented(found, reply, isHead);
    return;
  }
  const isPreflight = method === 'OPTIONS' && reply.status === 204;
  const isNotFound = isHead ? reply.status === 404 : reply.body?.code === 'not_found';
  if (!isPreflight && !isNotFound) {
    throw new Error(`${method} ${path} answered ${reply.status}, and openapi.json has no such route`);
  }
}

/** The operation that this handler serves; undefined for what is no function of ours, and for `fallback`. */
export function documentedOf(handler: object): Documented | undefined {
  // Whoever has the handler has loaded its file.
  const [name] =
    [...functionFiles()].find(([, file]) => require.cache[join(ROOT, file)]?.exports.handler === handler) ??
    [];
  const operationId = name?.replace(/-(\w)/g, (_match, letter: string) => letter.toUpperCase());
  return documented.find(({ operation }) => operation.operationId === operationId);
}

function findDocumented(method: string, requested: string): Documented | undefined {
  const { pathname } = new URL(requested, 'http://localhost');
  const candidates = documented.filter(
    (each) =>
      each.method === method.toLowerCase() &&
      // serverless-offline takes a path with a slash at its end for the one without.
      new RegExp(`^${each.path.replace(/\/$/, '').replace(/\{\w+\}/g, '[^/]+')}/?$`).test(pathname),
  );
  // A path without parameters goes first, as in API Gateway.
  return candidates.find(({ path }) => !path.includes('{')) ?? candidates[0];
}

/** The document lets answers have more fields one day. The tests do not: each has to be in the document first. */
function closed<T>(schema: T): T {
  if (Array.isArray(schema)) return schema.map(closed) as T;
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  const isObject = 'type' in schema && [schema.type].flat().includes('object');
  return { ...(isObject && 'properties' in schema ? { additionalProperties: false } : {}), ...copy } as T;
}

/** RFC 6901, in a URI fragment. */
function pointerToken(token: string): string {
  return encodeURIComponent(token.replaceAll('~', '~0').replaceAll('/', '~1'));
}

import { version } from '../../package.json';
import type { ReplyDescription } from '../../shared/openapi/documentation';
import { type ErrorGroup, errorResponse, errorsOf, groupByStatus } from './errors';
import { namedSchemas, schemaOf } from './json-schema';
import { type Operation, readOperation } from './operation';
import { headerRefs, parametersOf, RESPONSE_HEADERS } from './parameters';
import { type HttpFunction, httpFunctions, type Route } from './routes';

const DESCRIPTION = `Users, sessions and roles, with an event for every change.

- Requests and responses are JSON in UTF-8; a body has at most 64 KiB. Unknown fields are rejected.
- Errors are \`application/problem+json\` (RFC 9457). Rely on the \`code\`, which is stable. With \`invalid_request\`,
  \`errors\` lists every problem at once.
- Times are ISO 8601 in UTC, ids are UUIDs (version 7).
- A list has at most \`limit\` records. Send its \`nextCursor\` as \`cursor\` to get the next page.
- Every response has an \`x-request-id\`. Send your own, and a \`traceparent\`, to find a request in the logs.
- Unknown records and paths are \`404 not_found\`.
- Every path that supports GET also supports HEAD.`;

/** By the folder of the functions. */
const TAGS: Record<string, { name: string; description: string }> = {
  auth: { name: 'Auth', description: 'Registration, login, logout, tokens and email links' },
  users: { name: 'Users', description: 'Users and their sessions' },
  factors: { name: 'Factors', description: 'Second factors, recovery codes and passkeys of a user' },
  roles: { name: 'Roles', description: 'Roles and their permissions' },
  events: { name: 'Events', description: 'Event log, dead letters and audit log' },
  analytics: { name: 'Analytics', description: 'Counts per day or hour' },
  erasures: {
    name: 'Erasures',
    description:
      'Erasing users everywhere and exporting their data, with receipts from the services that hold copies of it',
  },
  webhooks: {
    name: 'Webhooks',
    description: 'Events sent to HTTP endpoints, as specified by Standard Webhooks',
  },
  pages: {
    name: 'Pages',
    description: 'Pages for people: sign in, sign up, and what links in mails lead to',
  },
  console: { name: 'Console', description: 'The console for operators, and its sessions' },
  ops: { name: 'Service', description: 'The service itself' },
};

const ALIASES = {
  name: 'Aliases',
  description: 'The same operations at other paths, for existing clients',
};

/**
 * The OpenAPI document: routes from serverless.yml, requests and responses from the functions' files.
 * @throws Error naming the function whose documentation is incomplete
 */
export async function openapiDocument() {
  const functions = await httpFunctions();
  const paths: Record<string, Record<string, unknown>> = {};
  const errors = new Map<string, ErrorGroup>();
  for (const each of functions) {
    const operation = await readOperation(each);
    const [main, ...aliases] = each.routes;
    const described = describe(operation, each, main, errors);
    addOperation(paths, main, described);
    for (const alias of aliases) {
      addOperation(paths, alias, {
        ...described,
        operationId: `${described.operationId}At${camelCase(alias.path)}`,
        ...(operation.otherRoutes?.[alias.path]
          ? { summary: operation.otherRoutes[alias.path] }
          : { summary: `${alias.method} ${alias.path}, alias of ${main.path}`, tags: [ALIASES.name] }),
      });
    }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Rollcall',
      version,
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(functions.map(({ area }) => tagOf(area))), ALIASES],
    paths,
    components: {
      schemas: namedSchemas(),
      responses: Object.fromEntries(
        [...errors].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, group]) => [name, errorResponse(group)]),
      ),
      headers: RESPONSE_HEADERS,
      securitySchemes: {
        accessToken: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'From `POST /login`',
        },
      },
    },
  };
}

function describe(
  operation: Operation,
  { name, area }: HttpFunction,
  { path }: Route,
  errors: Map<string, ErrorGroup>,
) {
  const { summary, auth, body, example, headers, replies } = operation;
  const groups = groupByStatus(errorsOf(operation, path));
  for (const group of groups) errors.set(group.name, group);
  const described = [operation.description, whoMay(operation)].filter(Boolean).join('\n\n');
  const parameters = parametersOf(operation, path);
  return {
    operationId: lowerFirst(camelCase(name)),
    summary,
    ...(described && { description: described }),
    tags: [tagOf(area).name],
    ...(auth !== 'none' && { security: [...(auth === 'optional' ? [{}] : []), { accessToken: [] }] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: {
        required: body.type !== 'optional',
        content: { 'application/json': { schema: schemaOf(body), ...(example && { example }) } },
      },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries(replies).map(([status, reply]) => [status, replyResponse(reply, headers)]),
      ),
      ...(headers.includes('if-none-match') && {
        304: { description: 'Not modified', headers: headerRefs(['x-request-id', 'etag']) },
      }),
      ...Object.fromEntries(
        groups.map(({ name: response, status }) => {
          if (replies[status]) throw new Error(`${name} has both a reply and an error of status ${status}`);
          return [status, { $ref: `#/components/responses/${response}` }];
        }),
      ),
    },
  };
}

function whoMay(operation: Operation): string {
  const recently = 'The access token must be from a login or `POST /step-up` in the last `REAUTH_SECONDS`.';
  return [whoMayEver(operation), operation.recent ? recently : ''].filter(Boolean).join(' ');
}

function whoMayEver({ auth, permission, orSelf }: Operation): string {
  if (permission === undefined && orSelf) return 'For your own user only.';
  if (permission === undefined) return auth === 'bearer' ? 'Requires a login.' : '';
  const needs = `Requires the permission \`${permission}\``;
  return orSelf ? `${needs}, except for your own user.` : `${needs}.`;
}

function replyResponse(
  { description, body, contentType = ['application/json'], headers = [] }: ReplyDescription,
  requestHeaders: Operation['headers'],
) {
  const replayed = requestHeaders.includes('idempotency-key') ? (['idempotent-replayed'] as const) : [];
  const types = [contentType].flat();
  const content = body ? { schema: schemaOf(body) } : { schema: { type: 'string' } };
  return {
    description,
    headers: headerRefs(['x-request-id', ...headers, ...replayed]),
    ...((body || !types.includes('application/json')) && {
      content: Object.fromEntries(types.map((type) => [type, content])),
    }),
  };
}

function addOperation(
  paths: Record<string, Record<string, unknown>>,
  { method, path }: Route,
  operation: unknown,
): void {
  paths[path] = { ...paths[path], [method.toLowerCase()]: operation };
}

function tagOf(area: string) {
  const tag = TAGS[area];
  if (!tag) throw new Error(`Describe the area ${area} in scripts/openapi/document.ts`);
  return tag;
}

/** `/auth/sign-up` → `AuthSignUp`. A path with a trailing slash is a path of its own, so the slash becomes a word. */
function camelCase(text: string): string {
  const words = text.replace(/\/$/, '/slash').split(/[^A-Za-z0-9]+/);
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

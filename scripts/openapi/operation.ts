import { join } from 'node:path';
import * as v from 'valibot';
import type { Endpoint } from '../../shared/http/endpoint';
import type { Documentation } from '../../shared/openapi/documentation';
import type { Permission } from '../../shared/roles/permissions';
import { ROOT } from '../function-files';
import type { HttpFunction } from './routes';

export const REQUEST_HEADERS = ['if-match', 'if-none-match', 'idempotency-key'] as const;
export type RequestHeader = (typeof REQUEST_HEADERS)[number];

/** An HTTP function's definition and documentation. */
export interface Operation extends Documentation {
  auth: 'none' | 'optional' | 'bearer';
  permission?: Permission;
  orSelf?: true;
  recent?: true;
  limited: boolean;
  query?: v.GenericSchema;
  headers: RequestHeader[];
}

/** @throws Error naming the function whose documentation is incomplete */
export async function readOperation({ name, file, routes }: HttpFunction): Promise<Operation> {
  const exported: { documentation?: Documentation; handler: Partial<Endpoint<never>> } = await import(
    join(ROOT, file)
  );
  const { documentation, handler } = exported;
  if (!documentation)
    throw new Error(`${name} answers HTTP requests, but ${file} exports no \`documentation\``);
  const { definition } = handler;
  if (!definition) throw new Error(`${name} answers HTTP requests, but its handler is no \`endpoint\``);
  const { access } = definition;
  const query = definition.query?.schema;
  if (typeof definition.body === 'function' && !documentation.body)
    throw new Error(`The body of ${name} depends on the configuration: document it as it is by default`);
  const body = typeof definition.body === 'function' ? documentation.body : definition.body?.schema;
  const { example } = documentation;
  if (example && !(body && v.is(body, example)))
    throw new Error(`The example in ${file} is not what the function accepts`);
  const read = [...namesIn(definition.path?.schema), ...(access.orSelf ? ['id'] : [])].sort().join();
  const inPath = [...routes[0].path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
  if (read !== inPath.sort().join())
    throw new Error(`${name} reads the path parameters ${read || 'none'}, its route has ${inPath.join()}`);
  const { auth, permission, orSelf, recent } = access;
  return {
    ...documentation,
    auth,
    ...(permission && { permission }),
    ...(orSelf && { orSelf }),
    ...(recent && { recent }),
    limited: definition.limit !== undefined,
    ...(query && { query }),
    ...(body && { body }),
    headers: namesIn(definition.headers?.schema).map((header) =>
      v.parse(v.picklist(REQUEST_HEADERS), header),
    ),
  };
}

function namesIn(schema: v.GenericSchema | undefined): string[] {
  return schema && 'entries' in schema ? Object.keys(schema.entries as v.ObjectEntries) : [];
}

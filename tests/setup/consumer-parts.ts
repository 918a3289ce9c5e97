/** What a service with consumers is put together from. */
export interface ConsumerParts {
  /** Every function's file, by its name. */
  files: ReadonlyMap<string, string>;
  /** The text of a function's file. */
  source(file: string): string;
  /** The names in CONSUMERS. */
  topology: readonly string[];
  /** The functions in serverless.yml. */
  blocks: Readonly<Record<string, { handler?: string }>>;
}

import { WITHOUT_EVENTS } from '../../shared/broker/topology';

/** What reads such a queue has no line in CONSUMERS. */
const hasNoEvents = (name: string) => WITHOUT_EVENTS.some((known) => known === name);
const FOLDER = 'functions/consumers/';

/** @returns what is missing of each consumer, and where it goes; nothing where all is there */
export function missingParts({ files, source, topology, blocks }: ConsumerParts): string[] {
  const fileOf = (name: string) => files.get(name)?.replaceAll('\\', '/');
  const names = new Set([
    ...[...files.keys()].filter((name) => fileOf(name)?.startsWith(FOLDER)),
    ...topology,
    ...Object.keys(blocks).filter((name) => !files.has(name)),
  ]);
  return [...names].sort().flatMap((name) => {
    const file = fileOf(name);
    const isFile = file?.startsWith(FOLDER) ?? false;
    const namesItself = isFile && new RegExp(`\\bconsumer\\(\\s*'${name}'`).test(source(file ?? ''));
    return [
      ...(isFile ? [] : [`${name} has no file ${FOLDER}${name}.ts`]),
      ...(isFile && !hasNoEvents(name) && !namesItself
        ? [
            `${FOLDER}${name}.ts does not call consumer('${name}', …): its events would count as handled by another`,
          ]
        : []),
      ...(topology.includes(name) || hasNoEvents(name)
        ? []
        : [`${name} has no line in CONSUMERS, shared/broker/topology.ts: no queue feeds it`]),
      ...(blocks[name]?.handler === `dist/${name}/index.handler`
        ? []
        : [`${name} has no block in serverless.yml with the handler dist/${name}/index.handler`]),
    ];
  });
}

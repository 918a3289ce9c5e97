import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { functionFiles, ROOT } from '../../../scripts/function-files';
import { CONSUMER_NAMES } from '../../../shared/broker/topology';
import { type ConsumerParts, missingParts } from '../../setup/consumer-parts';

const parts: ConsumerParts = {
  files: functionFiles(),
  source: (file) => readFileSync(join(ROOT, file), 'utf8'),
  topology: CONSUMER_NAMES,
  blocks: parse(readFileSync(join(ROOT, 'serverless.yml'), 'utf8')).functions,
};

test('a consumer is a file, a line in CONSUMERS and a block in serverless.yml', () => {
  expect(missingParts(parts)).toEqual([]);
});

describe.each(CONSUMER_NAMES)('of %s, what is missing is named:', (name) => {
  const without = <T>(all: Iterable<readonly [string, T]>) => [...all].filter(([each]) => each !== name);

  test('the file', () => {
    const files = new Map(without(parts.files));
    expect(missingParts({ ...parts, files })).toEqual([`${name} has no file functions/consumers/${name}.ts`]);
  });

  test('the line in CONSUMERS', () => {
    const topology = CONSUMER_NAMES.filter((each) => each !== name);
    expect(missingParts({ ...parts, topology })).toEqual([
      `${name} has no line in CONSUMERS, shared/broker/topology.ts: no queue feeds it`,
    ]);
  });

  test('the block in serverless.yml, also where it is one of something else', () => {
    const missing = [`${name} has no block in serverless.yml with the handler dist/${name}/index.handler`];
    const blocks = Object.fromEntries(without(Object.entries(parts.blocks)));
    expect(missingParts({ ...parts, blocks })).toEqual(missing);
    expect(
      missingParts({ ...parts, blocks: { ...blocks, [name]: { handler: 'dist/x/index.handler' } } }),
    ).toEqual(missing);
  });

  test('its name in the file', () => {
    const source = (file: string) =>
      file.endsWith(`consumers/${name}.ts`) ? "consumer('another', {})" : parts.source(file);
    expect(missingParts({ ...parts, source })).toEqual([
      `functions/consumers/${name}.ts does not call consumer('${name}', …): its events would count as handled by another`,
    ]);
  });
});

test('a new one is asked for all of it', () => {
  const blocks = { ...parts.blocks, crm: { handler: 'dist/crm/index.handler' } };
  expect(missingParts({ ...parts, blocks })).toEqual([
    'crm has no file functions/consumers/crm.ts',
    'crm has no line in CONSUMERS, shared/broker/topology.ts: no queue feeds it',
  ]);
});

test('what reads the dead letters needs no line in CONSUMERS, and the rest', () => {
  const files = new Map([...parts.files, ['dead-letters', 'functions/consumers/dead-letters.ts']]);
  const source = (file: string) => (file.endsWith('dead-letters.ts') ? '' : parts.source(file));
  const { 'dead-letters': _block, ...blocks } = parts.blocks;
  expect(missingParts({ ...parts, files, source, blocks })).toEqual([
    'dead-letters has no block in serverless.yml with the handler dist/dead-letters/index.handler',
  ]);
});

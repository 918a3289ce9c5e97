import { documented } from './openapi';

const INTRODUCTION = `# Endpoints and their statuses

Every cell is asserted over HTTP, with its code and its headers, by \`tests/integration/status-codes.test.ts\`, which
also checks that this page is up to date. The codes are in \`/openapi.json\`. An alias answers as its endpoint does.
`;

/** The OpenAPI document as a table: a row per operation, a column per status. */
export function statusTable(): string {
  const statuses = [
    ...new Set(documented.flatMap(({ operation }) => Object.keys(operation.responses))),
  ].sort();
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [
    INTRODUCTION,
    line(['endpoint', ...statuses]),
    line(['---', ...statuses.map(() => ':-:')]),
    ...documented.map(({ method, path, operation }) =>
      line([
        `\`${method.toUpperCase()} ${path}\``,
        ...statuses.map((status) => (status in operation.responses ? '✓' : '')),
      ]),
    ),
    '',
  ].join('\n');
}

// docs/consumers.md quotes the examples, and must not drift from them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const QUOTE =
  /^\[(?<file>\S+)\]\(\.\.\/examples\/consumers\/\S+\):\n\n```(?<language>\w+)\n(?<code>.*?)\n```$/gms;

const text = readFileSync('docs/consumers.md', 'utf8');
const quotes = [...text.matchAll(QUOTE)].map(({ groups }) => ({ file: '', code: '', ...groups }));

/** Without the indentation that all lines have in common. */
function dedent(lines: string[]): string {
  const indents = lines.filter((line) => line !== '').map((line) => line.length - line.trimStart().length);
  const indent = Math.min(...indents);
  return lines.map((line) => line.slice(indent)).join('\n');
}

function isQuoted(code: string, file: string): boolean {
  const lines = readFileSync(join('examples/consumers', file), 'utf8').split('\n');
  const length = code.split('\n').length;
  return lines.some((_, start) => dedent(lines.slice(start, start + length)) === code);
}

test('every block of code is a quotation that names its file', () => {
  const blocks = text.match(/^```(python|go|ts)$/gm) ?? [];
  expect(blocks.length).toBeGreaterThan(10);
  expect(quotes).toHaveLength(blocks.length);
});

test.each(quotes.map(({ file, code }, index) => [index + 1, file, code] as const))(
  'quotation %i is in %s as it is',
  (_, file, code) => {
    expect(isQuoted(code, file) ? 'quoted' : code).toBe('quoted');
  },
);

test('a line that differs is found', () => {
  const [quote] = quotes;
  expect(isQuoted(quote?.code.replace('quorum', 'classic') ?? '', quote?.file ?? '')).toBe(false);
});

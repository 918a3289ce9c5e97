import { diffLines } from '../../console/diff';

const shown = (before: string, after: string) =>
  diffLines(before, after).map(({ kind, text }) => `${{ same: ' ', removed: '-', added: '+' }[kind]}${text}`);

test.each([
  ['nothing', 'a\nb', 'a\nb', [' a', ' b']],
  ['a changed line', 'a\nb\nc', 'a\nx\nc', [' a', '-b', '+x', ' c']],
  ['a new line', 'a\nc', 'a\nb\nc', [' a', '+b', ' c']],
  ['a removed line', 'a\nb\nc', 'a\nc', [' a', '-b', ' c']],
  ['lines at both ends', 'b', 'a\nb\nc', ['+a', ' b', '+c']],
  ['everything', 'a', 'b', ['-a', '+b']],
])('shows %s', (_name, before, after, lines) => {
  expect(shown(before, after)).toEqual(lines);
});

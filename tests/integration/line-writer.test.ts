import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import { lineWriter } from '../../scripts/serve/line-writer';

function written() {
  const texts: string[] = [];
  const output = new Writable({
    write: (chunk, _encoding, done) => {
      texts.push(String(chunk));
      done();
    },
  });
  const exiting = new EventEmitter();
  return { texts, exiting, write: lineWriter(output, exiting) };
}

const endOfTurn = () => new Promise((resolve) => setImmediate(resolve));

test('the lines of a turn are written together, after what the turn does', async () => {
  const { texts, write } = written();
  write('a');
  write('b');
  expect(texts).toEqual([]);
  await endOfTurn();
  expect(texts).toEqual(['a\nb\n']);
  write('c');
  await endOfTurn();
  expect(texts).toEqual(['a\nb\n', 'c\n']);
});

test('so many lines that those of other processes could come between them are written in parts', async () => {
  const { texts, write } = written();
  const lines = Array.from({ length: 5 }, (_, number) => String(number).repeat(700) + 'é'.repeat(350));
  for (const line of lines) write(line);
  await endOfTurn();
  expect(texts.map((text) => text.split('\n').length - 1)).toEqual([2, 2, 1]);
  expect(texts.join('')).toBe(lines.map((line) => `${line}\n`).join(''));
});

test('a process that exits writes what is left, once', async () => {
  const { texts, exiting, write } = written();
  write('the reason');
  exiting.emit('exit');
  expect(texts).toEqual(['the reason\n']);
  await endOfTurn();
  expect(texts).toEqual(['the reason\n']);
});

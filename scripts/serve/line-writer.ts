import type { Writable } from 'node:stream';

/**
 * Writes the lines of one turn of the event loop together and at its end, so that no response waits for its own line. A process
 * that exits, also by an error, writes what is left.
 */
export function lineWriter(output: Writable, exiting: NodeJS.EventEmitter = process): (line: string) => void {
  let lines = '';
  const flush = () => {
    const text = lines;
    lines = '';
    if (text !== '') output.write(text);
  };
  exiting.on('exit', flush);
  return (line) => {
    if (lines === '') setImmediate(flush);
    lines += `${line}\n`;
  };
}

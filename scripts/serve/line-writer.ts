import type { Writable } from 'node:stream';

/** Up to this size, what processes write to one pipe does not mix (`PIPE_BUF` of Linux; POSIX, `write`). */
const ATOMIC_BYTES = 4096;

/**
 * Writes the lines of one turn of the event loop together and at its end, so that no response waits for its own line. A process
 * that exits, also by an error, writes what is left.
 */
export function lineWriter(output: Writable, exiting: NodeJS.EventEmitter = process): (line: string) => void {
  let lines = '';
  let bytes = 0;
  const flush = () => {
    const text = lines;
    lines = '';
    bytes = 0;
    if (text !== '') output.write(text);
  };
  exiting.on('exit', flush);
  return (text) => {
    const line = `${text}\n`;
    const size = Buffer.byteLength(line);
    if (bytes + size > ATOMIC_BYTES) flush();
    if (lines === '') setImmediate(flush);
    lines += line;
    bytes += size;
  };
}

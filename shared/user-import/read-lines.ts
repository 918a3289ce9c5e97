import { createReadStream } from 'node:fs';

const NEWLINE = 0x0a;
/** What a request's body may have, too. */
export const MAX_LINE_BYTES = 64 * 1024;

export interface Line {
  /** Counted from 1. */
  number: number;
  /** Without its newline; null where it is longer than a line may be. */
  bytes: Buffer | null;
  /** Where the next line begins, in bytes from the start of the file. */
  end: number;
}

/** The lines of a file from a position on, in memory one at a time, however large the file or long the line. */
export async function* readLines(
  path: string,
  from: { position: number; lines: number },
): AsyncGenerator<Line> {
  let { position: end, lines: number } = from;
  let kept: Buffer[] = [];
  let length = 0;

  const add = (bytes: Buffer) => {
    length += bytes.length;
    end += bytes.length;
    if (length <= MAX_LINE_BYTES) kept.push(bytes);
    else kept = [];
  };
  const take = (): Line => {
    number += 1;
    const bytes = length <= MAX_LINE_BYTES ? Buffer.concat(kept) : null;
    kept = [];
    length = 0;
    return { number, bytes, end };
  };

  const chunks: AsyncIterable<Buffer> = createReadStream(path, { start: end, highWaterMark: 256 * 1024 });
  for await (const chunk of chunks) {
    let start = 0;
    for (let newline = chunk.indexOf(NEWLINE); newline !== -1; newline = chunk.indexOf(NEWLINE, start)) {
      add(chunk.subarray(start, newline));
      end += 1;
      start = newline + 1;
      yield take();
    }
    add(chunk.subarray(start));
  }
  if (length > 0) yield take();
}

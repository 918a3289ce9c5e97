import { createReadStream } from 'node:fs';

const NEWLINE = 0x0a;
/** Same limit as for a request body. */
export const MAX_LINE_BYTES = 64 * 1024;

export interface Line {
  /** Starts at 1. */
  number: number;
  /** Without the newline; null if the line is too long. */
  bytes: Buffer | null;
  /** Byte offset of the next line. */
  end: number;
}

/** The lines of a file from a position on, one at a time, so that memory is bounded for any size of file or line. */
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

import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

const LINE_BYTES = 64;
/** More than any range of the public list, which has about 1,000 lines. */
const MAX_RANGE_BYTES = 1024 * 1024;

/**
 * Reads a range of hashes from a local copy made by the official downloader: a folder with a file per range
 * (`21BD1.txt`), or one file of sorted full hashes.
 * @returns lines with the rest of a hash, a colon and a count
 * @throws Error if the copy cannot be read
 */
export async function readRange(path: string, prefix: string): Promise<string> {
  if ((await stat(path)).isDirectory()) return readFile(join(path, `${prefix}.txt`), 'latin1');
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read({
      buffer: Buffer.alloc(Math.min(MAX_RANGE_BYTES, size)),
      position: await startOfRange(file, size, prefix),
    });
    const lines = buffer.toString('latin1', 0, bytesRead).split('\n');
    return lines
      .filter((line) => line.slice(0, prefix.length).toUpperCase() === prefix)
      .map((line) => line.slice(prefix.length))
      .join('\n');
  } finally {
    await file.close();
  }
}

/** Binary search by byte position. @returns the start of the first line at or after the prefix, or of the line before */
async function startOfRange(file: FileHandle, size: number, prefix: string): Promise<number> {
  let [low, high] = [0, size];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const line = await lineAfter(file, middle);
    if (line === null || line.text.slice(0, prefix.length).toUpperCase() >= prefix) high = middle;
    else low = line.start + 1;
  }
  // The start of the line before it, which `readRange` filters out.
  return low === 0 ? 0 : low - 1;
}

/** The first line that starts at or after the position; null if there is none. */
async function lineAfter(
  file: FileHandle,
  position: number,
): Promise<{ start: number; text: string } | null> {
  const from = Math.max(0, position - 1);
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(2 * LINE_BYTES), position: from });
  const text = buffer.toString('latin1', 0, bytesRead);
  const start = position === 0 ? 0 : text.indexOf('\n') + 1;
  if ((position !== 0 && start === 0) || start >= text.length) return null;
  return { start: from + start, text: text.slice(start) };
}

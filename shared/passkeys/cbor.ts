import { CeremonyError } from './ceremony-error';

/** What authenticators send (CTAP 2.2, section 8): CBOR without tags, floats and indefinite lengths. */
export type Cbor = number | string | boolean | null | Buffer | Cbor[] | CborMap;
export type CborMap = Map<number | string, Cbor>;

/** CTAP 2.2 allows four levels. The limit keeps hostile input from exhausting the stack. */
const MAX_DEPTH = 8;
const UTF8 = new TextDecoder('utf-8', { fatal: true });
const SIMPLE = new Map<number, boolean | null>([
  [20, false],
  [21, true],
  [22, null],
]);

/**
 * Decodes one CBOR item (RFC 8949).
 * @returns the value and the position after it
 * @throws CeremonyError if it is truncated, not well-formed or not in the subset above
 */
export function decodeCbor(bytes: Buffer, start = 0): { value: Cbor; end: number } {
  let at = start;

  function take(length: number): Buffer {
    // A Buffer is a view: behind its end is the memory of other requests.
    if (length > bytes.length - at) throw malformed();
    at += length;
    return bytes.subarray(at - length, at);
  }

  /** RFC 8949, section 3: the argument is in the initial byte or in the next 1, 2, 4 or 8. */
  function argument(info: number): number {
    if (info < 24) return info;
    if (info > 27) throw malformed();
    const value = BigInt(`0x${take(2 ** (info - 24)).toString('hex')}`);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed();
    return Number(value);
  }

  function item(depth: number): Cbor {
    if (depth > MAX_DEPTH) throw malformed();
    const initial = take(1).readUInt8();
    const [major, info] = [initial >> 5, initial & 0x1f];
    if (major === 7) {
      const simple = SIMPLE.get(info);
      if (simple === undefined) throw malformed();
      return simple;
    }
    const count = argument(info);
    switch (major) {
      case 0:
        return count;
      case 1:
        return -1 - count;
      case 2:
        return take(count);
      case 3:
        return decodeText(take(count));
      case 4:
        return list(count, depth);
      case 5:
        return map(count, depth);
      default:
        throw malformed();
    }
  }

  // Lists and maps grow item by item, and each takes a byte at least: a count alone allocates nothing.
  function list(count: number, depth: number): Cbor[] {
    const items: Cbor[] = [];
    for (let index = 0; index < count; index++) items.push(item(depth + 1));
    return items;
  }

  function map(count: number, depth: number): CborMap {
    const entries: CborMap = new Map();
    for (let index = 0; index < count; index++) {
      const key = item(depth + 1);
      // Which of two equal keys counts is undefined (RFC 8949, section 5.6), so two parsers could see two public keys.
      if ((typeof key !== 'number' && typeof key !== 'string') || entries.has(key)) throw malformed();
      entries.set(key, item(depth + 1));
    }
    return entries;
  }

  const value = item(1);
  return { value, end: at };
}

function decodeText(bytes: Buffer): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw malformed();
  }
}

function malformed(): CeremonyError {
  return new CeremonyError('The authenticator sent CBOR that is not well-formed');
}

import fc from 'fast-check';
import { parseAuthenticatorData } from '../../../shared/passkeys/authenticator-data';
import { decodeCbor } from '../../../shared/passkeys/cbor';
import { CeremonyError } from '../../../shared/passkeys/ceremony-error';
import { type CborValue, encodeCbor } from '../../setup/cbor';

const hex = (text: string) => Buffer.from(text, 'hex');
const bytes = (options?: { minLength?: number; maxLength?: number }) =>
  fc.uint8Array(options).map((array) => Buffer.from(array));

const value = fc.letrec<{ item: CborValue }>((tie) => ({
  item: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.integer({ min: -(2 ** 32), max: 2 ** 32 - 1 }),
    fc.string({ unit: 'grapheme' }),
    fc.boolean(),
    fc.constant(null),
    bytes({ maxLength: 300 }),
    fc.array(tie('item'), { maxLength: 30 }),
    fc
      .array(fc.tuple(fc.oneof(fc.integer({ min: -300, max: 300 }), fc.string()), tie('item')), {
        maxLength: 30,
      })
      .map((entries) => new Map(entries)),
  ),
})).item;

/** What hostile input may lead to: a value within the bytes, or this error. */
function decodeOrRefuse(input: Buffer): number | null {
  try {
    return decodeCbor(input).end;
  } catch (error) {
    if (error instanceof CeremonyError) return null;
    throw error;
  }
}

test('every value comes back as it was, wherever it is in the bytes', () => {
  fc.assert(
    fc.property(value, bytes({ maxLength: 8 }), (item, around) => {
      const encoded = encodeCbor(item);
      const all = Buffer.concat([around, encoded, around]);
      expect(decodeCbor(all, around.length)).toEqual({ value: item, end: around.length + encoded.length });
    }),
  );
});

test('cut anywhere, it is refused: nothing is read behind the end of a view', () => {
  fc.assert(
    fc.property(value, (item) => {
      const memory = Buffer.concat([encodeCbor(item), Buffer.alloc(400, 0x41)]);
      const { length } = encodeCbor(item);
      for (let end = 0; end < length; end += Math.ceil(length / 20))
        expect(decodeOrRefuse(memory.subarray(0, end))).toBeNull();
    }),
  );
});

test('random bytes are a value within them, or refused', () => {
  fc.assert(
    fc.property(bytes({ maxLength: 500 }), (input) => {
      expect(decodeOrRefuse(input) ?? 0).toBeLessThanOrEqual(input.length);
      try {
        parseAuthenticatorData(input);
      } catch (error) {
        expect(error).toBeInstanceOf(CeremonyError);
      }
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['a tag', 'c000'],
  ['a float', 'f97e00'],
  ['undefined', 'f7'],
  ['a reserved length', '1c'],
  ['a list of indefinite length', '9f00ff'],
  ['bytes of indefinite length', '5f4100ff'],
  ['a text that is no UTF-8', '61ff'],
  ['an integer beyond 2^53', '1b0020000000000000'],
  ['a map with a key twice', 'a200000001'],
  ['a map whose key is a list', 'a18000'],
  ['a list of 2^53 - 1 items', '9b001fffffffffffff'],
  ['a map of 2^32 - 1 entries', 'baffffffff'],
  ['bytes of 2^53 - 1', '5b001fffffffffffff'],
  ['nothing', ''],
])('%s is refused', (_name, encoded) => {
  expect(() => decodeCbor(hex(encoded))).toThrow(CeremonyError);
});

test('eight levels are the most', () => {
  const nested = (depth: number) => Buffer.concat([Buffer.alloc(depth - 1, 0x81), hex('00')]);
  expect(decodeCbor(nested(8)).end).toBe(8);
  expect(() => decodeCbor(nested(9))).toThrow(CeremonyError);
  expect(() => decodeCbor(Buffer.alloc(60_000, 0x81))).toThrow(CeremonyError);
});

import * as v from 'valibot';
import { exactly } from '../exactly';
import type { JsonObject } from '../exports/export-case';
import { HolderName } from './data-holder';

export type Outcome = 'erased' | 'exported' | 'nothing_held';

/** What a holder answers. Either `data` or `url` is there if it has exported something. */
export interface Answer {
  outcome: Outcome;
  data?: JsonObject | undefined;
  url?: string | undefined;
}

export const CaseId = v.pipe(v.string(), v.uuid());

const ExportedData = v.pipe(
  v.custom<JsonObject>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be a JSON object',
  ),
  v.metadata({ type: 'object' }),
);

const MAX_URL = 2_048;

const ExportedUrl = v.pipe(
  v.string(),
  v.maxLength(MAX_URL, `must have at most ${MAX_URL} characters`),
  v.check(isHttps, 'must be an https URL without a user'),
);

/** The person who follows it sees the host, and nothing before it that could pass for another. */
function isHttps(text: string): boolean {
  if (!/^https:\/\/[!-~]+$/.test(text) || !URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}

/** The body of a receipt by HTTP, where path and key say which case and whose it is. */
export const ReceiptBody = exactly({
  outcome: v.picklist(['erased', 'nothing_held'], 'must be erased or nothing_held'),
  holder: v.optional(HolderName),
});

/** Likewise, for an export. */
export const ExportReceiptBody = v.pipe(
  exactly({
    outcome: v.picklist(['exported', 'nothing_held'], 'must be exported or nothing_held'),
    data: v.optional(ExportedData),
    url: v.optional(ExportedUrl),
    holder: v.optional(HolderName),
  }),
  v.check(
    ({ outcome, data, url }) =>
      [data, url].filter((given) => given !== undefined).length === (outcome === 'exported' ? 1 : 0),
    'has either `data` or `url` if `outcome` is exported, and else neither',
  ),
);

const whose = { caseId: CaseId, holder: HolderName };

export const ReceiptWithoutData = v.object({ ...whose, outcome: v.picklist(['erased', 'nothing_held']) });
export const ReceiptWithData = v.object({ ...whose, outcome: v.literal('exported'), data: ExportedData });
export const ReceiptWithUrl = v.object({ ...whose, outcome: v.literal('exported'), url: ExportedUrl });

/** A receipt by AMQP. Unknown members are ignored, as consumers of events ignore them. */
export const ReceiptMessage = v.variant('outcome', [ReceiptWithoutData, ReceiptWithData, ReceiptWithUrl]);

import { ReceiptWithData, ReceiptWithoutData, ReceiptWithUrl } from '../../shared/erasure/receipt';
import { schemaOf } from '../openapi/json-schema';

const EXAMPLE = { caseId: '0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b', holder: 'crm' };

/** What data holders send to Rollcall, by the name of the message. */
export const RECEIPTS = {
  'receipt.without_data': {
    summary: 'To an erasure: the data is erased. To an erasure or an export: nothing is held',
    schema: schemaOf(ReceiptWithoutData),
    example: { ...EXAMPLE, outcome: 'erased' },
  },
  'receipt.with_data': {
    summary: 'To an export: the data, as a JSON object of at most 1 MiB',
    schema: schemaOf(ReceiptWithData),
    example: { ...EXAMPLE, outcome: 'exported', data: { orders: [{ id: 'A-17' }] } },
  },
  'receipt.with_url': {
    summary: 'To an export: where the user gets the data, after proving who they are',
    schema: schemaOf(ReceiptWithUrl),
    example: { ...EXAMPLE, outcome: 'exported', url: 'https://crm.example.com/my-data' },
  },
};

export type ReceiptName = keyof typeof RECEIPTS;

export const RECEIPT_NAMES = Object.keys(RECEIPTS) as ReceiptName[];

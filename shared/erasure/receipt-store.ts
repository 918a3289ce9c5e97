import { sql } from 'kysely';
import type { Tx } from '../db/connection';
import type { ReceivedBy } from './case-store';
import type { Outcome } from './receipt';

/** Where receipts are kept, by the kind of their case. */
const TABLES = { erasure: 'erasure_receipts', export: 'export_receipts' } as const;

export type CaseKind = keyof typeof TABLES;

interface Owed {
  kind: CaseKind;
  caseId: string;
  holder: string;
}

/** @returns `unknown` if the case does not await this holder, `repeated` if it has answered already */
export async function findOwed(
  tx: Tx,
  { kind, caseId, holder }: Owed,
): Promise<'awaited' | 'repeated' | 'unknown'> {
  const { rows } = await sql<{ is_answered: boolean }>`
    select received_at is not null as is_answered from ${sql.table(TABLES[kind])}
    where case_id = ${caseId} and holder = ${holder}`.execute(tx);
  const [owed] = rows;
  if (!owed) return 'unknown';
  return owed.is_answered ? 'repeated' : 'awaited';
}

/** Records an answer that is awaited. */
export async function markReceived(
  tx: Tx,
  { kind, caseId, holder }: Owed,
  { outcome, receivedBy, now }: { outcome: Outcome; receivedBy: ReceivedBy; now: Date },
): Promise<void> {
  await sql`
    update ${sql.table(TABLES[kind])}
    set outcome = ${outcome}, received_at = ${now}, received_by = ${receivedBy}
    where case_id = ${caseId} and holder = ${holder}`.execute(tx);
}

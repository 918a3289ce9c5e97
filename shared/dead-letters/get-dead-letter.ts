import type { Db } from '../db/connection';
import { DomainError } from '../errors';
import { type DeadLetter, findDeadLetter } from './dead-letter-store';

/** @throws DomainError `not_found` */
export async function getDeadLetter(db: Db, id: string): Promise<DeadLetter> {
  const letter = await findDeadLetter(db, id);
  if (!letter) throw new DomainError('not_found', { detail: 'There is no such dead letter' });
  return letter;
}

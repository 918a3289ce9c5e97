import type { DeadLetter } from '../types';

export const nameOf = ({ event }: DeadLetter): string => event?.type ?? 'no event';

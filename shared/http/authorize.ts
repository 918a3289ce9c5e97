import { DomainError } from '../errors';

interface Caller<P extends string> {
  user: { id: string };
  permissions: ReadonlySet<P>;
}

/** @throws DomainError `forbidden`: before anything is looked up, so that it tells nothing about what exists */
export function authorize<P extends string>(caller: Caller<P>, permission: P): void {
  if (!caller.permissions.has(permission)) {
    throw new DomainError('forbidden', { detail: `This needs the permission ${permission}` });
  }
}

/** As `authorize`, but one's own record needs no permission. @returns the user id that the path means, `me` resolved */
export function authorizeSelfOr<P extends string>(
  caller: Caller<P>,
  id: string | undefined,
  permission: P,
): string {
  if (id === 'me' || id?.toLowerCase() === caller.user.id) return caller.user.id;
  authorize(caller, permission);
  return id ?? '';
}

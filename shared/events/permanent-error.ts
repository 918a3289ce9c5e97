/** For a handler to throw where no further attempt can help: the event becomes a dead letter at once. */
export class PermanentError extends Error {
  override readonly name = 'PermanentError';
}

/** Node.js limits a timer to 31 bits of milliseconds; longer waits take several. */
const LONGEST = 2 ** 31 - 1;

/** A timer that can be set again and again. */
export class Timer {
  #handle: NodeJS.Timeout | undefined;
  #due: number | undefined;

  constructor(private readonly ring: () => void) {}

  /** Sets the time in milliseconds since 1970; undefined cancels. Setting the same time again costs nothing. */
  set(due: number | undefined): void {
    if (due === this.#due) return;
    clearTimeout(this.#handle);
    this.#due = due;
    if (due !== undefined) this.#wait(due);
  }

  #wait(due: number): void {
    const remaining = due - Date.now();
    this.#handle = setTimeout(
      () => {
        if (remaining > LONGEST) return this.#wait(due);
        this.#due = undefined;
        this.ring();
      },
      Math.min(Math.max(remaining, 0), LONGEST),
    );
  }
}

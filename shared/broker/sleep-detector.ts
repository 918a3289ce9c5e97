/**
 * Distinguishes a frozen container from an idle one: while a process runs, its timers fire.
 * @returns a function that returns true, once per sleep, if the process has slept for longer than `thresholdMs`
 */
export function createSleepDetector(thresholdMs: number): () => boolean {
  let lastTick = Date.now();
  let slept = false;
  const tick = () => {
    const now = Date.now();
    // Checked in both places: after a thaw, either the timer or the next request may come first.
    if (now - lastTick > thresholdMs) slept = true;
    lastTick = now;
  };
  setInterval(tick, thresholdMs / 4).unref();
  return () => {
    tick();
    const hasSlept = slept;
    slept = false;
    return hasSlept;
  };
}

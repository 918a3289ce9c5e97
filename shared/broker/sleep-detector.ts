/**
 * Tells a container that was frozen from one that had nothing to do: while a process runs, its timers fire.
 * @returns a function that says, once per sleep, whether the process has slept for longer than `thresholdMs`
 */
export function createSleepDetector(thresholdMs: number): () => boolean {
  let lastTick = Date.now();
  let slept = false;
  const tick = () => {
    const now = Date.now();
    // Looked at in both places: after a thaw, the timer or the next request may come first.
    if (now - lastTick > thresholdMs) slept = true;
    lastTick = now;
  };
  setInterval(tick, thresholdMs / 4).unref();
  return () => {
    tick();
    const answer = slept;
    slept = false;
    return answer;
  };
}

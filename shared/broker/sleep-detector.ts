export interface SleepDetector {
  /** True, once per sleep, if the process has slept for longer than the threshold. */
  hasSlept(): boolean;
  /** Ends its timer. */
  stop(): void;
}

/** Distinguishes a frozen container from an idle one: while a process runs, its timers fire. */
export function createSleepDetector(thresholdMs: number): SleepDetector {
  let lastTick = Date.now();
  let slept = false;
  const tick = () => {
    const now = Date.now();
    // Checked in both places: after a thaw, either the timer or the next request may come first.
    if (now - lastTick > thresholdMs) slept = true;
    lastTick = now;
  };
  const timer = setInterval(tick, thresholdMs / 4).unref();
  return {
    hasSlept: () => {
      tick();
      const hasSlept = slept;
      slept = false;
      return hasSlept;
    },
    stop: () => clearInterval(timer),
  };
}

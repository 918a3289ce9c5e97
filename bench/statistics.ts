/** Milliseconds of each run, `clients` at a time. */
export async function measure(runs: number, run: () => Promise<unknown>, clients = 1): Promise<number[]> {
  const times: number[] = [];
  let left = runs;
  const client = async () => {
    while (left-- > 0) {
      const startedAt = performance.now();
      await run();
      times.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return times.sort((a, b) => a - b);
}

/** Two in turn, so that what the machine does meanwhile happens to both. */
export async function measureInTurn(
  runs: number,
  a: () => Promise<unknown>,
  b: () => Promise<unknown>,
): Promise<[number[], number[]]> {
  const times: [number[], number[]] = [[], []];
  for (let i = 0; i < runs; i++) {
    times[0].push(...(await measure(1, a)));
    times[1].push(...(await measure(1, b)));
  }
  for (const list of times) list.sort((x, y) => x - y);
  return times;
}

/** @param sorted ascending */
export function percentile(sorted: number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function format(ms: number): string {
  return ms < 10 ? ms.toFixed(2) : ms.toFixed(1);
}

const WIDTH = 30;
const REDRAW_MS = 100;

export interface Progress {
  update(share: number, text: string): void;
  /** Prints a line above the bar. */
  line(text: string): void;
  end(): void;
}

/** A progress bar on a terminal; elsewhere, such as in a CI log, a line at every 10 %. */
export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  const clear = stream.isTTY ? '\r\x1b[K' : '';
  const startedAt = performance.now();
  let startedFrom: number | undefined;
  let drawnAt = 0;
  let tenths = 0;

  const left = (share: number) => {
    const gone = share - (startedFrom ?? share);
    if (gone <= 0) return '';
    const seconds = (((performance.now() - startedAt) / gone) * (1 - share)) / 1000;
    return `, ${Math.ceil(seconds)} s left`;
  };

  return {
    update(share, text) {
      startedFrom ??= share;
      if (stream.isTTY) {
        if (performance.now() - drawnAt < REDRAW_MS) return;
        drawnAt = performance.now();
        const bar = '█'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '░');
        stream.write(`${clear}${bar} ${Math.floor(share * 100)} %  ${text}${left(share)}`);
      } else if (Math.floor(share * 10) > tenths) {
        tenths = Math.floor(share * 10);
        stream.write(`${tenths * 10} %: ${text}${left(share)}\n`);
      }
    },
    line: (text) => void stream.write(`${clear}${text}\n`),
    end: () => void stream.write(clear),
  };
}

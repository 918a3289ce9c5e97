import { count } from '../format';

interface Bar {
  /** What the bar is about: a minute, a day. */
  label: string;
  value: number;
}

const WIDTH = 640;
const HEIGHT = 140;
const TOP = 16;

/** Bars with a common scale. The table behind it has the same numbers for screen readers. */
export function BarChart({ bars, title, unit }: { bars: Bar[]; title: string; unit: string }) {
  const max = Math.max(1, ...bars.map(({ value }) => value));
  const step = WIDTH / Math.max(1, bars.length);
  const total = bars.reduce((sum, { value }) => sum + value, 0);
  return (
    <figure class="chart">
      <figcaption>
        {title} <span class="hint">{`${count(total)} ${unit}, at most ${count(max)}`}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`${title}: ${count(total)} ${unit}`}
        preserveAspectRatio="none"
      >
        <line class="axis" x1={0} x2={WIDTH} y1={HEIGHT - 1} y2={HEIGHT - 1} />
        {bars.map(({ label, value }, index) => {
          const height = (value / max) * (HEIGHT - TOP);
          return (
            <rect
              key={label}
              x={index * step + step * 0.1}
              y={HEIGHT - height}
              width={step * 0.8}
              height={height}
            >
              <title>{`${label}: ${count(value)}`}</title>
            </rect>
          );
        })}
      </svg>
      <p class="chart-range" aria-hidden="true">
        <span>{bars[0]?.label}</span>
        <span>{bars.at(-1)?.label}</span>
      </p>
    </figure>
  );
}

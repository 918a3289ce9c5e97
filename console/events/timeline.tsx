import type { EventDetail } from '../types';
import { useNow } from '../ui/time';
import { type Lane, lanesOf, type Step } from './lanes';

const LEFT = 120;
const STEP = 150;
const LANE = 74;
const TOP = 34;
const RADIUS = 9;
const BEND = 12;
const SIGNS = { good: '✓', bad: '✕', busy: '…', quiet: '↻' } as const;
const MAX_TITLE = 24;

/** An event's way as a picture: from its commit to the broker, and on to each consumer. The table below it says the same. */
export function Timeline({ event }: { event: EventDetail }) {
  const now = useNow();
  const { trunk, branches } = lanesOf(event, now);
  const fork = LEFT + (trunk.steps.length - 1) * STEP;
  const turn = fork + STEP / 2;
  const columns = trunk.steps.length + Math.max(0, ...branches.map(({ steps }) => steps.length));
  const width = LEFT + columns * STEP;
  const height = TOP + (branches.length + 1) * LANE;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: so that it can be scrolled by keyboard
    <section class="timeline" tabIndex={0} aria-label="The event's way">
      <svg
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={summary(trunk, branches)}
      >
        <LaneLine lane={trunk} x={LEFT} y={TOP} />
        {branches.map((lane, index) => {
          const y = TOP + (index + 1) * LANE;
          return (
            <g key={lane.name}>
              <path
                class="branch"
                d={`M${fork + RADIUS} ${TOP} H${turn - BEND} Q${turn} ${TOP} ${turn} ${TOP + BEND} V${y - BEND} Q${turn} ${y} ${turn + BEND} ${y} H${fork + STEP - RADIUS}`}
              />
              <LaneLine lane={lane} x={fork + STEP} y={y} />
            </g>
          );
        })}
      </svg>
    </section>
  );
}

function LaneLine({ lane: { name, steps }, x, y }: { lane: Lane; x: number; y: number }) {
  return (
    <>
      <text class="lane-name" x={0} y={y + 4}>
        {name}
      </text>
      {steps.map((step, index) => (
        <g key={`${step.title}${index}`}>
          {index > 0 && (
            <path
              class={`branch ${step.tone}`}
              d={`M${x + (index - 1) * STEP + RADIUS} ${y} H${x + index * STEP - RADIUS}`}
            />
          )}
          <Node step={step} x={x + index * STEP} y={y} />
        </g>
      ))}
    </>
  );
}

function Node({ step: { tone, title, time, error }, x, y }: { step: Step; x: number; y: number }) {
  return (
    <g class={`node ${tone}`}>
      <title>{error ? `${title}, ${time}: ${error}` : `${title}, ${time}`}</title>
      <circle cx={x} cy={y} r={RADIUS} />
      <text class="sign" x={x} y={y + 4} text-anchor="middle">
        {SIGNS[tone]}
      </text>
      <text class="title" x={x} y={y + 26} text-anchor="middle">
        {title.length > MAX_TITLE ? `${title.slice(0, MAX_TITLE)}…` : title}
      </text>
      <text class="time" x={x} y={y + 41} text-anchor="middle">
        {time}
      </text>
    </g>
  );
}

function summary(trunk: Lane, branches: Lane[]): string {
  return [trunk, ...branches]
    .map(({ name, steps }) => `${name}: ${steps.map(({ title, time }) => `${title} ${time}`).join(', ')}`)
    .join('. ');
}

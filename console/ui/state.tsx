import type { ComponentChildren } from 'preact';

export type Tone = 'good' | 'busy' | 'bad' | 'quiet';

/** Not told by colour alone. */
const SIGNS: Record<Tone, string> = { good: '✓', busy: '…', bad: '✕', quiet: '·' };

export function State({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`state ${tone}`}>
      <span aria-hidden="true">{SIGNS[tone]}</span> {children}
    </span>
  );
}

import type { ComponentChildren } from 'preact';

export type Tone = 'good' | 'busy' | 'bad' | 'quiet';

/** The text says the state too, not only the colour. */
const SIGNS: Record<Tone, string> = { good: '✓', busy: '…', bad: '✕', quiet: '·' };

export function State({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`state ${tone}`}>
      <span aria-hidden="true">{SIGNS[tone]}</span> {children}
    </span>
  );
}

import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { appName } from './shell';

/**
 * One step of a page: its title is the page's, and its first field gets the focus, or else its heading, so that a screen
 * reader says where one is.
 */
export function Step({ title, children }: { title: string; children: ComponentChildren }) {
  const step = useRef<HTMLElement>(null);
  useEffect(() => {
    document.title = `${title} · ${appName}`;
    const start = step.current?.querySelector('input') ?? step.current?.querySelector('h1');
    start?.focus();
  }, [title]);
  return (
    <section ref={step}>
      <h1 tabIndex={-1}>{title}</h1>
      {children}
    </section>
  );
}

/** Back to the first step of a page. */
export function Back({ onClick }: { onClick: () => void }) {
  return (
    <p>
      <button type="button" class="link" onClick={onClick}>
        Start again
      </button>
    </p>
  );
}

import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Query } from '../use-query';
import { Button } from './button';

interface TitledProps {
  title: string;
  children: ComponentChildren;
  actions?: ComponentChildren;
}

/** A view: its heading gets the focus, so that a screen reader announces it. */
export function View({ title, children, actions }: TitledProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · ${document.body.dataset['app']} console`;
    heading.current?.focus();
  }, [title]);
  return (
    <>
      <header class="view-header">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {actions && <div class="actions">{actions}</div>}
      </header>
      {children}
    </>
  );
}

export function Section({ title, children, actions }: TitledProps) {
  return (
    <section class="section">
      <header>
        <h2>{title}</h2>
        {actions && <div class="actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

export function Failure({ error, retry }: { error: Error; retry?: () => void }) {
  return (
    <div class="failure" role="alert">
      <p>{error instanceof TypeError ? 'The server cannot be reached.' : error.message}</p>
      {retry && <Button onClick={retry}>Try again</Button>}
    </div>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** What a query has brought: its data, or that it is on its way, or why it failed. */
export function Loaded<T>({
  query,
  children,
}: {
  query: Query<T>;
  children: (data: T) => ComponentChildren;
}) {
  const { data, error, reload } = query;
  return (
    <>
      {error && <Failure error={error} retry={reload} />}
      {data !== undefined ? children(data) : !error && <p class="loading">Loading …</p>}
    </>
  );
}

export function Json({ value, label }: { value: unknown; label: string }) {
  return <Code label={label}>{JSON.stringify(value, null, 2)}</Code>;
}

/** Text with its line breaks, which can be scrolled by keyboard. */
export function Code({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: so that it can be scrolled by keyboard
    <section class="code" aria-label={label} tabIndex={0}>
      <pre>{children}</pre>
    </section>
  );
}

export function Facts({ facts }: { facts: [name: string, value: ComponentChildren][] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

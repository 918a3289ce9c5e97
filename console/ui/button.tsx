import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useNotify } from './notify';

interface ButtonProps {
  children: ComponentChildren;
  /** While it runs, the button is busy. What it throws is shown. */
  onClick: () => unknown;
  kind?: 'primary' | 'danger' | 'plain';
  disabled?: boolean;
  title?: string;
}

export function Button({ children, onClick, kind = 'plain', disabled = false, title }: ButtonProps) {
  const [isBusy, setBusy] = useState(false);
  const notify = useNotify();
  const run = async () => {
    if (isBusy) return;
    setBusy(true);
    try {
      await onClick();
    } catch (error) {
      notify(error instanceof Error ? error : new Error(String(error)));
    } finally {
      setBusy(false);
    }
  };
  return (
    <button
      type="button"
      class={`button ${kind}`}
      onClick={run}
      disabled={disabled}
      aria-busy={isBusy}
      title={title}
    >
      {children}
    </button>
  );
}

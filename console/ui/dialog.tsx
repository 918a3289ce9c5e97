import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Form } from './fields';

interface DialogProps {
  title: string;
  children: ComponentChildren;
  onClose: () => void;
}

/** Modal: the browser keeps the focus inside and gives it back. Escape closes it. */
export function Dialog({ title, children, onClose }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

interface ActionProps {
  /** The text of the button that opens it. */
  label: string;
  title?: string;
  /** The text of the button that does it. */
  submit?: string;
  kind?: 'primary' | 'danger';
  disabled?: boolean;
  /** Called whenever it is closed, done or not. */
  onClose?: () => void;
  children: ComponentChildren;
  onSubmit: () => Promise<unknown>;
}

/** A button for an action that needs a confirmation or some fields first. */
export function Action({
  label,
  title = label,
  submit = label,
  kind = 'primary',
  disabled,
  children,
  onSubmit,
  onClose,
}: ActionProps) {
  const [isOpen, setOpen] = useState(false);
  const close = () => {
    setOpen(false);
    onClose?.();
  };
  const send = async () => {
    await onSubmit();
    close();
  };
  return (
    <>
      <button
        type="button"
        class={`button ${kind === 'danger' ? 'danger' : ''}`}
        disabled={disabled}
        onClick={() => setOpen(true)}
      >
        {label}
      </button>
      {isOpen && (
        <Dialog title={title} onClose={close}>
          <Form submit={submit} kind={kind} onSubmit={send} onCancel={close}>
            {children}
          </Form>
        </Dialog>
      )}
    </>
  );
}

import { type ComponentChildren, h } from 'preact';
import { useId, useState } from 'preact/hooks';
import { ApiError } from '../session';
import { Failure } from './content';

interface FieldProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
  type?: 'text' | 'email' | 'password' | 'search' | 'url' | 'datetime-local';
  autocomplete?: string;
  required?: boolean;
  hint?: string;
  options?: readonly (string | [value: string, label: string])[];
}

/** A labelled input, or a choice if it has options. */
export function Field({ label, value, onInput, options, hint, ...attributes }: FieldProps) {
  const id = useId();
  const shared = { id, value, ...(hint && { 'aria-describedby': `${id}-hint` }) };
  return (
    <p class="field">
      <label for={id}>{label}</label>
      {options ? (
        <select {...shared} onChange={(event) => onInput(event.currentTarget.value)}>
          {options.map((option) => {
            const [key, text] = typeof option === 'string' ? [option, option] : option;
            return (
              <option key={key} value={key}>
                {text}
              </option>
            );
          })}
        </select>
      ) : (
        h('input', {
          ...shared,
          ...attributes,
          onInput: (event: Event) => onInput((event.currentTarget as HTMLInputElement).value),
        })
      )}
      {hint && (
        <small id={`${id}-hint`} class="hint">
          {hint}
        </small>
      )}
    </p>
  );
}

/** A choice of several. */
export function Choices<T extends string>({
  legend,
  options,
  chosen,
  onChange,
}: {
  legend: string;
  options: readonly T[];
  chosen: readonly T[];
  onChange: (chosen: T[]) => void;
}) {
  const toggle = (option: T) =>
    onChange(chosen.includes(option) ? chosen.filter((one) => one !== option) : [...chosen, option]);
  return (
    <fieldset>
      <legend>{legend}</legend>
      {options.map((option) => (
        <Check
          key={option}
          label={option}
          checked={chosen.includes(option)}
          onChange={() => toggle(option)}
        />
      ))}
    </fieldset>
  );
}

export function Check({ label, ...input }: { label: string; checked: boolean; onChange: () => void }) {
  return (
    <label class="check">
      <input type="checkbox" {...input} />
      {label}
    </label>
  );
}

interface FormProps {
  children: ComponentChildren;
  submit: string;
  onSubmit: () => Promise<unknown>;
  kind?: 'primary' | 'danger';
  onCancel?: () => void;
}

/** Sends by the button or Enter. An error stays beside what was typed until the next attempt. */
export function Form({ children, submit, onSubmit, kind = 'primary', onCancel }: FormProps) {
  const [error, setError] = useState<Error>();
  const [isBusy, setBusy] = useState(false);
  const send = async (event: Event) => {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    setError(undefined);
    try {
      await onSubmit();
    } catch (failure) {
      setError(failure as Error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="form" onSubmit={send}>
      {children}
      {error && <Failure error={error} />}
      {error instanceof ApiError && error.problem.errors && (
        <ul class="problems">
          {error.problem.errors.map(({ path, message }) => (
            <li key={path + message}>
              {path && <code>{path}</code>} {message}
            </li>
          ))}
        </ul>
      )}
      <p class="actions">
        <button type="submit" class={`button ${kind}`} aria-busy={isBusy}>
          {submit}
        </button>
        {onCancel && (
          <button type="button" class="button" onClick={onCancel}>
            Cancel
          </button>
        )}
      </p>
    </form>
  );
}

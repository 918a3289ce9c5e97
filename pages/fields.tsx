import { type ComponentChildren, createContext, h } from 'preact';
import { useContext, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from './api';

/** What is wrong with the fields of a form, by their names. */
const Problems = createContext<Record<string, string>>({});

interface FieldProps {
  label: string;
  name: string;
  /** What browsers and password managers fill in (HTML, section 4.10.18.7). */
  autocomplete: AutoFill;
  type?: 'text' | 'email' | 'password';
  inputMode?: 'numeric';
  hint?: string;
  value?: string;
  required?: boolean;
}

/** The browser keeps what is typed, and password managers fill it in, so no script is in their way. */
export function Field({ label, name, hint, type = 'text', required = true, value, ...input }: FieldProps) {
  const problem = useContext(Problems)[name];
  const [isShown, setShown] = useState(false);
  const id = useId();
  const described = [problem && `${id}-problem`, hint && `${id}-hint`].filter(Boolean).join(' ');
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="input">
        {h('input', {
          id,
          name,
          type: isShown ? 'text' : type,
          required,
          defaultValue: value,
          autocapitalize: 'none',
          spellcheck: false,
          'aria-invalid': problem ? true : undefined,
          'aria-describedby': described || undefined,
          ...input,
        })}
        {type === 'password' && (
          <button
            type="button"
            aria-label={`${isShown ? 'Hide' : 'Show'} ${label.toLowerCase()}`}
            onClick={() => setShown(!isShown)}
          >
            {isShown ? 'Hide' : 'Show'}
          </button>
        )}
      </div>
      {problem && (
        <p id={`${id}-problem`} class="problem">
          {label} {problem}.
        </p>
      )}
      {hint && (
        <p id={`${id}-hint`} class="hint">
          {hint}
        </p>
      )}
    </div>
  );
}

interface FormProps {
  submit: string;
  kind?: 'primary' | 'secondary';
  children?: ComponentChildren;
  /** Gets what was typed, by the names of the fields. What it throws is shown. */
  onSubmit: (values: Record<string, string>) => Promise<unknown>;
}

/** Sends by the button or Enter. After an error, what was typed stays, and the first field that is wrong gets the focus. */
export function Form({ submit, kind = 'primary', children, onSubmit }: FormProps) {
  const [failure, setFailure] = useState<Failure>();
  const [isBusy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => {
    if (failure) form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus();
  }, [failure]);
  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isBusy || !form.current) return;
    setBusy(true);
    setFailure(undefined);
    const typed = [...new FormData(form.current)].map(([name, value]) => [name, String(value)]);
    const values: Record<string, string> = Object.fromEntries(typed);
    try {
      await onSubmit(values);
    } catch (error) {
      setFailure(failureOf(error, values));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form ref={form} onSubmit={send}>
      <div role="alert">{failure && <p class="failure">{failure.message}</p>}</div>
      <Problems.Provider value={failure?.problems ?? {}}>{children}</Problems.Provider>
      <button type="submit" class={kind} aria-busy={isBusy}>
        {submit}
      </button>
    </form>
  );
}

interface Failure {
  message: string;
  /** By the names of the fields. */
  problems: Record<string, string>;
}

const TAKEN: Record<string, string> = { username_taken: 'username', email_taken: 'email' };

/** What is wrong with which field, and what else there is to say. */
function failureOf(error: unknown, values: Record<string, string>): Failure {
  const { code = '', errors = [] } = error instanceof ApiError ? error.problem : {};
  const taken = TAKEN[code] ?? '';
  const all = taken ? [{ path: taken, message: 'is taken' }] : errors;
  const marked = all.filter(({ path }) => path in values);
  const message = marked.length < all.length || all.length === 0 ? messageOf(error) : MARKED;
  return { message, problems: Object.fromEntries(marked.map(({ path, message }) => [path, message])) };
}

const MARKED = 'Please correct what is marked below.';

/** What went wrong, as a person reads it. */
export function messageOf(error: unknown): string {
  if (error instanceof DOMException) return 'No passkey was used. Try again, or choose another way.';
  if (!(error instanceof ApiError)) return 'We could not reach the server. Please try again in a moment.';
  const { code, errors = [] } = error.problem;
  if (code === 'invalid_token') return 'This link was used before, or has expired.';
  if (code === 'rate_limited') return `There were too many attempts. ${error.message}.`;
  if (code !== 'invalid_request' || errors.length === 0) return `${error.message}.`;
  return `Please correct this: ${errors.map(({ path, message }) => `${path} ${message}`).join(', ')}.`;
}

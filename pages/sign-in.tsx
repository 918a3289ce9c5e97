import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ApiError, codeOf, post, type Session } from './api';
import { Field, Form, messageOf } from './fields';
import { Finish } from './finish';
import { askForPasskey, canSuggestPasskeys, hasPasskeys, stopAsking } from './passkeys';
import { type Attempt, type Challenge, SecondFactor } from './second-factor';
import { hasEmailLogin } from './shell';
import { Back, Step } from './step';
import { isForConsole, linkTo } from './target';

type State =
  | { step: 'password'; notice?: string }
  | { step: 'email'; email: string }
  | { step: 'mailed'; email: string; emailToken: string }
  | { step: 'factor'; challenge: Challenge }
  | { step: 'signed-in'; session: Session };

const TOO_LATE = 'This took too long, or there were too many attempts. Please sign in again.';

interface SignInProps {
  /** What follows. Default: the way back to the app. */
  onSignedIn?: (session: Session) => ComponentChildren;
}

export function SignIn({ onSignedIn = (session) => <Finish session={session} /> }: SignInProps) {
  const [state, setState] = useState<State>({ step: 'password' });
  const attempt: Attempt = async (path, body) => {
    try {
      setState({ step: 'signed-in', session: await post<Session>(path, body) });
    } catch (error) {
      const { factorToken, factors } = error instanceof ApiError ? error.problem : {};
      if (factorToken && factors) setState({ step: 'factor', challenge: { factorToken, factors } });
      // The proof of the first step has expired, or another tab has used it.
      else if (codeOf(error) === 'invalid_token') setState({ step: 'password', notice: TOO_LATE });
      else throw error;
    }
  };
  const restart = () => setState({ step: 'password' });
  switch (state.step) {
    case 'signed-in':
      return <>{onSignedIn(state.session)}</>;
    case 'factor':
      return <SecondFactor challenge={state.challenge} attempt={attempt} restart={restart} />;
    case 'mailed':
      return <MailedCode {...state} attempt={attempt} restart={restart} />;
    case 'email':
      return <AskForMail email={state.email} onSent={setState} restart={restart} />;
    case 'password':
      return (
        <Password
          attempt={attempt}
          notice={state.notice}
          onEmail={(email) => setState({ step: 'email', email })}
        />
      );
  }
}

interface PasswordProps {
  attempt: Attempt;
  notice: string | undefined;
  onEmail: (email: string) => void;
}

function Password({ attempt, notice, onEmail }: PasswordProps) {
  const problem = useSuggestedPasskey(attempt) ?? notice;
  return (
    <Step title="Sign in">
      {problem && (
        <p class="failure" role="alert">
          {problem}
        </p>
      )}
      <Form
        submit="Sign in"
        onSubmit={({ username = '', password }) => attempt('login', { ...nameOf(username), password })}
      >
        <Field label="Username or email address" name="username" autocomplete="username webauthn" />
        <Field label="Password" name="password" type="password" autocomplete="current-password" />
      </Form>
      <p>
        <a href={linkTo('forgot-password')}>Forgot your password?</a>
      </p>
      {hasPasskeys && (
        <Form
          kind="secondary"
          submit="Sign in with a passkey"
          onSubmit={async () => logInWith(await askForPasskey(), attempt)}
        />
      )}
      {hasEmailLogin && (
        <Form kind="secondary" submit="Email me a code" onSubmit={async () => onEmail(typedAddress())} />
      )}
      {isForConsole ? (
        <p class="hint">
          Under <code>npm start</code> the terminal shows the administrator's password at the first start.
        </p>
      ) : (
        <p>
          New here? <a href={linkTo('sign-up')}>Create an account</a>
        </p>
      )}
    </Step>
  );
}

const nameOf = (name: string) => (name.includes('@') ? { email: name } : { username: name.trim() });

const logInWith = (assertion: unknown, attempt: Attempt) => attempt('login/passkey', { assertion });

/** Has the browser offer passkeys in the autofill of the username. @returns what went wrong with the chosen one */
function useSuggestedPasskey(attempt: Attempt): string | undefined {
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    const suggest = async () => {
      const assertion = await askForPasskey({ isSuggestion: true });
      await logInWith(assertion, attempt).catch((error: unknown) => setProblem(messageOf(error)));
    };
    // Errors are ignored here: the person has not asked for a passkey.
    canSuggestPasskeys()
      .then((can) => (can ? suggest() : undefined))
      .catch(() => {});
    return stopAsking;
  }, []);
  return problem;
}

function typedAddress(): string {
  const typed = document.querySelector<HTMLInputElement>('[name=username]')?.value ?? '';
  return typed.includes('@') ? typed : '';
}

interface AskForMailProps {
  email: string;
  onSent: (state: State) => void;
  restart: () => void;
}

function AskForMail({ email: known, onSent, restart }: AskForMailProps) {
  const send = async ({ email = '' }: Record<string, string>) => {
    const { emailToken } = await post<{ emailToken: string }>('login/email', { email });
    onSent({ step: 'mailed', email, emailToken });
  };
  return (
    <Step title="Sign in by email">
      <p>We will send a code to your email address.</p>
      <Form submit="Send the code" onSubmit={send}>
        <Field label="Email address" name="email" type="email" autocomplete="email" value={known} />
      </Form>
      <Back onClick={restart} />
    </Step>
  );
}

interface MailedCodeProps {
  email: string;
  emailToken: string;
  attempt: Attempt;
  restart: () => void;
}

function MailedCode({ email, emailToken, attempt, restart }: MailedCodeProps) {
  return (
    <Step title="Enter the code from your email">
      <p>If {email} belongs to an account, a code is on its way there.</p>
      <Form
        submit="Sign in"
        onSubmit={({ code = '' }) => attempt('login/email/verify', { emailToken, code: code.trim() })}
      >
        <Field label="Code" name="code" autocomplete="one-time-code" />
      </Form>
      <Back onClick={restart} />
    </Step>
  );
}

import { useState } from 'preact/hooks';
import { ApiError, logIn, sendCode } from '../session';
import { View } from '../ui/content';
import { Field, Form } from '../ui/fields';

export function Login({ onLogin }: { onLogin: () => Promise<void> }) {
  const [factorToken, setFactorToken] = useState<string>();
  return (
    <main class="login">
      <View title="Log in">
        {factorToken === undefined ? (
          <PasswordStep onLogin={onLogin} onFactor={setFactorToken} />
        ) : (
          <CodeStep factorToken={factorToken} onLogin={onLogin} onCancel={() => setFactorToken(undefined)} />
        )}
      </View>
    </main>
  );
}

function PasswordStep({
  onLogin,
  onFactor,
}: {
  onLogin: () => Promise<void>;
  onFactor: (factorToken: string) => void;
}) {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const submit = async () => {
    try {
      await logIn(name.trim(), password);
    } catch (error) {
      const token = error instanceof ApiError ? error.problem.factorToken : undefined;
      if (token === undefined) throw error;
      return onFactor(token);
    }
    await onLogin();
  };
  return (
    <>
      <Form submit="Log in" onSubmit={submit}>
        <Field
          label="Username or email address"
          value={name}
          onInput={setName}
          autocomplete="username"
          required
        />
        <Field
          label="Password"
          type="password"
          value={password}
          onInput={setPassword}
          autocomplete="current-password"
          required
        />
      </Form>
      <p class="hint">
        Under <code>npm start</code> the terminal shows the administrator's password at the first start.
      </p>
    </>
  );
}

function CodeStep({
  factorToken,
  onLogin,
  onCancel,
}: {
  factorToken: string;
  onLogin: () => Promise<void>;
  onCancel: () => void;
}) {
  const [code, setCode] = useState('');
  const submit = async () => {
    try {
      await sendCode(factorToken, code.trim());
    } catch (error) {
      // Five minutes have passed.
      if (error instanceof ApiError && error.problem.code === 'invalid_token') return onCancel();
      throw error;
    }
    await onLogin();
  };
  return (
    <Form submit="Log in" onSubmit={submit} onCancel={onCancel}>
      <Field
        label="Code"
        value={code}
        onInput={setCode}
        autocomplete="one-time-code"
        hint="From your authenticator app, or one of your recovery codes."
        required
      />
    </Form>
  );
}

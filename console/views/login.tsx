import { useState } from 'preact/hooks';
import { logIn } from '../session';
import { View } from '../ui/content';
import { Field, Form } from '../ui/fields';

export function Login({ onLogin }: { onLogin: () => Promise<void> }) {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const submit = async () => {
    await logIn(name.trim(), password);
    await onLogin();
  };
  return (
    <main class="login">
      <View title="Log in">
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
      </View>
    </main>
  );
}

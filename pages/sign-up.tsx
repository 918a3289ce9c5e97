import { useRef, useState } from 'preact/hooks';
import { post, type Session } from './api';
import { Field, Form } from './fields';
import { Finish } from './finish';
import { hasEmailLogin, requiresEmail } from './shell';
import { Step } from './step';
import { linkTo } from './target';

export function SignUp() {
  const [registered, setRegistered] = useState<{ session: Session; email: string }>();
  // The same key for the same attempt: whoever sends it again, because the answer got lost, is not told that the name is taken.
  const attempt = useRef({ body: '', key: '' });
  const register = async ({ username = '', email = '', password = '' }: Record<string, string>) => {
    const body = { username: username.trim(), ...(email && { email }), ...(password && { password }) };
    const text = JSON.stringify(body);
    if (attempt.current.body !== text) attempt.current = { body: text, key: newKey() };
    const session = await post<Session>('register', body, { 'idempotency-key': attempt.current.key });
    setRegistered({ session, email });
  };
  if (registered) {
    const { session, email } = registered;
    const notice = email && `We sent a link to ${email}. Open it to confirm your address.`;
    return <Finish session={session} notice={notice} />;
  }
  return (
    <Step title="Create an account">
      <Form submit="Create account" onSubmit={register}>
        <Field label="Username" name="username" autocomplete="username" />
        <Field
          label={requiresEmail ? 'Email address' : 'Email address (optional)'}
          name="email"
          type="email"
          autocomplete="email"
          required={requiresEmail}
        />
        <Field
          label={hasEmailLogin ? 'Password (optional)' : 'Password'}
          name="password"
          type="password"
          autocomplete="new-password"
          required={!hasEmailLogin}
          hint={`At least 8 characters.${hasEmailLogin ? ' Without one, we email you a code whenever you sign in.' : ''}`}
        />
      </Form>
      <p>
        Do you have an account? <a href={linkTo('sign-in')}>Sign in</a>
      </p>
    </Step>
  );
}

/** 128 random bits. `randomUUID` is for pages over TLS only. */
function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}

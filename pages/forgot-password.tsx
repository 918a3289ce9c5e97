import { useState } from 'preact/hooks';
import { post } from './api';
import { Field, Form } from './fields';
import { Step } from './step';
import { linkTo } from './target';

export function ForgotPassword() {
  const [sentTo, setSentTo] = useState<string>();
  const send = async ({ email = '' }: Record<string, string>) => {
    await post('forgot-password', { email });
    setSentTo(email);
  };
  const back = (
    <p>
      <a href={linkTo('sign-in')}>Back to sign in</a>
    </p>
  );
  if (sentTo !== undefined)
    return (
      <Step title="Check your email">
        <p>If {sentTo} belongs to an account, a link to choose a new password is on its way there.</p>
        {back}
      </Step>
    );
  return (
    <Step title="Reset your password">
      <p>We will send you a link to choose a new one.</p>
      <Form submit="Send the link" onSubmit={send}>
        <Field label="Email address" name="email" type="email" autocomplete="email" />
      </Form>
      {back}
    </Step>
  );
}

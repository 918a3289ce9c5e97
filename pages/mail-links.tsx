import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { post } from './api';
import { Field, Form } from './fields';
import { pageName } from './shell';
import { Step } from './step';
import { linkTo, takeToken } from './target';

export function VerifyEmail() {
  return (
    <MailLink title="Confirm your email address" submit="Confirm" done="Your email address is confirmed.">
      <p>Press the button to confirm that this address is yours.</p>
    </MailLink>
  );
}

export function ResetPassword() {
  return (
    <MailLink
      title="Choose a new password"
      submit="Set password"
      done="Your password was changed. You can now sign in."
    >
      <NewPassword />
    </MailLink>
  );
}

export function UndoEmailChange() {
  return (
    <MailLink
      title="Keep your email address"
      submit="Keep my email address"
      done="Your email address was kept and your password was changed. You can now sign in."
    >
      <p>
        Someone who knows your password requested a different email address. Set a new password to keep yours.
        You will be signed out on all devices.
      </p>
      <NewPassword />
    </MailLink>
  );
}

function NewPassword() {
  return (
    <Field
      label="New password"
      name="password"
      type="password"
      autocomplete="new-password"
      hint="At least 8 characters."
    />
  );
}

interface MailLinkProps {
  title: string;
  submit: string;
  /** What there is to say afterwards. */
  done: string;
  children: ComponentChildren;
}

/**
 * A page that a link in a mail leads to. It posts the token, and what is typed, to its own path when the button is pressed,
 * and not before: mail scanners open links too.
 */
function MailLink({ title, submit, done, children }: MailLinkProps) {
  const [token] = useState(takeToken);
  const [isDone, setDone] = useState(false);
  if (token === null)
    return (
      <Step title="This page needs a link">
        <p>Please open the link in our email again.</p>
      </Step>
    );
  if (isDone)
    return (
      <Step title="Done">
        <p role="status">{done}</p>
        <p>
          <a href={linkTo('sign-in')}>Sign in</a>
        </p>
      </Step>
    );
  const send = async (values: Record<string, string>) => {
    await post(pageName, { token, ...values });
    setDone(true);
  };
  return (
    <Step title={title}>
      <Form submit={submit} onSubmit={send}>
        {children}
      </Form>
    </Step>
  );
}

import { useEffect, useState } from 'preact/hooks';
import { askForPasskey, hasPasskeys } from '../../pages/passkeys';
import { codeFactor } from '../../pages/second-factor';
import { stepUp, whenProofIsNeeded } from '../session';
import { Button } from './button';
import { Dialog } from './dialog';
import { Field, Form } from './fields';

/** Asks for a recent proof when a request needs one. The request then continues. */
export function StepUp() {
  const [answer, setAnswer] = useState<(isProven: boolean) => void>();
  useEffect(() => {
    let asking: Promise<boolean> | undefined;
    whenProofIsNeeded(() => {
      // One question for all requests that wait for it.
      asking ??= new Promise<boolean>((resolve) => setAnswer(() => resolve)).finally(() => {
        asking = undefined;
        setAnswer(undefined);
      });
      return asking;
    });
  }, []);
  return answer ? <Question answer={answer} /> : null;
}

function Question({ answer }: { answer: (isProven: boolean) => void }) {
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const cancel = () => answer(false);
  const prove = async (proof: object) => {
    await stepUp(proof);
    answer(true);
  };
  return (
    <Dialog title="Confirm that it is you" onClose={cancel}>
      <p>This needs a sign-in of the last minutes. Then it goes on.</p>
      <Form
        submit="Continue"
        onCancel={cancel}
        onSubmit={() => prove({ ...(password && { password }), ...(code && codeFactor(code.trim())) })}
      >
        <Field
          label="Password"
          type="password"
          value={password}
          onInput={setPassword}
          autocomplete="current-password"
        />
        <Field
          label="Code"
          value={code}
          onInput={setCode}
          autocomplete="one-time-code"
          hint="If you have a second factor: from your authenticator app, or a recovery code."
        />
      </Form>
      {hasPasskeys && (
        <p class="actions">
          <Button onClick={async () => prove({ assertion: await askForPasskey() })}>Use a passkey</Button>
        </p>
      )}
    </Dialog>
  );
}

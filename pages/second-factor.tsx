import { Field, Form } from './fields';
import { askForPasskey, hasPasskeys } from './passkeys';
import { Back, Step } from './step';

/** Tries to sign in: on to what comes next, or throws. */
export type Attempt = (path: string, body: unknown) => Promise<void>;

export interface Challenge {
  factorToken: string;
  /** What can be sent: `totp`, `recovery_code`, `passkey`. */
  factors: readonly string[];
}

interface SecondFactorProps {
  challenge: Challenge;
  attempt: Attempt;
  restart: () => void;
}

/** The second step of a login: a code, or a passkey. */
export function SecondFactor({ challenge, attempt, restart }: SecondFactorProps) {
  const { factorToken, factors } = challenge;
  const send = (factor: object) => attempt('login/factor', { factorToken, ...factor });
  const hasCode = factors.some((factor) => factor !== 'passkey');
  return (
    <Step title="Confirm that it is you">
      {hasCode && (
        <Form submit="Continue" onSubmit={({ code = '' }) => send(codeFactor(code.trim()))}>
          <Field label="Code" name="code" autocomplete="one-time-code" hint={hintOf(factors)} />
        </Form>
      )}
      {factors.includes('passkey') && hasPasskeys && (
        <Form
          kind={hasCode ? 'secondary' : 'primary'}
          submit="Use a passkey"
          onSubmit={async () => send({ type: 'passkey', assertion: await askForPasskey() })}
        />
      )}
      <Back onClick={restart} />
    </Step>
  );
}

/** A code of six digits is an authenticator app's, any other a recovery code. */
export function codeFactor(code: string): { type: 'totp' | 'recovery_code'; code: string } {
  return { type: /^\d{3}\s?\d{3}$/.test(code) ? 'totp' : 'recovery_code', code };
}

function hintOf(factors: readonly string[]): string {
  if (!factors.includes('totp')) return 'One of your recovery codes.';
  return factors.includes('recovery_code')
    ? 'From your authenticator app, or one of your recovery codes.'
    : 'From your authenticator app.';
}

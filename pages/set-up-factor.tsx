import { useState } from 'preact/hooks';
import { bearer, type NewTotp, post, type RecoveryCodes, type Session } from './api';
import { Field, Form } from './fields';
import { addPasskey, hasPasskeys } from './passkeys';
import { Step } from './step';

type State = { step: 'choose' } | { step: 'app'; totp: NewTotp } | { step: 'codes'; codes: string[] };

interface SetUpFactorProps {
  session: Session;
  onDone: () => void;
}

/** For users whose role requires a second factor that they lack. */
export function SetUpFactor({ session, onDone }: SetUpFactorProps) {
  const [state, setState] = useState<State>({ step: 'choose' });
  const send = <T,>(path: string, body?: unknown) => post<T>(`users/me/${path}`, body, bearer(session));
  const showCodes = async () =>
    setState({ step: 'codes', codes: (await send<RecoveryCodes>('recovery-codes')).codes });
  switch (state.step) {
    case 'choose':
      return (
        <Choice
          onApp={async () => setState({ step: 'app', totp: await send<NewTotp>('totp') })}
          onPasskey={async () => {
            await addPasskey(session);
            await showCodes();
          }}
        />
      );
    case 'app':
      return (
        <AuthenticatorApp
          totp={state.totp}
          onCode={async (code) => {
            await send('totp/confirm', { code });
            await showCodes();
          }}
        />
      );
    case 'codes':
      return <Codes codes={state.codes} onDone={onDone} />;
  }
}

function Choice({ onApp, onPasskey }: { onApp: () => Promise<void>; onPasskey: () => Promise<void> }) {
  return (
    <Step title="Set up a second factor">
      <p>Your role requires one: an app on your phone that shows codes, or a passkey.</p>
      <Form submit="Use an authenticator app" onSubmit={onApp} />
      {hasPasskeys && <Form kind="secondary" submit="Create a passkey" onSubmit={onPasskey} />}
    </Step>
  );
}

function AuthenticatorApp({ totp, onCode }: { totp: NewTotp; onCode: (code: string) => Promise<void> }) {
  const { qrCode, uri, secret } = totp;
  return (
    <Step title="Add this account to your app">
      <p>
        Scan the code with your authenticator app, <a href={uri}>open the app</a> on this device, or type in
        the key.
      </p>
      <img
        class="qr-code"
        src={`data:image/svg+xml,${encodeURIComponent(qrCode)}`}
        alt="QR code of the key below"
        width="200"
        height="200"
      />
      <p>
        Key: <code>{secret}</code>
      </p>
      <Form submit="Continue" onSubmit={({ code = '' }) => onCode(code)}>
        <Field
          label="Code"
          name="code"
          autocomplete="one-time-code"
          inputMode="numeric"
          hint="The six digits that the app shows now."
        />
      </Form>
    </Step>
  );
}

function Codes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  return (
    <Step title="Save your recovery codes">
      <p>
        Each of them signs you in once if you lose your app or passkey. Keep them in a safe place: they are
        not shown again.
      </p>
      <ol class="codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      {'clipboard' in navigator && (
        <Form
          kind="secondary"
          submit="Copy the codes"
          onSubmit={() => navigator.clipboard.writeText(codes.join('\n'))}
        />
      )}
      <Form submit="I have saved them" onSubmit={async () => onDone()} />
    </Step>
  );
}

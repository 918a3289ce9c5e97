import { useEffect, useState } from 'preact/hooks';
import { bearer, codeOf, post, type Session } from './api';
import { Form, messageOf } from './fields';
import { SetUpFactor } from './set-up-factor';
import { Back, Step } from './step';
import { goToTarget, isForConsole, linkTo, type Target, target } from './target';

interface FinishProps {
  session: Session;
  /** A message for people who stay on this page. */
  notice?: string;
}

/** What follows a login: the way back to the app, or, without one, that it has worked. */
export function Finish({ session, notice }: FinishProps) {
  return target ? (
    <GoBack session={session} target={target} />
  ) : (
    <SignedIn session={session} notice={notice} />
  );
}

type State = { is: 'going'; url?: string } | { is: 'set-up' } | { is: 'failed'; message: string };

function GoBack({ session, target: to }: { session: Session; target: Target }) {
  const [state, setState] = useState<State>({ is: 'going' });
  const go = () => {
    setState({ is: 'going' });
    goToTarget(session, to)
      .then((url) => setState({ is: 'going', url }))
      .catch((error: unknown) =>
        setState(
          codeOf(error) === 'second_factor_setup_required'
            ? { is: 'set-up' }
            : { is: 'failed', message: messageOf(error) },
        ),
      );
  };
  useEffect(go, []);
  switch (state.is) {
    case 'set-up':
      return <SetUpFactor session={session} onDone={go} />;
    case 'failed':
      return (
        <Step title="We couldn't take you back to the app">
          <p class="failure" role="alert">
            {state.message}
          </p>
          <Back onClick={() => location.reload()} />
        </Step>
      );
    case 'going':
      return (
        <Step title="You are signed in">
          <p role="status">We are taking you back.</p>
          {/* Some browsers open an app only when they are told to. */}
          {state.url && isOfApp(state.url) && (
            <p>
              <a href={state.url}>Open the app</a>
            </p>
          )}
        </Step>
      );
  }
}

const isOfApp = (url: string) => !isForConsole && !/^https?:/.test(url);

function SignedIn({ session, notice }: { session: Session; notice: string | undefined }) {
  const [isOver, setOver] = useState(false);
  if (isOver)
    return (
      <Step title="You are signed out">
        <p>
          <a href={linkTo('sign-in')}>Sign in</a>
        </p>
      </Step>
    );
  const signOut = async () => {
    await post('logout', undefined, bearer(session));
    setOver(true);
  };
  return (
    <Step title="You are signed in">
      {notice && <p>{notice}</p>}
      <p>You can close this page, or sign out.</p>
      <Form submit="Sign out" onSubmit={signOut} />
    </Step>
  );
}

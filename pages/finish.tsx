import { useEffect, useState } from 'preact/hooks';
import { bearer, codeOf, post, type Session } from './api';
import { Form, messageOf } from './fields';
import { SetUpFactor } from './set-up-factor';
import { Step } from './step';
import { goToTarget, linkTo, target } from './target';

interface FinishProps {
  session: Session;
  /** What else there is to say if the page does not go anywhere. */
  notice?: string;
}

/** What follows a login: the way back to the app, or, without one, that it has worked. */
export function Finish({ session, notice }: FinishProps) {
  const [state, setState] = useState<'going' | 'set-up' | { failure: unknown }>('going');
  const go = () => {
    setState('going');
    goToTarget(session).catch((failure: unknown) =>
      setState(codeOf(failure) === 'second_factor_setup_required' ? 'set-up' : { failure }),
    );
  };
  useEffect(go, []);
  if (!target) return <SignedIn session={session} notice={notice} />;
  if (state === 'set-up') return <SetUpFactor session={session} onDone={go} />;
  if (state === 'going')
    return (
      <Step title="You are signed in">
        <p role="status">We are taking you back. You can close this page if the app has opened.</p>
      </Step>
    );
  return (
    <Step title="You could not be taken back">
      <p class="failure" role="alert">
        {messageOf(state.failure)}
      </p>
      <p>
        <a href={linkTo('sign-in')}>Sign in again</a>
      </p>
    </Step>
  );
}

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

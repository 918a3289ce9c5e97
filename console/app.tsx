import { useEffect, useState } from 'preact/hooks';
import { MeContext } from './me';
import { href, useRoute } from './route';
import { goToSignIn, logOut, refresh, request, whenSessionEnds } from './session';
import type { Me } from './types';
import { Failure } from './ui/content';
import { Notifications } from './ui/notify';
import { StepUp } from './ui/step-up';
import { VIEWS } from './views';

type Session = 'unknown' | Me | Error;

export function App() {
  const [session, setSession] = useState<Session>('unknown');
  const enter = async () => setSession(await request<Me>('GET', 'users/me'));
  const start = () =>
    refresh()
      .then((isThere) => (isThere ? enter() : goToSignIn()))
      .catch((error: Error) =>
        'status' in error && error.status === 401 ? goToSignIn() : setSession(error),
      );
  useEffect(() => {
    whenSessionEnds(goToSignIn);
    void start();
  }, []);

  if (session === 'unknown') return <p class="loading">Loading …</p>;
  if (session instanceof Error) return <Failure error={session} retry={start} />;
  const leave = async () => {
    await logOut();
    goToSignIn();
  };
  return (
    <MeContext.Provider value={session}>
      <Notifications>
        <Shell me={session} onLogOut={leave} />
        <StepUp />
      </Notifications>
    </MeContext.Provider>
  );
}

function Shell({ me, onLogOut }: { me: Me; onLogOut: () => void }) {
  const { path, query } = useRoute();
  const [name = 'now', ...args] = path;
  const allowed = VIEWS.filter(({ needs }) => !needs || me.permissions.includes(needs));
  const view = allowed.find((one) => one.name === name);
  return (
    <div class="shell">
      <button type="button" class="button skip" onClick={toContent}>
        Skip to content
      </button>
      <aside class="sidebar">
        <p class="brand">{document.body.dataset['app']}</p>
        <nav aria-label="Views">
          <ul>
            {allowed.map((one) => (
              <li key={one.name}>
                <a href={href([one.name])} aria-current={one === view ? 'page' : undefined}>
                  {one.title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <p class="who">
          <span>{me.username}</span>
          <button type="button" class="button" onClick={onLogOut}>
            Log out
          </button>
        </p>
      </aside>
      <main id="main" tabIndex={-1}>
        {view ? (
          <view.View key={`${name}/${args.join('/')}`} args={args} query={query} />
        ) : (
          <p class="empty">
            There is no such view, or your role does not allow it.{' '}
            <a href={href(['now'])}>Go to the overview</a>
          </p>
        )}
      </main>
    </div>
  );
}

function toContent(): void {
  document.getElementById('main')?.focus();
}

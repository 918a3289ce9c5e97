import { type ComponentChildren, createContext } from 'preact';
import { useContext, useState } from 'preact/hooks';

type Notify = (message: string | Error) => void;

const Context = createContext<Notify>(() => {});

/** @returns shows a message at the bottom of the page; an error stays until it is closed */
export const useNotify = (): Notify => useContext(Context);

const SHOWN_MS = 6_000;

export function Notifications({ children }: { children: ComponentChildren }) {
  const [shown, setShown] = useState<{ id: number; message: string | Error }[]>([]);
  const close = (id: number) => setShown((before) => before.filter((one) => one.id !== id));
  const notify: Notify = (message) => {
    const id = Date.now() + Math.random();
    setShown((before) => [...before.slice(-3), { id, message }]);
    if (!(message instanceof Error)) setTimeout(() => close(id), SHOWN_MS);
  };
  return (
    <Context.Provider value={notify}>
      {children}
      <div class="notifications" role="status">
        {shown.map(({ id, message }) => (
          <p key={id} class={message instanceof Error ? 'notification failed' : 'notification'}>
            {message instanceof Error ? message.message : message}
            <button type="button" class="close" aria-label="Close this message" onClick={() => close(id)}>
              ×
            </button>
          </p>
        ))}
      </div>
    </Context.Provider>
  );
}

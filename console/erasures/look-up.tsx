import { useState } from 'preact/hooks';
import { href } from '../route';
import { request } from '../session';
import type { ErasureLookup } from '../types';
import { Section } from '../ui/content';
import { Field, Form } from '../ui/fields';
import { Time } from '../ui/time';

/** Finds the erasure of a person who asks about it, by their address. */
export function LookUp() {
  const [email, setEmail] = useState('');
  const [found, setFound] = useState<ErasureLookup>();
  const lookUp = async () =>
    setFound(await request<ErasureLookup>('POST', 'erasures/lookup', { body: { email } }));
  return (
    <Section title="Was somebody erased?">
      <Form submit="Look up" onSubmit={lookUp}>
        <Field label="Email address" type="email" value={email} onInput={setEmail} required />
      </Form>
      {found && <Found erasures={found.erasures} />}
    </Section>
  );
}

function Found({ erasures }: ErasureLookup) {
  if (erasures.length === 0) return <p role="status">Nobody with this address was erased.</p>;
  return (
    <ul role="status">
      {erasures.map(({ id, openedAt }) => (
        <li key={id}>
          <a href={href(['erasures', id])}>
            Erased <Time at={openedAt} />
          </a>
        </li>
      ))}
    </ul>
  );
}

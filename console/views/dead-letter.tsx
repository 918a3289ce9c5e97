import { useState } from 'preact/hooks';
import { diffLines } from '../diff';
import { checkEvent } from '../events/check-event';
import { useCan } from '../me';
import { go, href } from '../route';
import { request } from '../session';
import type { DeadLetter } from '../types';
import { Code, Facts, Json, Loaded, Section, View } from '../ui/content';
import { Action } from '../ui/dialog';
import { useNotify } from '../ui/notify';
import { Time } from '../ui/time';
import { useQuery } from '../use-query';

export function DeadLetterView({ id }: { id: string }) {
  const query = useQuery<DeadLetter>(`dead-letters/${id}`);
  const can = useCan();
  return (
    <View title="Dead letter">
      <Loaded query={query}>
        {(letter) => (
          <>
            <Facts
              facts={[
                ['Event', eventLink(letter)],
                ['Queue', letter.queue],
                ['Failed', <Time key="at" at={letter.failedAt} />],
                ['Attempts', letter.attempts],
                [
                  'Error',
                  <span key="error" class="error-text">
                    {letter.error}
                  </span>,
                ],
              ]}
            />
            {can('events:write') ? (
              <Editor key={letter.id} letter={letter} />
            ) : (
              <Json value={letter.event ?? letter.body} label="The message" />
            )}
          </>
        )}
      </Loaded>
    </View>
  );
}

export const nameOf = ({ event }: DeadLetter): string => event?.type ?? 'no event';

function eventLink(letter: DeadLetter) {
  return letter.event ? <a href={href(['events', letter.event.id])}>{nameOf(letter)}</a> : nameOf(letter);
}

function Editor({ letter }: { letter: DeadLetter }) {
  const original = letter.event ? JSON.stringify(letter.event, null, 2) : (letter.body ?? '');
  const [text, setText] = useState(original);
  const checked = checkEvent(text);
  const isEdited = text !== original;
  const notify = useNotify();

  const send = async () => {
    if (!checked.ok) throw new Error(checked.problems[0]);
    if (isEdited) await request('PUT', `dead-letters/${letter.id}`, { body: { event: checked.event } });
    await request('POST', `dead-letters/${letter.id}/redrive`);
    notify(`${letter.queue} gets the event again.`);
    go(['events', String(checked.event['id'])]);
  };
  const remove = async () => {
    await request('DELETE', `dead-letters/${letter.id}`);
    go(['dead-letters']);
  };
  return (
    <Section title="Content">
      <label for="content">The event. Edit it if it is what is wrong.</label>
      <textarea
        id="content"
        class="editor"
        spellcheck={false}
        rows={Math.min(30, text.split('\n').length + 1)}
        value={text}
        aria-invalid={!checked.ok}
        aria-describedby="content-problems"
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <div id="content-problems" role="status">
        <ul class="problems">
          {!checked.ok && checked.problems.map((problem) => <li key={problem}>{problem}</li>)}
        </ul>
      </div>
      {isEdited && <Difference before={original} after={text} />}
      <p class="actions">
        <Action
          label={isEdited ? 'Save and send again' : 'Send again'}
          title="Send it again"
          disabled={!checked.ok}
          onSubmit={send}
        >
          <p>
            {isEdited ? 'The edited event goes' : 'The event goes'} to {letter.queue} alone, and takes effect
            once. If it fails again, it comes back here.
          </p>
        </Action>
        <Action label="Delete" title="Delete the dead letter" kind="danger" onSubmit={remove}>
          <p>{letter.queue} will never handle this event.</p>
        </Action>
      </p>
    </Section>
  );
}

function Difference({ before, after }: { before: string; after: string }) {
  return (
    <>
      <h3>Difference to the original</h3>
      <Code label="Difference to the original">
        {diffLines(before, after)
          .filter(({ kind }) => kind !== 'same')
          .map(({ kind, text }, index) => (
            <span key={`${index}${text}`} class={kind}>
              {kind === 'removed' ? '− ' : '+ '}
              {text}
              {'\n'}
            </span>
          ))}
      </Code>
    </>
  );
}

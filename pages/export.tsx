import { useState } from 'preact/hooks';
import { bearer, post, readResponse, type Session } from './api';
import { Form } from './fields';
import { SignIn } from './sign-in';
import { Step } from './step';

const id = new URLSearchParams(location.search).get('id') ?? '';
/** It becomes part of a path, in which anything else could lead elsewhere. */
const isId = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id);

/**
 * Where the mail about an export leads to. Its link has no token, so people sign in, which is the recent proof that the
 * download takes.
 */
export function ExportPage() {
  if (isId) return <SignIn onSignedIn={(session) => <Download session={session} />} />;
  return (
    <Step title="This page needs a link">
      <p>Open the link in the email that we sent you once more.</p>
    </Step>
  );
}

function Download({ session }: { session: Session }) {
  const [isDone, setDone] = useState(false);
  if (isDone)
    return (
      <Step title="Your data was downloaded">
        <p role="status">Keep the file in a safe place. You are signed out and can close this page.</p>
      </Step>
    );
  const download = async () => {
    const response = await fetch(`exports/${id}/data`, { headers: bearer(session) });
    if (!response.ok) await readResponse(response);
    save(await response.blob());
    await post('logout', undefined, bearer(session));
    setDone(true);
  };
  return (
    <Step title="Download your data">
      <p>The file has all that is known about you. Don't download it on a computer that others use, too.</p>
      <Form submit="Download" onSubmit={download} />
    </Step>
  );
}

function save(file: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = 'my-data.json';
  link.click();
}

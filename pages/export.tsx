import { useState } from 'preact/hooks';
import { bearer, post, readResponse, type Session } from './api';
import { Form } from './fields';
import { SignIn } from './sign-in';
import { Step } from './step';

const id = new URLSearchParams(location.search).get('id') ?? '';
/** Becomes part of a path, so it must be nothing but an id. */
const isId = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id);

/**
 * Where the mail about an export leads to. Its link has no token, so people sign in, which is the recent proof that the
 * download takes.
 */
export function ExportPage() {
  if (isId) return <SignIn onSignedIn={(session) => <Download session={session} />} />;
  return (
    <Step title="This page needs a link">
      <p>Please open the link in our email again.</p>
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
      <p>The file contains all the data that we have about you. Don't download it on a shared computer.</p>
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

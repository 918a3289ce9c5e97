// The hosted pages: sign in, sign up, and what links in mails lead to. Each is a client of the public API.
import { type ComponentType, render } from 'preact';
import type { PageName } from '../shared/pages/titles';
import { ExportPage } from './export';
import { ForgotPassword } from './forgot-password';
import { ResetPassword, UndoEmailChange, VerifyEmail } from './mail-links';
import { hasBadTarget, pageName } from './shell';
import { SignIn } from './sign-in';
import { SignUp } from './sign-up';
import { Step } from './step';

const PAGES: Record<PageName, ComponentType> = {
  'sign-in': () => <SignIn />,
  'sign-up': SignUp,
  'forgot-password': ForgotPassword,
  'reset-password': ResetPassword,
  'verify-email': VerifyEmail,
  'undo-email-change': UndoEmailChange,
  export: ExportPage,
};

function BadLink() {
  return (
    <Step title="This link does not work">
      <p>
        The app that sent you here asked to return to an address that is not on the list of this service, or
        made a mistake in its link. Go back to the app and try again, or tell those who run it.
      </p>
    </Step>
  );
}

const root = document.getElementById('page');
const Page = hasBadTarget ? BadLink : PAGES[pageName];
if (root) render(<Page />, root);

// A page that comes back from the browser's history must not show what was typed, or act with tokens of before.
addEventListener('pageshow', ({ persisted }) => persisted && location.reload());

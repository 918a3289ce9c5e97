import { Dialog } from '../ui/dialog';

/** Shown once, when it is made. */
export function Secret({
  title = 'The signing secret',
  secret,
  onClose,
}: {
  title?: string;
  secret: string;
  onClose: () => void;
}) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p>Copy it now: it is not shown again.</p>
      <p>
        <code class="secret">{secret}</code>
      </p>
      <p class="actions">
        <button type="button" class="button primary" onClick={onClose}>
          Done
        </button>
      </p>
    </Dialog>
  );
}

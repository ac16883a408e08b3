import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Asset } from '../../../src/job/previewJob.types.ts';
import type { Use } from '../storyboard/files.ts';
import { Button } from '../ui/controls.tsx';
import { Icon } from '../ui/icons.tsx';
import { type Failure, failureOf, sendFile } from './uploads.ts';

interface Place {
  /** Id of the control that chooses the file, with or without trouble. */
  id: string;
  /** In words: `Step 2, picture`. */
  place: string;
  onChoose(): void;
  onRemove(): void;
}

/** The message about a file that cannot be used; undefined if it can. */
export function FileTrouble({
  asset,
  use,
  ...place
}: Place & { asset: Asset | undefined; use: Use }): JSX.Element | null {
  const failure = failureOf(asset);
  if (!failure) return null;
  return <Trouble {...place} failure={failure} onRetry={() => void sendFile(asset?.upload ?? '', use)} />;
}

/** The file's name, why it cannot be used, and what can be done. */
function Trouble({
  id,
  place,
  failure: { name, reason, mayRetry },
  onChoose,
  onRemove,
  onRetry,
}: Place & { failure: Failure; onRetry(): void }): JSX.Element {
  const box = useRef<HTMLFieldSetElement>(null);
  // After a button here was pressed, the focus moves to the control that replaces it.
  useLayoutEffect(
    () => () => {
      if (!box.current?.contains(document.activeElement)) return;
      requestAnimationFrame(() => document.getElementById(id)?.focus());
    },
    [id],
  );
  return (
    <fieldset class="trouble" aria-label={`${place}: ${name}`} ref={box}>
      <Icon name="warning" size={16} />
      <p class="trouble-words">
        <strong>{name}</strong> {reason}
      </p>
      <div class="trouble-actions">
        <Button id={id} aria-label={`Choose another: ${place}`} onClick={onChoose}>
          Choose another
        </Button>
        <Button aria-label={`Remove: ${place}`} onClick={onRemove}>
          Remove
        </Button>
        {mayRetry && (
          <Button aria-label={`Try again: ${place}`} onClick={onRetry}>
            Try again
          </Button>
        )}
      </div>
    </fieldset>
  );
}

import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Button } from './controls.tsx';

interface Question {
  title: string;
  words: string;
  /** The label of the button that confirms. */
  action: string;
}

const asked = signal<(Question & { answer(yes: boolean): void }) | undefined>(undefined);

/** Asks before something that cannot be undone. */
export const confirmed = (question: Question): Promise<boolean> =>
  new Promise((resolve) => {
    asked.value = {
      ...question,
      answer(yes) {
        asked.value = undefined;
        resolve(yes);
      },
    };
  });

export function Confirmation(): JSX.Element | null {
  const question = asked.value;
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (question && !dialog.current?.open) dialog.current?.showModal();
  }, [question]);
  if (!question) return null;
  return (
    <dialog class="dialog" ref={dialog} aria-labelledby="dialog-title" onClose={() => question.answer(false)}>
      <h2 id="dialog-title">{question.title}</h2>
      <p class="muted">{question.words}</p>
      <div class="dialog-actions">
        <Button onClick={() => question.answer(false)}>Keep it</Button>
        <Button kind="primary" onClick={() => question.answer(true)}>
          {question.action}
        </Button>
      </div>
    </dialog>
  );
}

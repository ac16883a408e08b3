import { signal } from '@preact/signals';
import type { JSX } from 'preact';

const words = signal('');
const toast = signal<{ text: string; id: number } | undefined>(undefined);
let timer: ReturnType<typeof setTimeout> | undefined;
let count = 0;

/** Says something to those who listen to the page. */
export function announce(text: string): void {
  words.value = text;
}

const SHOWN_MS = 4000;

/** Says something to everybody: a short note at the bottom of the page, for some seconds. */
export function tell(text: string): void {
  toast.value = { text, id: ++count };
  announce(text);
  clearTimeout(timer);
  timer = setTimeout(() => (toast.value = undefined), SHOWN_MS);
}

export function Announcements(): JSX.Element {
  return (
    <>
      <div class="unseen" role="status">
        {words.value}
      </div>
      {toast.value && (
        <div class="toast" key={toast.value.id} aria-hidden="true">
          {toast.value.text}
        </div>
      )}
    </>
  );
}

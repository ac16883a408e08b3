import { computed, signal } from '@preact/signals';
import { type FieldErrors, NO_ERRORS } from '../storyboard/fields.ts';
import { changeAll, type History, record, redo, startHistory, undo } from '../storyboard/history.ts';
import { EMPTY, type Storyboard } from '../storyboard/storyboard.ts';

/* What the editor works on. There is one editor. */

export const history = signal<History<Storyboard>>(startHistory(EMPTY));
export const board = computed(() => history.value.present);
/** The card that is worked on. */
export const selected = signal<string | undefined>(undefined);
/** What the API said of the fields, at the last job that was sent. */
export const errors = signal<FieldErrors>(NO_ERRORS);

/** Makes a change. @param about the field that is typed in, so that a word is undone as a whole */
export function change(make: (board: Storyboard) => Storyboard, about?: string): void {
  history.value = record(history.peek(), make(history.peek().present), about, Date.now());
}

/** Puts something right wherever it stands, also in what may be undone and done again. */
export function correct(make: (board: Storyboard) => Storyboard): void {
  history.value = changeAll(history.peek(), make);
}

/** Begins anew, with nothing to undo. */
export function open(storyboard: Storyboard): void {
  errors.value = NO_ERRORS;
  selected.value = storyboard.cards[0]?.key;
  history.value = startHistory(storyboard);
}

export const canUndo = computed(() => history.value.past.length > 0);
export const canRedo = computed(() => history.value.future.length > 0);

export function undoChange(): void {
  history.value = undo(history.peek());
}

export function redoChange(): void {
  history.value = redo(history.peek());
}

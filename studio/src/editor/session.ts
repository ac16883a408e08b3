import { computed, signal } from '@preact/signals';
import { type FieldErrors, NO_ERRORS } from '../storyboard/fields.ts';
import { changeAll, type History, record, redo, startHistory, undo } from '../storyboard/history.ts';
import { EMPTY, type Storyboard } from '../storyboard/storyboard.ts';

/* The state of the editor. There is one editor. */

export const history = signal<History<Storyboard>>(startHistory(EMPTY));
export const board = computed(() => history.value.present);
/** The selected card. */
export const selected = signal<string | undefined>(undefined);
/** The errors of the fields, from the last job that was sent. */
export const errors = signal<FieldErrors>(NO_ERRORS);

/** Makes a change. @param about the field that is typed in, so that a word is undone as a whole */
export function change(make: (board: Storyboard) => Storyboard, about?: string): void {
  history.value = record(history.peek(), make(history.peek().present), about, Date.now());
}

/** Corrects the present storyboard and those in the undo history. */
export function correct(make: (board: Storyboard) => Storyboard): void {
  history.value = changeAll(history.peek(), make);
}

/** Starts a new storyboard, with nothing to undo. */
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

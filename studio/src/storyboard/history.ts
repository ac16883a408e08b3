/** Where undo and redo lead. Never changed in place. */
export interface History<State> {
  past: readonly State[];
  present: State;
  future: readonly State[];
  /** What the last change was about, and when; changes of the same thing in one go are undone in one go. */
  last?: { about: string; at: number };
}

const MOST = 200;
/** Typing is one change until it pauses for that long. */
const ONE_GO_MS = 1000;

export const startHistory = <State>(present: State): History<State> => ({ past: [], present, future: [] });

/** @param about what is changed, for example a field's name; undefined is never joined with the change before it */
export function record<State>(
  history: History<State>,
  present: State,
  about: string | undefined,
  now: number,
): History<State> {
  if (present === history.present) return history;
  const { last } = history;
  const joins = about !== undefined && last?.about === about && now - last.at < ONE_GO_MS;
  const past = joins ? history.past : [...history.past, history.present].slice(-MOST);
  return { past, present, future: [], ...(about === undefined ? {} : { last: { about, at: now } }) };
}

/** Applies a correction that is not an edit to the present, the past and the future. */
export const changeAll = <State>(
  { past, present, future, ...rest }: History<State>,
  make: (state: State) => State,
): History<State> => ({ ...rest, past: past.map(make), present: make(present), future: future.map(make) });

export function undo<State>({ past, present, future }: History<State>): History<State> {
  const before = past.at(-1);
  if (before === undefined) return { past, present, future };
  return { past: past.slice(0, -1), present: before, future: [present, ...future] };
}

export function redo<State>({ past, present, future }: History<State>): History<State> {
  const [next, ...later] = future;
  if (next === undefined) return { past, present, future };
  return { past: [...past, present], present: next, future: later };
}

import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

const TICK_MS = 1000;

/** The time, in milliseconds since the epoch; goes on while somebody looks at it. */
export const now = signal(Date.now());

/** Lets {@link now} go on while the component is shown. */
export function useClock(): number {
  useEffect(() => {
    now.value = Date.now();
    const timer = setInterval(() => (now.value = Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return now.value;
}

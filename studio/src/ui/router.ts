import { computed, signal } from '@preact/signals';

const address = signal(readAddress());

function readAddress(): { path: string; query: string } {
  return { path: location.pathname, query: location.search };
}

addEventListener('popstate', () => (address.value = readAddress()));

export type Route =
  | { page: 'editor' }
  | { page: 'jobs' }
  | { page: 'job'; jobId: string }
  | { page: 'queue' }
  | { page: 'unknown' };

export const query = computed(() => new URLSearchParams(address.value.query));

export const route = computed((): Route => {
  const [first = '', second] = address.value.path.split('/').slice(1).map(decodeURIComponent);
  if (first === '') return { page: 'editor' };
  if (first === 'jobs') return second ? { page: 'job', jobId: second } : { page: 'jobs' };
  if (first === 'queue') return { page: 'queue' };
  return { page: 'unknown' };
});

/** Goes to another address of the page. */
export function go(to: string, { replace = false } = {}): void {
  if (replace) window.history.replaceState(null, '', to);
  else window.history.pushState(null, '', to);
  address.value = readAddress();
  if (!replace) {
    scrollTo(0, 0);
    // Where a screen reader goes on reading.
    requestAnimationFrame(() => document.querySelector<HTMLElement>('main')?.focus());
  }
}

/** Sets or removes words of the query, without a step in the browser's history. */
export function setQuery(values: Record<string, string | undefined>): void {
  const next = new URLSearchParams(query.peek());
  for (const [name, value] of Object.entries(values)) {
    if (value) next.set(name, value);
    else next.delete(name);
  }
  const words = next.toString();
  go(address.peek().path + (words ? `?${words}` : ''), { replace: true });
}

/** Follows a link without reloading the page. With a modifier key, the browser acts as usual. */
export function follow(event: MouseEvent): void {
  const link = (event.currentTarget as HTMLAnchorElement).getAttribute('href');
  if (!link || event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(link);
}

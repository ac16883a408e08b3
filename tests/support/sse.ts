import { eventually } from './eventually.ts';

export interface Told {
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: what an event says is looked at by the tests
  data: any;
  /** `Date.now()` when it came. */
  at: number;
}

/** Reads server-sent events as a page does, from a `fetch`, until it is closed. */
export async function listen(url: string, headers: Record<string, string> = {}) {
  const control = new AbortController();
  const response = await fetch(url, { headers, signal: control.signal });
  if (response.status !== 200 || !response.body) throw new Error(`${url} answered ${response.status}`);
  const told: Told[] = [];
  let rest = '';
  const reading = (async () => {
    for await (const chunk of response.body ?? []) {
      const blocks = (rest + Buffer.from(chunk).toString()).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
        if (name && data) told.push({ name, data: JSON.parse(data), at: Date.now() });
      }
    }
  })().catch(() => undefined);
  return {
    told,
    response,
    /** Resolves when the server has ended the answer. */
    ended: reading,
    find: (fits: (event: Told) => boolean, what: string, seconds = 20): Promise<Told> =>
      eventually(async () => told.find(fits), what, seconds),
    async close(): Promise<void> {
      control.abort();
      await reading;
    },
  };
}

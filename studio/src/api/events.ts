import { send } from './call.ts';
import { createEventParser, type ServerEvent } from './eventParser.ts';

/**
 * Reads server-sent events with fetch, because EventSource cannot send a key. Ends when the server ends the stream.
 * @throws Problem if the service refuses, and if the connection breaks
 */
export async function readEvents(
  path: string,
  onEvent: (event: ServerEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const { body } = await send(path, { signal, headers: { accept: 'text/event-stream' } });
  if (!body) return;
  const parse = createEventParser();
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    for (const event of parse(next.value)) onEvent(event);
  }
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/**
 * Follows events until `signal` aborts. After a break it reconnects, and the server sends the present state again.
 * @param onLink is called with whether the connection is open
 */
export async function followEvents(
  path: string,
  onEvent: (event: ServerEvent) => void,
  signal: AbortSignal,
  onLink: (state: { connected: boolean; error?: unknown }) => void = () => undefined,
): Promise<void> {
  let pause = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      await readEvents(
        path,
        (event) => {
          pause = FIRST_PAUSE_MS;
          onLink({ connected: true });
          onEvent(event);
        },
        signal,
      );
    } catch (error) {
      if (signal.aborted) return;
      onLink({ connected: false, error });
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(LONGEST_PAUSE_MS, pause * 2);
  }
}

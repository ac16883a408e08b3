import { connect, type Socket } from 'node:net';

/** A connection on which anything may be sent. */
export interface RawClient {
  socket: Socket;
  /** What has come so far. */
  received(): string;
  /** Waits for the other side to close, and answers what it said; milliseconds since the connection began. */
  closed: Promise<{ text: string; milliseconds: number }>;
}

/** @param url the service's */
export async function openRaw(url: string): Promise<RawClient> {
  const { hostname, port } = new URL(url);
  const started = performance.now();
  let text = '';
  const socket = connect(Number(port), hostname);
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  // That the other side has gone is what these tests wait for.
  socket.on('error', () => undefined);
  const closed = new Promise<{ text: string; milliseconds: number }>((resolve) => {
    socket.once('close', () => resolve({ text, milliseconds: performance.now() - started }));
  });
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return { socket, received: () => text, closed };
}

/** Sends text, and waits for the end. */
export async function sayAndWait(url: string, text: string | Uint8Array): Promise<string> {
  const client = await openRaw(url);
  client.socket.write(text);
  return (await client.closed).text;
}

/** Sends a byte a second, until the other side has closed. */
export function drip(socket: Socket, byte: string): void {
  const timer = setInterval(() => socket.write(byte), 1000);
  socket.once('close', () => clearInterval(timer));
}

/** Writes the same again and again, as long as someone reads. */
export function flood(socket: Socket, bytes: Buffer): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(bytes));
  };
  socket.on('drain', more);
  more();
}

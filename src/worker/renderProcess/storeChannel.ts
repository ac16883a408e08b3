import type { ChildProcess } from 'node:child_process';
import { Readable } from 'node:stream';
import { asPreviewError, type ErrorCode, PreviewError } from '../../errors.ts';
import type { ArtifactStore } from '../../storage/artifactStore.ts';

/** The calls that a render makes, and that a child is given; what was decided about a job is none of its business. */
const CALLS = ['statObject', 'readObject', 'putObject', 'getPart', 'putPart'] as const;
type Call = (typeof CALLS)[number];

/** What the child asks over the IPC channel. */
export interface StoreCall {
  type: 'store';
  id: number;
  call: Call;
  args: unknown[];
}

/** What the worker answers. */
export type StoreAnswer = { type: 'stored'; id: number } & (
  | { result: unknown }
  | { code: ErrorCode; message: string }
);

/**
 * In the worker: uses a store in a network on behalf of a render child, until that is gone. The child decodes what
 * strangers send, so it has neither the keys nor a connection.
 */
export function serveStore(child: ChildProcess, store: ArtifactStore): void {
  const answer = async ({ id, call, args }: StoreCall): Promise<StoreAnswer> => {
    try {
      if (!CALLS.includes(call)) throw new Error(`a render child asked for ${call}`);
      const work = store[call] as (...args: unknown[]) => Promise<unknown>;
      return { type: 'stored', id, result: await work(...args) };
    } catch (thrown) {
      const { code, message } = asPreviewError(thrown, 'store_unavailable');
      return { type: 'stored', id, code, message };
    }
  };
  child.on('message', (message: Partial<StoreCall>) => {
    if (message.type !== 'store') return;
    void answer(message as StoreCall).then((stored) => child.connected && child.send(stored));
  });
}

/** In the child: a store whose every call is a question to the worker. */
export function createChannelStore(): ArtifactStore {
  const waiting = new Map<number, (answer: StoreAnswer) => void>();
  let last = 0;
  process.on('message', (message: Partial<StoreAnswer>) => {
    if (message.type !== 'stored' || message.id === undefined) return;
    waiting.get(message.id)?.(message as StoreAnswer);
    waiting.delete(message.id);
  });
  const ask = async <Asked extends Call>(
    call: Asked,
    args: Parameters<ArtifactStore[Asked]>,
  ): Promise<Awaited<ReturnType<ArtifactStore[Asked]>>> => {
    const id = ++last;
    const answered = new Promise<StoreAnswer>((resolve) => waiting.set(id, resolve));
    process.send?.({ type: 'store', id, call, args } satisfies StoreCall);
    const answer = await answered;
    if ('code' in answer) throw new PreviewError(answer.code, answer.message);
    return answer.result as Awaited<ReturnType<ArtifactStore[Asked]>>;
  };
  // The channel copies bytes, and what arrives is a plain Uint8Array.
  const readObject = async (sha256: string): Promise<Buffer> =>
    Buffer.from(await ask('readObject', [sha256]));
  const refuse = async (): Promise<never> => {
    throw new Error('this is not for a render child to do');
  };
  return {
    readObject,
    async openObject(sha256, range) {
      const bytes = await readObject(sha256);
      return Readable.from([range ? bytes.subarray(range.start, range.end + 1) : bytes]);
    },
    async putObject(source, expected) {
      const bytes =
        source instanceof Uint8Array ? source : Buffer.concat(await Readable.from(source).toArray());
      return ask('putObject', [bytes, expected]);
    },
    statObject: (sha256) => ask('statObject', [sha256]),
    getPart: (key) => ask('getPart', [key]),
    putPart: (key, part) => ask('putPart', [key, part]),
    getRecord: refuse,
    findRecords: refuse,
    putRecord: refuse,
    readDetails: refuse,
    removeRecord: refuse,
    listEnded() {
      throw new Error('this is not for a render child to do');
    },
    putUpload: refuse,
    hasUpload: refuse,
    removeUpload: refuse,
    listUploads: refuse,
    markUsed: refuse,
    check: refuse,
    capacity: refuse,
  };
}

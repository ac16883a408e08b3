import { signal } from '@preact/signals';
import type { Asset } from '../../../src/job/previewJob.types.ts';
import { upload, wordsOf } from '../api/call.ts';

/** A file that is on its way to the service. */
export interface Upload {
  token: string;
  name: string;
  /** 0 to 1. */
  share: number;
  error?: string;
}

/** What an asset looks like or sounds like, here and now. */
export interface LocalFile {
  name: string;
  url: string;
  blob?: Blob;
}

/** Files on their way, and those that could not be sent. */
export const uploads = signal<readonly Upload[]>([]);
/** Files of this page by what stands in an asset's `upload`: a token until they are sent, and their digest. */
export const localFiles = signal<ReadonlyMap<string, LocalFile>>(new Map());
/** The digest of each token whose file was sent. */
export const digests = signal<ReadonlyMap<string, string>>(new Map());

let count = 0;

export const kindOf = (file: File): Asset['type'] | undefined => {
  const [kind] = file.type.split('/');
  return kind === 'image' || kind === 'audio' || kind === 'video' ? kind : undefined;
};

/** Shows a file at once, and sends it meanwhile. @returns what stands for it until its digest is known */
export function addFile(file: File): string {
  const token = `file-${++count}`;
  remember(token, { name: file.name, url: URL.createObjectURL(file), blob: file });
  void sendFile(token);
  return token;
}

export const remember = (key: string, file: LocalFile): void => {
  localFiles.value = new Map(localFiles.value).set(key, file);
};

/** Sends a file, also again after it could not be sent. */
export async function sendFile(token: string): Promise<void> {
  const file = localFiles.peek().get(token);
  if (!file?.blob) return;
  const tell = (state: Partial<Upload>): void => {
    const others = uploads.peek().filter((one) => one.token !== token);
    uploads.value = [...others, { token, name: file.name, share: 0, ...state }];
  };
  tell({});
  try {
    const { sha256 } = await upload(file.blob, (share) => tell({ share }));
    remember(sha256, file);
    digests.value = new Map(digests.peek()).set(token, sha256);
    uploads.value = uploads.peek().filter((one) => one.token !== token);
  } catch (error) {
    tell({ error: wordsOf(error) });
  }
}

/** Whether a file that a job needs is still on its way, or could not be sent. */
export const isMissing = ({ upload: key }: Asset): boolean =>
  (key?.startsWith('file-') ?? false) && !digests.value.has(key ?? '');

/** The address under which the page itself can show or play an asset. */
export function addressOf(asset: Asset | undefined): string | undefined {
  if (asset?.upload === undefined) return undefined;
  return localFiles.value.get(asset.upload)?.url;
}

declare module 's3rver' {
  import type { RequestListener } from 'node:http';
  import type { Readable } from 'node:stream';

  interface StoredObject {
    bucket: string;
    key: string;
    metadata: Record<string, string>;
    content: Buffer | Readable;
  }

  export default class S3rver {
    constructor(options: {
      directory: string;
      silent: boolean;
      configureBuckets: { name: string; configs: string[] }[];
    });
    store: {
      getObject(bucket: string, key: string, range?: { start?: number; end?: number }): Promise<unknown>;
      putObject(object: StoredObject): Promise<{ size: number; md5: string }>;
      listObjects(
        bucket: string,
        options: { delimiter?: string; startAfter?: string; prefix?: string; maxKeys?: number },
      ): Promise<{ objects: { key: string }[]; commonPrefixes: string[]; isTruncated: boolean }>;
      getResourcePath(bucket: string, key: string, resource: 'object'): string;
      putMetadata(
        bucket: string,
        key: string,
        metadata: StoredObject['metadata'],
        md5: string,
      ): Promise<void>;
    };
    configureBuckets(): Promise<unknown>;
    callback(): RequestListener;
  }
}

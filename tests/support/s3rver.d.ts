declare module 's3rver' {
  import type { RequestListener } from 'node:http';

  export default class S3rver {
    constructor(options: {
      directory: string;
      silent: boolean;
      configureBuckets: { name: string; configs: string[] }[];
    });
    store: {
      getObject(bucket: string, key: string, range?: { start?: number; end?: number }): Promise<unknown>;
    };
    configureBuckets(): Promise<unknown>;
    callback(): RequestListener;
  }
}

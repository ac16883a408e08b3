/** Reads the bytes of an asset and says which demuxer opens them. */
export type ReadSound = (sha256: string) => Promise<{ bytes: Buffer; demuxer: string }>;

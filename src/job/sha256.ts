import { hash } from 'node:crypto';

/** The SHA-256 as 64 hex digits. For short texts, one call takes half the time of a hash object. */
export const sha256Hex = (data: string | Uint8Array): string => hash('sha256', data, 'hex');

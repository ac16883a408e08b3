import { hash } from 'node:crypto';

/** The SHA-256 as 64 hex digits; made in one call, which for a short text takes half the time of an object that collects. */
export const sha256Hex = (data: string | Uint8Array): string => hash('sha256', data, 'hex');

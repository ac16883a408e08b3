import { join } from 'node:path';
import { createEgressAgent } from '../assets/egress.ts';
import { type AssetFetcher, createAssetFetcher } from '../assets/fetchAsset.ts';
import { createLookup } from '../assets/lookup.ts';
import type { Config } from '../config.ts';
import { PreviewError } from '../errors.ts';
import {
  cpuSecondsFor,
  createRenderSandbox,
  type RenderSandbox,
} from '../worker/renderProcess/sandbox/renderSandbox.ts';

export const CONNECT_MS = 10_000;
const IDLE_MS = 15_000;
const FETCH_MS = 60_000;

/** What one job may use, and whoever serves several of them ends after that much more. */
export const openSandbox = ({ renderMemoryBytes, jobTimeoutSeconds }: Config): RenderSandbox =>
  createRenderSandbox({
    memoryBytes: renderMemoryBytes,
    cpuSeconds: cpuSecondsFor(jobTimeoutSeconds),
  });

/**
 * The folder of the store, for what reads and removes its files itself.
 * @throws PreviewError `config_invalid` where the store is a bucket
 */
export function localStoreFolder(config: Config): string {
  if (!config.storeUrl) return storeFolder(config);
  const message =
    'STORE_URL names a bucket, but `store verify` and `store gc` work on a folder only; see docs/storage.md.';
  throw new PreviewError('config_invalid', message);
}

/** The folder of the file system store. */
export const storeFolder = (config: Config): string => join(config.dataDir, 'store');

/** Fetches assets by URL, from public addresses and those that the configuration opens. */
export function createFetcher(config: Config): AssetFetcher {
  const { assetAllowPrivate: allowPrivate, assetAllowHosts: allowHosts, denyHosts } = config;
  const agent = createEgressAgent(
    { allowPrivate, allowHosts, denyHosts },
    { connectMs: CONNECT_MS, idleMs: IDLE_MS },
    createLookup(config.dnsServers),
  );
  return createAssetFetcher(agent, FETCH_MS);
}

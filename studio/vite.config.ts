import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const EXAMPLE = here('../examples/pour-over-coffee/');

/**
 * `virtual:example`: the example's job, and of each of its files the address here and the digest under which the API
 * knows it once it is uploaded.
 */
function example(): Plugin {
  return {
    name: 'example',
    resolveId: (id) => (id === 'virtual:example' ? `\0${id}` : undefined),
    load(id) {
      if (id !== '\0virtual:example') return undefined;
      const job = JSON.parse(readFileSync(`${EXAMPLE}job.json`, 'utf8')) as {
        previewRequest: { assets: { path: string }[] };
      };
      const files = job.previewRequest.assets.map(({ path }) => {
        const source = readFileSync(EXAMPLE + path);
        const reference = this.emitFile({ type: 'asset', name: basename(path), source });
        const sha256 = createHash('sha256').update(source).digest('hex');
        return `${JSON.stringify(path)}: { url: import.meta.ROLLUP_FILE_URL_${reference}, sha256: "${sha256}" }`;
      });
      return `export const job = ${JSON.stringify(job)};\nexport const files = {${files.join(',\n')}};`;
    },
  };
}

/** Leaves a compressed copy beside each text, so that nothing is compressed while somebody waits. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    writeBundle({ dir = '' }, bundle) {
      for (const name of Object.keys(bundle)) {
        if (!/\.(js|css|svg)$/.test(name)) continue;
        const file = join(dir, name);
        writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
      }
    },
  };
}

/** The studio, built into `dist/studio`, from where `serve` and `api` answer it; see `src/api/pages/studio.ts`. */
export default defineConfig({
  root: here('.'),
  base: '/studio/',
  plugins: [example(), compressed()],
  build: {
    outDir: here('../dist/studio'),
    emptyOutDir: true,
    target: 'es2022',
    // The policy of the page allows no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // The player's library, which is loaded with the first video.
    chunkSizeWarningLimit: 700,
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
});
